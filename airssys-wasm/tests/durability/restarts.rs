//! Systems that end and start again.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use tempfile::TempDir;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::process::PATIENCE;
use crate::support::{ask, builder, guest, id};
use airssys_wasm::core::event::Event;
use airssys_wasm::system::handle::System;

async fn counters(data: &TempDir) -> System {
    let builder = builder(data.path()).component("demo/counter", guest("counter").as_str());
    builder.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_there_after_a_restart() {
    let data = TempDir::new().unwrap();
    let system = counters(&data).await;
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "2");
    system
        .send(&id("demo/counter/a"), "add", "3")
        .await
        .unwrap();
    assert!(system.shutdown().await.is_clean());
    drop(system);

    let system = counters(&data).await;
    assert_eq!(ask(&system, "demo/counter/a", "add", "1").await, "6");
    assert!(system.shutdown().await.is_clean());
}

/// Turns that are under way when the system ends are not taken for a failure of its store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_still_at_work_at_the_end_is_done_again() {
    let data = TempDir::new().unwrap();
    let start = async |turn_wall_ms| {
        let system = builder(data.path()).component_with(
            "demo/loop",
            guest("endless-loop").as_str(),
            |config| {
                config.retry.attempts = 1;
                config.limits.turn_wall_ms = turn_wall_ms;
                config.limits.turn_fuel = u64::MAX;
            },
        );
        system.start().await.unwrap()
    };
    let system = start(3_000).await;
    let mut events = system.subscribe_events();
    system.send(&id("demo/loop/a"), "", "").await.unwrap();
    let begins =
        async { while !matches!(events.recv().await.unwrap(), Event::Activated { .. }) {} };
    timeout(PATIENCE, begins).await.unwrap();
    let report = system.shutdown_within(Duration::ZERO).await;
    assert_eq!(report.busy_actors, ["demo/loop/a"]);
    assert_eq!(system.status().store_failure, None);
    drop(system);

    let system = start(500).await;
    let mut events = system.subscribe_events();
    let ends = async {
        // It may have ended before anybody looked.
        while system.status().dead_letters == 0 {
            drop(timeout(Duration::from_millis(10), events.recv()).await);
        }
    };
    timeout(PATIENCE, ends).await.unwrap();
    assert_eq!(system.status().store_failure, None);
    assert!(system.shutdown().await.is_clean());
}
