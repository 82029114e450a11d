// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::turn::report::TurnOutcome;

use crate::support::{DENSE, ENGINE, limits, settings, start, start_in, start_with};

#[tokio::test]
async fn replies_with_what_it_is_sent_in_every_profile() {
    for engine in [&*ENGINE, &*DENSE] {
        let mut echo = start_in(engine, "echo", settings()).await;
        for payload in [vec![], vec![0], vec![0xff; 1_000_000]] {
            let report = echo.turn("any", payload.clone()).await.unwrap();
            assert!(report.effects.is_empty());
            let TurnOutcome::Replied(Some(reply)) = report.outcome else {
                panic!("no reply");
            };
            assert_eq!(reply.as_bytes(), payload);
        }
    }
}

#[tokio::test]
async fn it_cannot_wait_and_so_runs_without_a_stack_of_its_own() {
    let echo = start("echo").await;
    assert!(!echo.store.component().may_suspend());
    assert!(start("caller").await.store.component().may_suspend());
}

#[tokio::test]
async fn every_turn_costs_fuel_of_its_own() {
    let mut echo = start("echo").await;
    echo.ask("k", "hello").await.unwrap();
    let first = echo.store.cost();
    echo.ask("k", "hello").await.unwrap();
    let second = echo.store.cost();
    assert!(first.fuel > 0);
    assert!(second.fuel <= first.fuel, "{second:?} after {first:?}");
    assert!(second.peak_memory_bytes >= 64 * 1024);
}

#[tokio::test]
async fn what_is_over_its_limit_is_refused_and_harms_nothing() {
    let mut echo = start_with(
        "echo",
        limits(Limits {
            message_bytes: 10,
            reply_bytes: 5,
            kind_bytes: 3,
            ..Limits::default()
        }),
    )
    .await;
    for (kind, bytes, limit, allowed, observed) in [
        ("k", 11, Limit::MessageBytes, 10, 11),
        ("k", 6, Limit::ReplyBytes, 5, 6),
        ("kind", 1, Limit::KindBytes, 3, 4),
    ] {
        assert_eq!(
            echo.ask(kind, vec![b'x'; bytes]).await,
            Err(WasmError::ResourceLimitExceeded(LimitExceeded {
                limit,
                allowed,
                observed,
            }))
        );
        assert_eq!(echo.ask("k", "hello").await.unwrap(), "hello");
    }
}
