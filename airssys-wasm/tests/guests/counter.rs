// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};

use crate::support::{fault, limits, settings, start, start_with};

#[tokio::test]
async fn a_committed_turn_stays() {
    let mut counter = start("counter").await;
    assert_eq!(counter.ask("add", "2").await.unwrap(), "2");
    assert_eq!(counter.ask("add", "-5").await.unwrap(), "-3");
    assert_eq!(counter.ask("get", "").await.unwrap(), "-3");
}

#[tokio::test]
async fn a_turn_that_nobody_commits_leaves_no_trace() {
    let mut counter = start("counter").await;
    let report = counter.turn("add", "2").await.unwrap();
    assert_eq!(report.effects.writes.len(), 1);
    assert_eq!(counter.ask("get", "").await.unwrap(), "0");
}

#[tokio::test]
async fn a_failing_turn_leaves_no_trace() {
    let mut counter = start("counter").await;
    counter.ask("add", "1").await.unwrap();
    for (kind, expected) in [
        ("add-then-reject", FaultKind::Rejected),
        ("add-then-retry", FaultKind::RetryRequested),
    ] {
        assert!(counter.turn(kind, "10").await.unwrap().effects.is_empty());
        assert_eq!(fault(counter.ask(kind, "10").await), expected);
        assert_eq!(counter.ask("get", "").await.unwrap(), "1");
    }
    assert_eq!(
        fault(counter.ask("add-then-trap", "10").await),
        FaultKind::Unreachable
    );
    counter.activate().await.unwrap();
    assert_eq!(counter.ask("get", "").await.unwrap(), "1");
}

#[tokio::test]
async fn a_trap_names_the_functions_it_happened_in() {
    let mut counter = start("counter").await;
    let Err(WasmError::RuntimeError(fault)) = counter.ask("add-then-trap", "1").await else {
        panic!("it traps");
    };
    assert!(
        fault.backtrace.iter().any(|name| name.contains("handle")),
        "{:?}",
        fault.backtrace
    );
}

#[tokio::test]
async fn it_continues_from_the_state_of_an_earlier_instance() {
    let mut first = start("counter").await;
    first.ask("add", "41").await.unwrap();
    let component = first.store.component().clone();
    let keys = first.store.into_keys();

    let mut second = crate::support::ENGINE.store(&component, settings(), keys);
    second.activate(crate::support::context(1)).await.unwrap();
    let add = crate::support::message("add", "1");
    let report = second
        .handle_message(&add, crate::support::context(2))
        .await
        .unwrap();
    second.commit(report.effects);
    assert_eq!(second.keys().get("count").unwrap().as_ref(), b"42");
}

#[tokio::test]
async fn a_full_quota_is_the_guests_error_and_the_turn_fails_whole() {
    let mut counter = start_with(
        "counter",
        limits(Limits {
            storage_bytes: 6,
            ..Limits::default()
        }),
    )
    .await;
    assert_eq!(counter.ask("add", "9").await.unwrap(), "9");
    let Err(WasmError::RuntimeError(fault)) = counter.ask("add", "1").await else {
        panic!("two digits do not fit");
    };
    let exceeded = LimitExceeded::beyond(Limit::StorageBytes, 6);
    assert!(fault.reason.contains(&exceeded.to_string()), "{fault}");
    assert_eq!(counter.ask("get", "").await.unwrap(), "9");
}

#[tokio::test]
async fn an_unknown_kind_or_a_broken_payload_is_rejected_with_words() {
    let mut counter = start("counter").await;
    for (kind, payload, words) in [
        ("subtract", "1", "unknown kind `subtract`"),
        ("add", "one", "no decimal number"),
        ("add", "99999999999999999999", "no decimal number"),
    ] {
        let Err(WasmError::RuntimeError(fault)) = counter.ask(kind, payload).await else {
            panic!("{kind} {payload} is rejected");
        };
        assert_eq!(fault.kind, FaultKind::Rejected);
        assert!(fault.reason.contains(words), "{fault}");
    }
    let not_text = counter.ask("add", vec![0xff, 0xfe]).await;
    assert_eq!(fault(not_text), FaultKind::Rejected);
}
