// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::runtime::errors::{ComponentFault, WasmError};
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::loader::ComponentLoader;

use crate::support::{ENGINE, bytes};

#[test]
fn every_door_says_that_it_is_a_module_and_what_to_do() {
    let bytes = bytes("core-module");
    let id = ComponentId::new("test", "guest", "one");
    let loader = ComponentLoader::new(ENGINE.clone());
    for error in [
        loader.load_bytes(&bytes).err(),
        ENGINE.load_component(&id, &bytes).err(),
        Inspection::of(&bytes).err(),
    ] {
        let error = error.unwrap();
        assert_eq!(
            error,
            WasmError::InvalidComponent(ComponentFault::CoreModule)
        );
        assert!(error.to_string().contains("wasm-tools component new"));
    }
}
