// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{ComponentFault, WasmError};
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;

use crate::support::{ENGINE, bytes};

#[test]
fn it_is_refused_by_name_before_it_is_compiled() {
    let loader = ComponentLoader::new(ENGINE.clone());
    let fault = ComponentFault::UnknownImport {
        import: "evil:corp/backdoor@1.0.0".into(),
    };
    assert_eq!(
        loader.load_bytes(&bytes("unknown-import")).err(),
        Some(WasmError::InvalidComponent(fault))
    );
}

#[test]
fn it_can_still_be_looked_at() {
    let inspection = Inspection::of(&bytes("unknown-import")).unwrap();
    assert!(
        inspection
            .fault
            .unwrap()
            .to_string()
            .contains("evil:corp/backdoor@1.0.0")
    );
    let backdoor = &inspection.imports[0];
    assert_eq!(backdoor.name, "evil:corp/backdoor@1.0.0");
    assert_eq!(backdoor.functions, ["open"]);
}
