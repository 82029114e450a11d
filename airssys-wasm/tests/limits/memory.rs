//! How much memory the actors of one component have together.

// Layer 3: Internal module imports
use airssys_wasm::component::cell::Phase;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, until};

/// What three counters fit into, and four do not: each has two pages, a table and its state.
const ROOM_FOR_THREE: u64 = 450_000;

fn memory(system: &System) -> u64 {
    system.status().components[0].memory_bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_takes_the_memory_of_the_least_recently_used() {
    let system = builder()
        .component_with("demo/counter", bytes("counter"), |it| {
            it.limits.total_memory_bytes = ROOM_FOR_THREE;
        })
        .start()
        .await
        .unwrap();
    for count in ["1", "2"] {
        for number in 0..10 {
            let actor = format!("demo/counter/{number}");
            assert_eq!(ask(&system, &actor, "add", "1").await, count);
            assert!(memory(&system) <= ROOM_FOR_THREE);
        }
    }
    until("who was asked last is there", || {
        let live = system
            .list()
            .iter()
            .filter(|it| it.phase == Some(Phase::Ready))
            .count();
        (1..=3).contains(&live)
    })
    .await;
    assert!(memory(&system) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_counts_while_its_actor_is_live() {
    let system = builder()
        .component_with("demo/probe", bytes("probe"), |it| it.idle_ms = 20)
        .start()
        .await
        .unwrap();
    ask(&system, "demo/probe/a", "script", "[]").await;
    let without = memory(&system);
    let value = "v".repeat(100_000);
    let set = serde_json::json!([["storage.set", {"key": "k", "value": value}]]);
    ask(&system, "demo/probe/a", "script", set.to_string()).await;
    let with = memory(&system);
    assert!(with >= without + 100_000, "{with} after {without}");
    until("it was passivated", || memory(&system) == 0).await;
}
