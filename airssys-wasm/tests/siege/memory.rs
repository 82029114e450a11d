//! Guests that want all the memory there is.

// Layer 2: Third-party crate imports
use tokio::task::JoinSet;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::error::{AskError, StartError};
use airssys_wasm::system::handle::System;

use crate::support::{ACTOR, HOSTILE, alone, ask, failure, siege, siege_by, stopped_by, try_ask};
use crate::wat::{guest, handling};

fn eight_mib(component: &mut ComponentConfig) {
    component.limits.memory_bytes = 8 << 20;
}

#[test]
fn a_memory_grows_to_its_limit() {
    let _alone = alone();
    siege_by(guest("memory-bomb"), eight_mib, async |system| {
        stopped_by(system, Limit::MemoryBytes).await;
    });
}

#[test]
fn tables_count_as_memory() {
    let _alone = alone();
    siege_by(
        guest("table-bomb"),
        |it| it.limits.memory_bytes = 200_000,
        async |system| stopped_by(system, Limit::MemoryBytes).await,
    );
}

/// The engine's own room for a table is smaller than what this component may have.
#[test]
fn a_table_is_no_larger_than_the_engine_has_room_for() {
    let _alone = alone();
    siege(
        |it| pooled(it).component(HOSTILE, guest("table-bomb")),
        async |system| stopped_by(system, Limit::TableElements).await,
    );
}

/// The engine has room for what the components may have that it is started with. One that
/// is added later may have more, and does not get it in one memory.
#[test]
fn a_memory_is_no_larger_than_the_engine_has_room_for() {
    let _alone = alone();
    siege(pooled, async |system| {
        let mut config = ComponentConfig::new(HOSTILE.parse().expect("a name"));
        config.limits.memory_bytes = 256 << 20;
        config.idle_ms = 20;
        config.retry.attempts = 1;
        match system.deploy(config, guest("memory-bomb")).await {
            Ok(_) | Err(StartError::Exists(_)) => {}
            Err(error) => panic!("{error}"),
        }
        stopped_by(system, Limit::LinearMemoryBytes).await;
    });
}

fn pooled(building: SystemBuilder) -> SystemBuilder {
    building.configure(|system| system.memory = MemoryLayout::Throughput)
}

/// Each of them small, and together more than is allowed: in a component there are as many
/// memories as it has modules.
#[test]
fn many_memories_count_together() {
    let _alone = alone();
    let memories: String = (0..20)
        .map(|number| format!("(memory $m{number} 8)\n"))
        .collect();
    let grow: String = (0..20)
        .map(|number| format!("(drop (memory.grow $m{number} (i32.const 8)))\n"))
        .collect();
    let body = format!("{grow} (unreachable)");
    let many = handling(&format!("(memory (export \"memory\") 2) {memories}"), &body);
    siege_by(
        many.clone(),
        |it| it.limits.memory_bytes = 15 << 20,
        async |system| stopped_by(system, Limit::MemoryBytes).await,
    );
    // Before the first instruction, they are too large already.
    siege_by(
        many,
        |it| it.limits.memory_bytes = 5 << 20,
        async |system| stopped_by(system, Limit::MemoryBytes).await,
    );
}

/// A component that asks for a memory of 4 GiB at once.
#[test]
fn a_memory_is_no_larger_to_begin_with() {
    let _alone = alone();
    let large = handling(r#"(memory (export "memory") 65536)"#, "(unreachable)");
    siege_by(
        large,
        |_| {},
        async |system| {
            stopped_by(system, Limit::MemoryBytes).await;
        },
    );
    let large = handling("(table 4000000000 funcref)", "(unreachable)");
    siege_by(
        large,
        |_| {},
        async |system| {
            let why = failure(system, ACTOR, "", "").await;
            assert!(why.contains(" allows "), "{why}");
        },
    );
}

const HOARDER: &str = "evil/hoarder";

/// Takes 3 MiB with each turn, and keeps them for a while.
fn hoarder() -> Vec<u8> {
    handling(
        r#"(import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration"
             (func $after (param i64) (result i32)))
           (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
           (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop (param i32)))
           (global $pollable (mut i32) (i32.const 0))"#,
        "(if (i32.eq (memory.grow (i32.const 48)) (i32.const -1)) (then (unreachable)))
         (global.set $pollable (call $after (i64.const 50000000)))
         (call $block (global.get $pollable))
         (call $drop (global.get $pollable))
         (i32.const 4096)",
    )
}

/// Asks so many hoarders at once, until all have answered or were stopped by a limit. In the
/// meantime nobody sees that there is more than is allowed.
async fn hoard(system: &System, allowed: u64, limit: Limit) {
    let mut asking = JoinSet::new();
    for number in 0..20 {
        let system = system.clone();
        let to = format!("{HOARDER}/{number}");
        asking.spawn(async move { try_ask(&system, &to, "", "").await });
    }
    let mut answered = 0;
    while let Some(asked) = asking.join_next().await {
        let status = system.status();
        let used: u64 = status.components.iter().map(|it| it.memory_bytes).sum();
        assert!(used <= allowed, "{used}");
        match asked.expect("it is told") {
            Ok(_) => answered += 1,
            Err(AskError::Failed(why)) => {
                assert!(why.contains(&format!("{limit} allows ")), "{why}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(answered > 0, "some have room");
}

/// What is too much for all of them is too much for one as well.
#[test]
fn all_actors_of_a_component_have_so_much_memory_together() {
    const ALLOWED: u64 = 16 << 20;
    let _alone = alone();
    let prepare = |building: SystemBuilder| {
        let allow = |it: &mut ComponentConfig| it.limits.total_memory_bytes = ALLOWED;
        let building = building.component_with(HOSTILE, guest("memory-bomb"), allow);
        building.component_with(HOARDER, hoarder(), allow)
    };
    siege(prepare, async |system| {
        stopped_by(system, Limit::TotalMemoryBytes).await;
        hoard(system, 2 * ALLOWED, Limit::TotalMemoryBytes).await;
    });
}

/// One component takes all that is for all. What is kept for another is enough for it.
#[test]
fn actors_of_all_components_have_so_much_memory_together() {
    const ALLOWED: u64 = 48 << 20;
    let _alone = alone();
    let prepare = |building: SystemBuilder| {
        let building = building.configure(|it| it.max_memory_bytes = Some(ALLOWED));
        let building = building.component(HOSTILE, guest("memory-bomb"));
        let building = building.component(HOARDER, hoarder());
        building.component("evil/other", guest("echo"))
    };
    siege(prepare, async |system| {
        stopped_by(system, Limit::MaxMemoryBytes).await;
        let hoarding = hoard(system, ALLOWED, Limit::MaxMemoryBytes);
        tokio::join!(hoarding, async {
            for _ in 0..20 {
                assert_eq!(ask(system, "evil/other/a", "", "here").await, "here");
            }
        });
    });
}
