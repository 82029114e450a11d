// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::runtime::errors::FaultKind;
use airssys_wasm::core::turn::effects::{Content, Outgoing};

use crate::support::{fault, start};

#[tokio::test]
async fn what_is_out_of_order_is_rejected_and_changes_nothing() {
    let mut ledger = start("ledger").await;
    for (kind, number, is_taken) in [
        ("next", "1", true),
        ("next", "1", false),
        ("next", "3", false),
        ("next", "2", true),
        ("later", "7", true),
        ("later", "7", false),
        ("later", "6", false),
        ("next", "8", true),
        ("next", "x", false),
    ] {
        let taken = ledger.ask(kind, number).await;
        assert_eq!(taken.is_ok(), is_taken, "{kind} {number}");
    }
    assert_eq!(ledger.ask("count", "").await.unwrap(), "4");
    assert_eq!(ledger.ask("last", "airssys/test/main").await.unwrap(), "8");
    assert_eq!(ledger.ask("last", "test/who/1").await.unwrap(), "0");
}

#[tokio::test]
async fn it_forwards_with_numbers_of_its_own() {
    let mut ledger = start("ledger").await;
    for (target, number) in [("test/a/1", "1"), ("test/b/1", "1"), ("test/a/1", "2")] {
        let report = ledger.turn("forward", format!("{target} later")).await;
        let effects = report.unwrap().effects;
        let sent = Outgoing::Send {
            to: target.parse().unwrap(),
            content: Content {
                kind: "later".into(),
                payload: MessagePayload::from(number),
            },
        };
        assert_eq!(effects.outgoing, [sent]);
        ledger.store.commit(effects);
    }
}

#[tokio::test]
async fn a_trap_leaves_no_trace() {
    let mut ledger = start("ledger").await;
    ledger.ask("next", "1").await.unwrap();
    assert_eq!(fault(ledger.ask("trap", "2").await), FaultKind::Unreachable);
    ledger.activate().await.unwrap();
    assert_eq!(ledger.ask("count", "").await.unwrap(), "1");
    // The seed of these turns is always the same, and so is the side of the coin.
    let up = ledger.ask("flip", "2").await.is_ok();
    let count = if up { "2" } else { "1" };
    ledger.activate().await.unwrap();
    assert_eq!(ledger.ask("count", "").await.unwrap(), count);
}
