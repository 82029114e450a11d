//! Turns that fail: tried again, given up, kept for an operator, and no neighbour's worry.

// Layer 1: Standard library imports
use std::time::{Duration, Instant};

// Layer 3: Internal module imports
use airssys_wasm::component::retry::RetryPolicy;
use airssys_wasm::core::delivery::dead_letter::DeathCause;
use airssys_wasm::core::event::Event;
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::system::error::{AskError, ControlError};
use airssys_wasm::system::handle::System;

use crate::support::{
    Watch, ask, at_once, builder, bytes, counts, guest, id, is_settled, once, settled, try_ask,
    until,
};

async fn counters(retry: RetryPolicy) -> System {
    builder()
        .component_with("demo/counter", &*guest("counter"), |it| it.retry = retry)
        .start()
        .await
        .unwrap()
}

/// The attempts that failed, by the kind of their message.
fn failures(events: &[Event]) -> Vec<(String, u32)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::TurnFailed { kind, attempt, .. } => Some((kind.clone(), *attempt)),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_tried_as_often_as_its_policy_says_with_pauses_that_grow() {
    let retry = RetryPolicy {
        attempts: 4,
        first_ms: 20,
        factor: 2.0,
        max_ms: 50,
        jitter: 0.0,
    };
    let system = counters(retry).await;
    for kind in ["add-then-trap", "add-then-retry"] {
        let mut watch = Watch::new(&system);
        let began = Instant::now();
        let failed = try_ask(&system, "demo/counter/a", kind, "1").await;
        assert!(matches!(failed, Err(AskError::Failed(_))), "{failed:?}");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(20 + 40 + 50), "{took:?}");
        let expected: Vec<_> = (1..=4).map(|attempt| (kind.to_owned(), attempt)).collect();
        assert_eq!(failures(&watch.so_far()), expected);
    }
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "0");
    let counts = settled(&system, "demo/counter").await;
    assert_eq!((counts.failed, counts.buried, counts.handled), (8, 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rejected_is_not_tried_again_and_is_no_failure() {
    let system = counters(at_once(5)).await;
    let mut watch = Watch::new(&system);
    let rejected = try_ask(&system, "demo/counter/a", "add-then-reject", "1").await;
    assert_eq!(rejected, Err(AskError::Rejected("1 is not to stay".into())));
    assert_eq!(failures(&watch.so_far()), []);
    let counts = settled(&system, "demo/counter").await;
    assert_eq!(
        (counts.rejected, counts.failed, counts.activated),
        (1, 0, 1)
    );
    assert_eq!(system.status().dead_letters, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_by_chance_is_handled_at_another_attempt() {
    let system = builder()
        .component_with("demo/ledger", &*guest("ledger"), |it| {
            it.retry = at_once(60);
        })
        .start()
        .await
        .unwrap();
    for number in 1..=20 {
        ask(&system, "demo/ledger/a", "flip", number.to_string()).await;
    }
    assert_eq!(ask(&system, "demo/ledger/a", "count", "").await, "20");
    let counts = settled(&system, "demo/ledger").await;
    assert!(counts.failed > 0, "one toss in two is tails");
    assert_eq!((counts.handled, counts.buried), (21, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_behind_wait_for_the_one_that_is_tried_again() {
    let system = counters(at_once(3)).await;
    let counter = id("demo/counter/a");
    for kind in ["add", "add-then-trap", "add", "add-then-retry", "add"] {
        system.send(&counter, kind, "1").await.unwrap();
    }
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "3");
    assert_eq!(counts(&system, "demo/counter").buried, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_tells_all_that_is_known() {
    let system = counters(at_once(2)).await;
    let mut watch = Watch::new(&system);
    ask(&system, "demo/counter/a", "add", "7").await;
    let error = try_ask(&system, "demo/counter/a", "add-then-trap", "3").await;
    let (number, reason) = watch
        .find(|event| match event {
            Event::DeadLetter { id, reason, .. } => Some((id, reason)),
            _ => None,
        })
        .await;
    assert_eq!(error, Err(AskError::Failed(reason.clone())));
    let letters = system.dead_letters(None, None, 10);
    assert_eq!(letters.len(), 1);
    let (dead, letter) = &letters[0];
    assert_eq!(dead.number(), number);
    assert_eq!(letter.reason.to_string(), reason);
    assert_eq!(letter.attempts, 2);
    assert_eq!(letter.letter.kind(), "add-then-trap");
    assert_eq!(letter.letter.to(), &id("demo/counter/a"));
    let DeathCause::Failed(WasmError::RuntimeError(fault)) = &letter.reason else {
        panic!("{:?}", letter.reason);
    };
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(
        fault
            .backtrace
            .iter()
            .any(|function| function.contains("handle-message")),
        "names of functions: {:?}",
        fault.backtrace
    );
    let turn = letter.turn.as_ref().expect("the turn");
    assert_eq!(turn.letter, letter.letter);
    assert_eq!(
        turn.learnt.keys["count"].as_deref(),
        Some(&b"7"[..]),
        "what it read"
    );
    assert!(turn.result.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_tried_again_and_dropped() {
    let system = counters(at_once(1)).await;
    for (actor, kind) in [
        ("a", "add-then-trap"),
        ("b", "add-then-trap"),
        ("a", "add-then-retry"),
    ] {
        let failed = try_ask(&system, &format!("demo/counter/{actor}"), kind, "1").await;
        assert!(failed.is_err());
    }
    let numbers = |to: Option<&str>| -> Vec<u64> {
        let letters = system.dead_letters(to, None, 10);
        letters.iter().map(|(id, _)| id.number()).collect()
    };
    assert_eq!(numbers(None), [1, 2, 3]);
    assert_eq!(numbers(Some("demo/counter")), [1, 2, 3]);
    assert_eq!(numbers(Some("demo/counter/a")), [1, 3]);
    assert_eq!(numbers(Some("demo/count")), [0_u64; 0]);
    let (first, _) = system.dead_letters(None, None, 1)[0];
    let after = system.dead_letters(None, Some(first), 1);
    assert_eq!(after[0].0.number(), 2);

    // It fails once more, and is another dead letter.
    system.retry_dead_letter(first).await.unwrap();
    until("it died again", || numbers(None) == [2, 3, 4]).await;
    assert_eq!(
        system.retry_dead_letter(first).await,
        Err(ControlError::NoDeadLetter(first))
    );
    let (second, _) = after[0];
    system.drop_dead_letter(second).await.unwrap();
    assert!(system.dead_letter(second).is_err());
    assert!(system.drop_dead_letter(second).await.is_err());
    assert_eq!(
        system.drop_dead_letters(Some("demo/counter/a")).await,
        Ok(2)
    );
    assert_eq!(system.status().dead_letters, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_handled_when_its_cause_is_gone() {
    let system = counters(at_once(1)).await;
    let counter = id("demo/counter/a");
    system.stop(&counter).unwrap();
    system.send(&counter, "add", "5").await.unwrap();
    let (dead, _) = system.dead_letters(None, None, 1)[0];
    system.resume(&"demo/counter/a".parse().unwrap()).unwrap();
    system.retry_dead_letter(dead).await.unwrap();
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "5");
    assert_eq!(system.status().dead_letters, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_dead_letters_are_kept_than_configured_and_the_oldest_go() {
    let system = builder()
        .component_with("demo/trap", bytes("unreachable"), once)
        .configure(|system| system.dead_letters = 5)
        .start()
        .await
        .unwrap();
    for actor in 0..12 {
        system
            .send(&id(&format!("demo/trap/{actor}")), "", "")
            .await
            .unwrap();
    }
    until("all have trapped", || {
        counts(&system, "demo/trap").buried == 12
    })
    .await;
    // The last one may be counted a moment before it is kept.
    until("the oldest are gone", || {
        let letters = system.dead_letters(None, None, 100);
        let numbers = letters.iter().map(|(id, _)| id.number());
        numbers.eq([8, 9, 10, 11, 12])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_failures_of_one_component_never_touch_another() {
    let hostile = [
        "unreachable",
        "deep-recursion",
        "memory-bomb",
        "table-bomb",
        "huge-result",
        "bad-pointer",
        "invalid-utf8",
        "endless-start",
    ];
    let mut building = builder().component("demo/counter", &*guest("counter"));
    for name in hostile {
        building = building.component_with(&format!("bad/{name}"), bytes(name), |it| {
            once(it);
            it.limits.turn_fuel = 20_000_000;
            it.limits.turn_wall_ms = 1_000;
        });
    }
    let system = building.start().await.unwrap();
    for round in 1..=5 {
        for name in hostile {
            let bad = id(&format!("bad/{name}/a"));
            system.send(&bad, "", "").await.unwrap();
        }
        let sum = ask(&system, "demo/counter/a", "add", "1").await;
        assert_eq!(sum, round.to_string());
    }
    for name in hostile {
        let component = format!("bad/{name}");
        until(name, || is_settled(counts(&system, &component))).await;
        assert_eq!(counts(&system, &component).buried, 5, "{name}");
    }
    assert_eq!(ask(&system, "demo/counter/a", "add", "1").await, "6");
    let good = settled(&system, "demo/counter").await;
    assert_eq!((good.activated, good.failed), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_does_not_start_fails_its_messages() {
    for init in ["fail", "trap"] {
        let system = builder()
            .component_with("demo/life", &*guest("lifecycle"), |it| {
                it.config.insert("init".into(), init.into());
                it.retry = at_once(2);
            })
            .start()
            .await
            .unwrap();
        let error = try_ask(&system, "demo/life/a", "get", "starts").await;
        let Err(AskError::Failed(why)) = error else {
            panic!("{error:?}");
        };
        assert!(why.starts_with("the actor did not start: "), "{why}");
        let (dead, letter) = &system.dead_letters(None, None, 1)[0];
        assert_eq!(letter.attempts, 2);
        assert_eq!(
            system.replay(*dead).await,
            Err(ControlError::NoTurn(*dead)),
            "it was never run"
        );
        let counts = settled(&system, "demo/life").await;
        assert_eq!((counts.activated, counts.failed), (0, 2));
    }
}
