// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{beside_a_neighbour, limits};

#[tokio::test]
async fn it_ends_when_its_fuel_does() {
    let error = beside_a_neighbour(
        "endless-loop",
        limits(Limits {
            turn_fuel: 100_000,
            ..Limits::default()
        }),
    )
    .await;
    let expected = LimitExceeded::beyond(Limit::TurnFuel, 100_000);
    assert_eq!(error, WasmError::ResourceLimitExceeded(expected));
}

#[tokio::test]
async fn it_ends_at_its_deadline() {
    let settings = limits(Limits {
        turn_fuel: u64::MAX,
        turn_wall_ms: 20,
        ..Limits::default()
    });
    let mut actor = crate::support::start_with("endless-loop", settings).await;
    let error = actor.turn("", "").await.unwrap_err();
    let WasmError::Timeout(exceeded) = error else {
        panic!("{error}");
    };
    assert_eq!((exceeded.limit, exceeded.allowed), (Limit::TurnWallMs, 20));
    assert!(exceeded.observed > 20);
}
