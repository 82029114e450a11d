// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::runtime::errors::{MissingExport, WasmError};
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;

use crate::support::{ENGINE, bytes, message};

fn expected() -> WasmError {
    WasmError::ExportNotFound(MissingExport {
        export: "airssys:actor/handler@0.1.0".into(),
        found: Some("airssys:actor/handler@0.2.0".into()),
    })
}

#[test]
fn the_loader_names_both_versions() {
    let loader = ComponentLoader::new(ENGINE.clone());
    assert_eq!(
        loader.load_bytes(&bytes("wrong-version")).err(),
        Some(expected())
    );
}

#[test]
fn by_handle_it_loads_and_cannot_be_called() {
    let id = ComponentId::new("test", "guest", "one");
    let handle = ENGINE.load_component(&id, &bytes("wrong-version")).unwrap();
    let called = ENGINE.call_handle_message(&handle, &message("", ""));
    assert_eq!(called, Err(expected()));
}

#[test]
fn looking_at_it_tells_why_it_cannot_run_here() {
    let inspection = Inspection::of(&bytes("wrong-version")).unwrap();
    assert_eq!(inspection.handler.as_deref(), Some("0.2.0"));
    assert_eq!(inspection.fault, Some(expected()));
}
