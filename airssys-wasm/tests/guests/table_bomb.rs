// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{beside_a_neighbour, limits, settings};

/// It takes ten thousand elements of eight bytes at a time, besides one page of memory.
#[tokio::test]
async fn tables_count_against_the_memory_budget() {
    let budget = 100_000;
    let error = beside_a_neighbour(
        "table-bomb",
        limits(Limits {
            memory_bytes: budget,
            ..Limits::default()
        }),
    )
    .await;
    let expected = LimitExceeded {
        limit: Limit::MemoryBytes,
        allowed: budget,
        observed: 64 * 1024 + 10_001 * 8,
    };
    assert_eq!(error, WasmError::ResourceLimitExceeded(expected));
}

#[tokio::test]
async fn no_table_is_larger_than_the_engine_has_room_for() {
    let error = beside_a_neighbour("table-bomb", settings()).await;
    let expected = LimitExceeded {
        limit: Limit::TableElements,
        allowed: 20_000,
        observed: 20_001,
    };
    assert_eq!(error, WasmError::ResourceLimitExceeded(expected));
}
