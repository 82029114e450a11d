//! Guests that never end.

// Layer 2: Third-party crate imports
use tokio::join;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::config::component::ComponentConfig;

use crate::support::{ACTOR, alone, failure, siege_by, stopped_by};
use crate::wat::{guest, handling};

fn until_the_deadline(component: &mut ComponentConfig) {
    component.limits.turn_fuel = u64::MAX;
    component.limits.turn_wall_ms = 150;
}

#[test]
fn a_loop_ends_with_its_fuel() {
    let _alone = alone();
    siege_by(
        guest("endless-loop"),
        |it| it.limits.turn_fuel = 5_000_000,
        async |system| stopped_by(system, Limit::TurnFuel).await,
    );
}

/// More of them than there are processors.
#[test]
fn loops_end_at_their_deadline() {
    let _alone = alone();
    siege_by(guest("endless-loop"), until_the_deadline, async |system| {
        let ask = async |actor| {
            let actor = format!("evil/hostile/{actor}");
            let why = failure(system, &actor, "", "").await;
            assert!(why.contains("turn_wall_ms allows 150"), "{why}");
        };
        join!(ask(1), ask(2), ask(3), ask(4));
    });
}

#[test]
fn a_start_that_never_ends_is_stopped_before_the_first_message() {
    let _alone = alone();
    siege_by(
        guest("endless-start"),
        |it| it.limits.turn_fuel = 5_000_000,
        async |system| stopped_by(system, Limit::TurnFuel).await,
    );
    siege_by(guest("endless-start"), until_the_deadline, async |system| {
        let why = failure(system, ACTOR, "", "").await;
        assert!(why.contains("turn_wall_ms allows 150"), "{why}");
    });
}

/// One instruction that writes 32 MiB costs a unit of fuel, or is charged for what it does.
#[test]
fn instructions_that_do_much_at_once_end_at_the_deadline() {
    let _alone = alone();
    let fill = handling(
        r#"(memory (export "memory") 512)"#,
        "(loop $again
           (memory.fill (i32.const 0) (i32.const 7) (i32.const 33554432))
           (memory.copy (i32.const 0) (i32.const 16777216) (i32.const 16777216))
           (br $again))
         (unreachable)",
    );
    siege_by(fill, until_the_deadline, async |system| {
        let why = failure(system, ACTOR, "", "").await;
        assert!(why.contains("turn_wall_ms allows 150"), "{why}");
    });
}
