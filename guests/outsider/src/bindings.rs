//! What WASI's packages generate.

wit_bindgen::generate!({
    path: "wit",
    world: "outsider",
    generate_all,
});
