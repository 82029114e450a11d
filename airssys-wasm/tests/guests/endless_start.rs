// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{DENSE, ENGINE, idle, limits};

#[tokio::test]
async fn limits_hold_while_an_instance_is_made() {
    for engine in [&*ENGINE, &*DENSE] {
        let settings = limits(Limits {
            turn_fuel: 100_000,
            ..Limits::default()
        });
        let mut actor = idle(engine, "endless-start", settings);
        let expected = LimitExceeded::beyond(Limit::TurnFuel, 100_000);
        assert_eq!(
            actor.activate().await,
            Err(WasmError::ResourceLimitExceeded(expected))
        );
        assert!(!actor.store.is_live());
        assert_eq!(actor.store.cost().fuel, 100_000);
    }
}
