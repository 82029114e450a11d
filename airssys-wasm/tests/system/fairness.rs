//! Nobody is held up for long by others, whatever they do.

// Layer 1: Standard library imports
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, counts, guest, id, once, until};

const LOOP_MS: u64 = 1_500;

/// What 99 of 100 answers take at the most.
const USUAL: Duration = Duration::from_millis(100);

/// The longest that an answer may take, also where other programs want the processors too.
/// Who waits for a loop to end waits longer.
const LONGEST: Duration = Duration::from_millis(LOOP_MS / 2);

fn endless(config: &mut ComponentConfig) {
    once(config);
    config.limits.turn_wall_ms = LOOP_MS;
    config.limits.turn_fuel = u64::MAX;
}

async fn system() -> System {
    builder()
        .component_with("demo/loop", bytes("endless-loop"), endless)
        .component("demo/echo", &*guest("echo"))
        .component("demo/counter", &*guest("counter"))
        .start()
        .await
        .unwrap()
}

/// Asks until all loops have ended, and returns how long the answers took, in order.
async fn answers_beside(loops: usize) -> Vec<Duration> {
    let system = system().await;
    ask(&system, "demo/echo/a", "", "warm").await;
    for actor in 0..loops {
        system
            .send(&id(&format!("demo/loop/{actor}")), "", "")
            .await
            .unwrap();
    }
    let began = Instant::now();
    let mut took = Vec::new();
    while counts(&system, "demo/loop").buried < loops as u64 {
        assert!(began.elapsed() < Duration::from_secs(20), "the loops end");
        let asked = Instant::now();
        assert_eq!(ask(&system, "demo/echo/a", "", "hello").await, "hello");
        took.push(asked.elapsed());
    }
    assert!(began.elapsed() >= Duration::from_millis(LOOP_MS));
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_hold_up_nobody_be_they_as_many_as_cores_or_more() {
    let cores = available_parallelism().map_or(2, usize::from);
    for loops in [cores, 2 * cores] {
        let took = answers_beside(loops).await;
        let (p99, longest) = (took[took.len() * 99 / 100], took[took.len() - 1]);
        assert!(
            took.len() > 20,
            "{} answers beside {loops} loops",
            took.len()
        );
        assert!(p99 < USUAL, "{p99:?} beside {loops} loops");
        assert!(longest < LONGEST, "{longest:?} beside {loops} loops");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_start_beside_endless_loops() {
    let system = system().await;
    for actor in 0..4 {
        system
            .send(&id(&format!("demo/loop/{actor}")), "", "")
            .await
            .unwrap();
    }
    let mut longest = Duration::ZERO;
    for actor in 0..50 {
        let asked = Instant::now();
        ask(&system, &format!("demo/counter/{actor}"), "add", "1").await;
        longest = longest.max(asked.elapsed());
    }
    assert!(longest < LONGEST, "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_to_one_actor_does_not_starve_another() {
    const FLOOD: u64 = 10_000;
    let system = builder()
        .component_with("demo/counter", &*guest("counter"), |it| {
            it.limits.mailbox = FLOOD;
        })
        .component("demo/echo", &*guest("echo"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/echo/a", "", "warm").await;
    let flooded = id("demo/counter/a");
    for _ in 0..FLOOD {
        system.send(&flooded, "add", "1").await.unwrap();
    }
    let mut answers = 0;
    let mut longest = Duration::ZERO;
    while counts(&system, "demo/counter").handled < FLOOD {
        let asked = Instant::now();
        ask(&system, "demo/echo/a", "", "hello").await;
        longest = longest.max(asked.elapsed());
        answers += 1;
    }
    assert!(answers > 20, "{answers} answers meanwhile");
    assert!(longest < LONGEST, "{longest:?}");
    assert_eq!(
        ask(&system, "demo/counter/a", "get", "").await,
        FLOOD.to_string()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_has_looped_is_quick_again_afterwards() {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            endless(it);
            it.limits.turn_wall_ms = 200;
        })
        .start()
        .await
        .unwrap();
    for round in 1..=3 {
        system.send(&id("demo/loop/a"), "", "").await.unwrap();
        until("it has ended", || {
            counts(&system, "demo/loop").buried == round
        })
        .await;
    }
    assert!(system.shutdown().await.is_clean());
}
