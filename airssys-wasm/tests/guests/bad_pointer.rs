// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};

use crate::support::{beside_a_neighbour, settings};

#[tokio::test]
async fn a_list_outside_of_its_memory_is_malformed() {
    let error = beside_a_neighbour("bad-pointer", settings()).await;
    let WasmError::RuntimeError(fault) = error else {
        panic!("{error}");
    };
    assert_eq!(fault.kind, FaultKind::MalformedData, "{fault}");
}
