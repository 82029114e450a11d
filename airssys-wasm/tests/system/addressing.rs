//! Virtual actors: there when a message comes, gone when idle, and the same afterwards.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 3: Internal module imports
use airssys_wasm::component::cell::Phase;
use airssys_wasm::component::supervision::restart::Restart;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::event::Event;
use airssys_wasm::system::error::{AskError, ControlError};

use crate::support::{
    Watch, activations, ask, builder, counts, from, guest, id, is_settled, until, until_reply,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_message_activates_and_each_instance_has_its_own_state() {
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .start()
        .await
        .unwrap();
    assert!(system.list().is_empty(), "an address costs nothing");
    let alice = system.inspect(&id("demo/counter/alice")).unwrap();
    assert_eq!((alice.phase, alice.version), (None, None));

    let mut watch = Watch::new(&system);
    assert_eq!(ask(&system, "demo/counter/alice", "add", "2").await, "2");
    assert_eq!(ask(&system, "demo/counter/alice", "add", "3").await, "5");
    assert_eq!(ask(&system, "demo/counter/bob", "add", "1").await, "1");
    assert_eq!(
        activations(&watch.so_far()),
        ["demo/counter/alice", "demo/counter/bob"]
    );
    let live: Vec<String> = system
        .list()
        .iter()
        .map(|a| a.address.to_string())
        .collect();
    assert_eq!(live, ["demo/counter/alice", "demo/counter/bob"]);
    let alice = system.inspect(&id("demo/counter/alice")).unwrap();
    assert_eq!(alice.phase, Some(Phase::Ready));
    assert_eq!(alice.version.unwrap().label, "0.1.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_actor_is_passivated_and_goes_on_where_it_was() {
    let system = builder()
        .component_with("demo/life", &*guest("lifecycle"), |life| life.idle_ms = 20)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    // One question in each life, since the next one may come when that is over.
    for (key, is) in [("starts", "1"), ("stops", "1"), ("starts", "3")] {
        assert_eq!(ask(&system, "demo/life/a", "get", key).await, is, "{key}");
        watch.passivated("demo/life/a").await;
        until("it is gone", || system.list().is_empty()).await;
    }
    assert_eq!(counts(&system, "demo/life").activated, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_actors_are_live_than_allowed_and_all_answer() {
    const ACTORS: u64 = 100;
    const ROUNDS: u64 = 3;
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .configure(|system| system.max_live_actors = 4)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    let mut most = 0;
    let mut live = BTreeSet::new();
    for round in 1..=ROUNDS {
        for actor in 0..ACTORS {
            let address = format!("demo/counter/{actor}");
            assert_eq!(ask(&system, &address, "add", "1").await, round.to_string());
            for event in watch.so_far() {
                match event {
                    Event::Activated { actor, .. } => live.insert(actor),
                    Event::Passivated { actor } => live.remove(&actor),
                    _ => false,
                };
                most = most.max(live.len());
            }
        }
    }
    assert_eq!(most, 4);
    assert_eq!(counts(&system, "demo/counter").activated, ACTORS * ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_at_once_finds_room_one_after_the_other() {
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .configure(|system| system.max_live_actors = 4)
        .start()
        .await
        .unwrap();
    for actor in 0..60 {
        let to = id(&format!("demo/counter/{actor}"));
        system.send(&to, "add", "1").await.unwrap();
        system.send(&to, "add", "2").await.unwrap();
    }
    until("all is handled", || {
        let counts = counts(&system, "demo/counter");
        counts.handled == 120 && is_settled(counts)
    })
    .await;
    assert_eq!(ask(&system, "demo/counter/59", "get", "").await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_recently_used_makes_room() {
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .component("demo/echo", &*guest("echo"))
        .configure(|system| system.max_live_actors = 3)
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    let mut last_ms = 0;
    for to in [
        "demo/counter/a",
        "demo/echo/b",
        "demo/counter/c",
        "demo/counter/a",
    ] {
        // Uses are told apart by the millisecond.
        until("the clock moved on", || system.status().uptime_ms > last_ms).await;
        system.ask(&id(to), "get", "").await.unwrap();
        last_ms = system.status().uptime_ms;
    }
    ask(&system, "demo/counter/d", "get", "").await;
    let gone: Vec<Event> = watch.so_far();
    let gone: Vec<&str> = gone
        .iter()
        .filter_map(|event| match event {
            Event::Passivated { actor } => Some(actor.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(gone, ["demo/echo/b"], "`a` was used again, and is younger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_that_always_run_start_with_the_system_and_stay() {
    let system = builder()
        .component_with("demo/life", &*guest("lifecycle"), |life| {
            life.run = vec!["main".into(), "spare".into()];
            life.idle_ms = 1;
        })
        .component_with("demo/echo", &*guest("echo"), |echo| echo.idle_ms = 1)
        .start()
        .await
        .unwrap();
    until("both are ready", || {
        let ready = |name| {
            let phase = system.inspect(&id(name)).unwrap().phase;
            phase == Some(Phase::Ready)
        };
        ready("demo/life/main") && ready("demo/life/spare")
    })
    .await;
    // What is passivated in the same sweep shows that they were left out.
    let mut watch = Watch::new(&system);
    for _ in 0..2 {
        ask(&system, "demo/echo/a", "", "").await;
        watch.passivated("demo/echo/a").await;
    }
    assert_eq!(ask(&system, "demo/life/main", "get", "starts").await, "1");
    assert_eq!(ask(&system, "demo/life/main", "get", "stops").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawn_activates_without_a_message_and_tells_why_not() {
    let system = builder()
        .component("demo/life", &*guest("lifecycle"))
        .component_with("demo/never", &*guest("lifecycle"), |never| {
            never.config.insert("init".into(), "fail".into());
            never.restart = Restart::Temporary;
        })
        .start()
        .await
        .unwrap();
    system.spawn(&id("demo/life/a")).await.unwrap();
    assert_eq!(counts(&system, "demo/life").activated, 1);
    system.spawn(&id("demo/life/a")).await.unwrap();
    assert_eq!(ask(&system, "demo/life/a", "get", "starts").await, "1");

    let failed = system.spawn(&id("demo/never/a")).await;
    assert!(
        matches!(&failed, Err(ControlError::NotStarted { actor, .. }) if actor == "demo/never/a"),
        "{failed:?}"
    );
    assert_eq!(
        system.spawn(&id("demo/nobody/a")).await,
        Err(ControlError::Refused(Refusal::UnknownTarget))
    );
    assert_eq!(
        system.inspect(&id("demo/nobody/a")),
        Err(ControlError::NoComponent("demo/nobody".into()))
    );
    assert_eq!(
        system.ask(&id("demo/nobody/a"), "", "").await,
        Err(AskError::Refused(Refusal::UnknownTarget))
    );
    let refused = system
        .send(&id("demo/nobody/a"), "hello", "you")
        .await
        .unwrap_err();
    assert_eq!(refused.reason, Refusal::UnknownTarget);
    assert_eq!(refused.message.payload().as_bytes(), b"you");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passivation_between_messages_loses_and_doubles_none() {
    let system = builder()
        .component_with("demo/ledger", &*guest("ledger"), |ledger| {
            ledger.idle_ms = 1;
        })
        .configure(|system| system.max_live_actors = 2)
        .start()
        .await
        .unwrap();
    let names = ["a", "b", "c", "d", "e"].map(|name| id(&format!("demo/ledger/{name}")));
    for number in 1..=200 {
        for to in &names {
            let message = from("test/sender/1", to, "next", &number.to_string());
            system.send_message(message).await.unwrap();
        }
        if number % 20 == 0 {
            // Time for some of them to be passivated.
            let to = names[number % 5].as_str();
            until_reply(&system, to, "count", "", &number.to_string()).await;
        }
    }
    for to in &names {
        until_reply(&system, to.as_str(), "count", "", "200").await;
    }
    assert_eq!(counts(&system, "demo/ledger").rejected, 0);
}

#[tokio::test]
async fn a_system_runs_on_a_runtime_of_one_thread_too() {
    let system = builder()
        .component("demo/counter", &*guest("counter"))
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "2");
    assert!(system.shutdown().await.is_clean());
}
