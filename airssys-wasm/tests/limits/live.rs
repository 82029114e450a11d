//! How many actors of one component are live.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::system::error::StartError;
use airssys_wasm::system::handle::System;

use crate::support::{ask, builder, bytes, id, until};

fn live(system: &System, component: &str) -> usize {
    let actors = system.list();
    let own = actors
        .iter()
        .filter(|it| it.address.component() == component);
    own.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_takes_the_place_of_the_least_recently_used_of_its_component() {
    let system = builder()
        .component_with("demo/counter", bytes("counter"), |it| {
            it.limits.live_actors = 2;
        })
        .component("demo/echo", bytes("echo"))
        .start()
        .await
        .unwrap();
    ask(&system, "demo/echo/a", "", "").await;
    for (actor, count) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")] {
        let actor = format!("demo/counter/{actor}");
        assert_eq!(ask(&system, &actor, "add", "1").await, count);
        until("no more are live", || live(&system, "demo/counter") <= 2).await;
    }
    // Two may have left where room for one was wanted.
    assert!((1..=2).contains(&live(&system, "demo/counter")));
    assert_eq!(live(&system, "demo/echo"), 1, "it was used before them all");
    // What was passivated is as it was.
    for (actor, count) in [("b", "1"), ("a", "2"), ("c", "1")] {
        let actor = format!("demo/counter/{actor}");
        assert_eq!(ask(&system, &actor, "get", "").await, count);
    }
}

/// Two are busy, more wait until there is room, and then no more are accepted. Whoever is of
/// another component notices nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_wait_for_room_than_may() {
    const LIVE: u64 = 2;
    // As `component/room.rs` has it.
    const WAITING: usize = 2 * LIVE as usize + 1_024;
    let system = builder()
        .component_with("demo/busy", bytes("outsider"), |it| {
            it.limits.live_actors = LIVE;
            it.limits.turn_wall_ms = 120_000;
        })
        .component("demo/probe", bytes("probe"))
        .start()
        .await
        .unwrap();
    for number in 0..WAITING {
        let actor = id(&format!("demo/busy/{number}"));
        // A minute's sleep, which does not keep the test from its end.
        let work = r#"{"wait-ms": 60000}"#;
        system.send(&actor, "sleep", work).await.unwrap();
    }
    let refused = system.send(&id("demo/busy/late"), "work", "").await;
    let reason = refused.unwrap_err().reason;
    assert_eq!(reason, Refusal::TooManyLive { allowed: LIVE });
    assert_eq!(live(&system, "demo/busy"), WAITING);

    let send = json!({"target": "demo/busy/late", "kind": "work"}).to_string();
    let told = ask(&system, "demo/probe/a", "messaging.send", send).await;
    let words = "quota-exceeded: live_actors allows 2";
    assert!(told.contains(words), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_that_always_run_than_may_be_live_are_a_mistake() {
    for (run, is_fine) in [(1, true), (2, false)] {
        let started = builder()
            .component_with("demo/echo", bytes("echo"), |it| {
                it.run = (0..run).map(|number| number.to_string()).collect();
                it.limits.live_actors = 1;
            })
            .start()
            .await;
        match started {
            Ok(_) => assert!(is_fine),
            Err(StartError::Config(error)) => {
                assert!(!is_fine);
                let words = "`run` names 2 actors, and `live_actors` allows 1";
                assert!(error.to_string().ends_with(words), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
