// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};

use crate::support::{beside_a_neighbour, settings};

#[tokio::test]
async fn a_trap_says_what_and_where() {
    let error = beside_a_neighbour("unreachable", settings()).await;
    let WasmError::RuntimeError(fault) = error else {
        panic!("{error}");
    };
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert_eq!(fault.backtrace, ["handle-message"]);
}
