// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};

use crate::support::{beside_a_neighbour, settings};

#[tokio::test]
async fn a_text_that_is_not_utf8_is_malformed() {
    let error = beside_a_neighbour("invalid-utf8", settings()).await;
    let WasmError::RuntimeError(fault) = error else {
        panic!("{error}");
    };
    assert_eq!(fault.kind, FaultKind::MalformedData, "{fault}");
}
