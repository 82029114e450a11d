// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, Limits};
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{beside_a_neighbour, limits};

#[tokio::test]
async fn it_is_stopped_at_its_budget() {
    let budget = 3 << 20;
    let error = beside_a_neighbour(
        "memory-bomb",
        limits(Limits {
            memory_bytes: budget,
            ..Limits::default()
        }),
    )
    .await;
    let WasmError::ResourceLimitExceeded(exceeded) = error else {
        panic!("{error}");
    };
    assert_eq!(
        (exceeded.limit, exceeded.allowed),
        (Limit::MemoryBytes, budget)
    );
    // It takes one MiB at a time, and is stopped at the first too many.
    assert!(exceeded.observed > budget && exceeded.observed <= budget + (1 << 20));
}
