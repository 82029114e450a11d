// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{beside_a_neighbour, settings};

#[tokio::test]
async fn it_ends_with_the_stack_and_the_host_does_not() {
    let error = beside_a_neighbour("deep-recursion", settings()).await;
    let WasmError::ResourceLimitExceeded(exceeded) = error else {
        panic!("{error}");
    };
    assert_eq!(exceeded.limit, Limit::WasmStackBytes);
}
