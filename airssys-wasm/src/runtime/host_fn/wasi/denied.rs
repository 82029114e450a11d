//! The interfaces of WASI that nobody is given here.

// Layer 1: Standard library imports
use std::convert::Infallible;

// Layer 2: Third-party crate imports
use thiserror::Error;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult};

// Layer 3: Internal module imports
use crate::runtime::state::StoreState;

/// A guest called an interface of WASI that nobody is given.
#[derive(Debug, Error)]
#[error("`{function}` is not granted: this host gives guests no {interface}")]
pub(crate) struct WasiDenied {
    interface: String,
    function: String,
}

/// Links the named imports of `component` as functions that refuse. Many toolchains import
/// them whether the program uses them or not.
pub(crate) fn deny(
    linker: &mut Linker<StoreState>,
    component: &Component,
    interfaces: &[&str],
) -> WasmtimeResult<()> {
    let engine = linker.engine().clone();
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        if !interfaces.contains(&name) {
            continue;
        }
        let mut instance = linker.instance(name)?;
        for (member, item) in interface.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let (interface, function) = (name.to_owned(), format!("{name}#{member}"));
                    instance.func_new(member, move |_, _, _, _| {
                        Err(WasmtimeError::from(WasiDenied {
                            interface: interface.clone(),
                            function: function.clone(),
                        }))
                    })?;
                }
                ComponentItem::Resource(_) => {
                    let none_exist = ResourceType::host::<Infallible>();
                    instance.resource(member, none_exist, |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}
