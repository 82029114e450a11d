//! Nobody is held up for long by others, whatever they do.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::support::{PATIENCE, ask, builder, bytes, counts, guest, id, once, until};

/// What every other answer takes at the most. The slowest are slow where other programs want
/// the processors too.
const USUAL: Duration = Duration::from_millis(100);

fn endless(turn_wall_ms: u64) -> impl Fn(&mut ComponentConfig) {
    move |config| {
        once(config);
        config.limits.turn_wall_ms = turn_wall_ms;
        config.limits.turn_fuel = u64::MAX;
    }
}

/// What half of the answers took at the most.
fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

/// A system in which so many loops have begun that last for so long.
async fn with_loops(loops: usize, loop_ms: u64) -> System {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), endless(loop_ms))
        .component("demo/echo", &*guest("echo"))
        .component("demo/counter", &*guest("counter"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/echo/a", "", "warm").await;
    for actor in 0..loops {
        system
            .send(&id(&format!("demo/loop/{actor}")), "", "")
            .await
            .unwrap();
    }
    system
}

/// Asks until the first loop has ended, and returns how long each answer took.
async fn answers_beside(loops: usize) -> Vec<Duration> {
    const LOOP_MS: u64 = 1_500;
    let began = Instant::now();
    let system = with_loops(loops, LOOP_MS).await;
    let mut took = Vec::new();
    while counts(&system, "demo/loop").buried == 0 {
        let asked = Instant::now();
        assert_eq!(ask(&system, "demo/echo/a", "", "hello").await, "hello");
        took.push(asked.elapsed());
        assert!(began.elapsed() < PATIENCE, "the loops end");
    }
    assert!(began.elapsed() >= Duration::from_millis(LOOP_MS));
    until("all of them end", || {
        counts(&system, "demo/loop").buried == loops as u64
    })
    .await;
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_hold_up_nobody_be_they_as_many_as_cores_or_more() {
    let cores = available_parallelism().map_or(2, usize::from);
    for loops in [cores, 2 * cores] {
        let took = answers_beside(loops).await;
        assert!(
            took.len() > 20,
            "{} answers beside {loops} loops",
            took.len()
        );
        let took = median(took);
        assert!(took < USUAL, "{took:?} beside {loops} loops");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_start_beside_endless_loops() {
    let system = with_loops(4, 3_000).await;
    let mut took = Vec::new();
    while took.len() < 50 && counts(&system, "demo/loop").buried == 0 {
        let asked = Instant::now();
        ask(&system, &format!("demo/counter/{}", took.len()), "add", "1").await;
        took.push(asked.elapsed());
    }
    assert!(took.len() > 10, "{} actors before a loop ended", took.len());
    let took = median(took);
    assert!(took < USUAL, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_to_one_actor_does_not_starve_another() {
    const FLOOD: u64 = 10_000;
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .component("demo/echo", &*guest("echo"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/echo/a", "", "warm").await;
    let (sent, is_over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let flood = tokio::spawn(flood(
        system.clone(),
        Arc::clone(&sent),
        Arc::clone(&is_over),
    ));
    let mut took = Vec::new();
    while took.len() < 50 || sent.load(Ordering::Relaxed) < FLOOD {
        let asked = Instant::now();
        ask(&system, "demo/echo/a", "", "hello").await;
        took.push(asked.elapsed());
        assert!(!flood.is_finished(), "it goes on");
    }
    is_over.store(true, Ordering::Relaxed);
    flood.await.unwrap();
    let took = median(took);
    assert!(took < USUAL, "{took:?}");
    let sent = sent.load(Ordering::Relaxed);
    until("all are handled", || {
        counts(&system, "demo/counter").handled == sent
    })
    .await;
    assert_eq!(
        ask(&system, "demo/counter/a", "get", "").await,
        sent.to_string()
    );
}

/// Sends to one actor as fast as it takes them, and counts what it sends.
async fn flood(system: System, sent: Arc<AtomicU64>, is_over: Arc<AtomicBool>) {
    let flooded = id("demo/counter/a");
    while !is_over.load(Ordering::Relaxed) {
        let message = system.message(&flooded, "add", "1");
        system.send_when_space(message, PATIENCE).await.unwrap();
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_has_looped_is_quick_again_afterwards() {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), endless(200))
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
