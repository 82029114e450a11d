//! Guests that want all the memory there is.

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::error::StartError;

use crate::support::{ACTOR, HOSTILE, alone, failure, siege, siege_by, stopped_by};
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
