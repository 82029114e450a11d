//! What the contract in `wit/` generates, before it is made pleasant to use.
//!
//! `wit/` beside this crate's `src/` is an exact copy of the repository's `wit/`,
//! so that the published crate is complete in itself.

// The interface `types` is not generated: `crate::wire` spells it out.
wit_bindgen::generate!({
    path: "wit",
    world: "full-actor",
    with: { "airssys:actor/types@0.1.0": crate::wire },
    ownership: Borrowing { duplicate_if_necessary: false },
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "airssys_guest::bindings",
});
