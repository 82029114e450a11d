// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::FaultKind;
use airssys_wasm::core::turn::call::{CallOutcome, Reply};
use airssys_wasm::core::turn::effects::{Effects, Outgoing};
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::report::TurnOutcome;

use crate::support::{Actor, context, fault, limits, start, start_with};

async fn opened(amount: &str) -> Actor {
    let mut account = start("account").await;
    account.ask("open", format!("{amount} 0")).await.unwrap();
    account
}

/// What the account says of one thing.
async fn line(account: &mut Actor, what: &str) -> String {
    let statement = account.ask("statement", "").await.unwrap();
    let found = statement.lines().find_map(|line| line.strip_prefix(what));
    found.unwrap_or_default().trim().to_owned()
}

/// What it sends, as `kind payload`.
fn sent(effects: &Effects) -> Vec<String> {
    let contents = effects.outgoing.iter().filter_map(Outgoing::content);
    let words = contents.map(|content| {
        let payload = String::from_utf8_lossy(content.payload.as_bytes());
        format!("{} {payload}", content.kind)
    });
    words.collect()
}

/// A turn of a message that another account sent, and what it sends.
async fn from_bob(account: &mut Actor, kind: &str, payload: &str) -> (TurnOutcome, Vec<String>) {
    let bob = ComponentId::new("test", "guest", "bob");
    let to = ComponentId::new("test", "guest", "one");
    let message = ComponentMessage::new(bob, to, kind.into(), payload.into());
    let turn = account.store.handle_message(&message, context(50)).await;
    let report = turn.unwrap();
    let sends = sent(&report.effects);
    account.store.commit(report.effects);
    (report.outcome, sends)
}

async fn answered(account: &mut Actor, correlation: u64, outcome: CallOutcome) -> Vec<String> {
    let reply = Reply {
        correlation,
        outcome,
    };
    let turn = account.store.handle_callback(&reply, context(60)).await;
    let report = turn.unwrap();
    let sends = sent(&report.effects);
    account.store.commit(report.effects);
    sends
}

/// Has it ask another account to take an amount, and returns the correlation.
async fn asks(account: &mut Actor, order: &str) -> u64 {
    let report = account.turn("transfer-asking", order).await.unwrap();
    let [Outgoing::Request { correlation, .. }] = report.effects.outgoing[..] else {
        panic!("one request: {:?}", report.effects);
    };
    account.store.commit(report.effects);
    correlation
}

#[tokio::test]
async fn money_is_taken_here_and_sent_there() {
    let mut account = opened("100").await;
    let report = account
        .turn("transfer", "c-1 test/guest/bob 30")
        .await
        .unwrap();
    assert_eq!(sent(&report.effects), ["deposit 1 30"]);
    account.store.commit(report.effects);
    let refused = account.ask("transfer", "c-2 test/guest/bob 71").await;
    assert_eq!(fault(refused), FaultKind::Rejected);
    assert_eq!(line(&mut account, "balance").await, "70");
    assert_eq!(line(&mut account, "to").await, "test/guest/bob 1 1 30");
    assert_eq!(account.ask("transfers", "").await.unwrap(), "c-1 1\n");

    from_bob(&mut account, "deposit", "1 5").await;
    from_bob(&mut account, "deposit", "2 5").await;
    assert_eq!(line(&mut account, "balance").await, "80");
    assert_eq!(line(&mut account, "from").await, "test/guest/bob 2 2 10");
    assert_eq!(line(&mut account, "disorder").await, "0");
    from_bob(&mut account, "deposit", "2 5").await;
    account
        .ask("transfer", "c-1 test/guest/bob 1")
        .await
        .unwrap();
    assert_eq!(line(&mut account, "disorder").await, "2");
    assert_eq!(account.ask("transfers", "").await.unwrap(), "c-1 2\n");
    assert!(account.ask("open", "1 0").await.is_err());
}

#[tokio::test]
async fn what_another_is_asked_to_take_is_taken_or_comes_back() {
    let mut account = opened("100").await;
    let taken = asks(&mut account, "c-1 test/guest/bob 10").await;
    let refused = asks(&mut account, "c-2 test/guest/bob 20").await;
    assert_eq!(line(&mut account, "balance").await, "70");
    assert_eq!(line(&mut account, "asking").await, "30");
    answered(&mut account, taken, Ok(None)).await;
    let no = Err(CallError::Rejected("no".into()));
    answered(&mut account, refused, no).await;
    assert_eq!(line(&mut account, "balance").await, "90");
    assert_eq!(line(&mut account, "asking").await, "0");
    assert_eq!(line(&mut account, "to").await, "test/guest/bob 2 1 10");

    let (outcome, _) = from_bob(&mut account, "deposit-asked", "1 7").await;
    assert!(matches!(outcome, TurnOutcome::Rejected(_)), "{outcome:?}");
    let (outcome, _) = from_bob(&mut account, "deposit-asked", "2 8").await;
    assert_eq!(outcome, TurnOutcome::Replied(None));
    assert_eq!(line(&mut account, "balance").await, "98");
}

#[tokio::test]
async fn after_a_timeout_it_inquires_what_has_become_of_the_money() {
    let mut account = opened("100").await;
    for (last, how, balance) in [(1, "taken", "90"), (2, "not-taken", "90")] {
        let order = format!("c-{last} test/guest/bob 10");
        let asked = asks(&mut account, &order).await;
        let timeout = Err(CallError::Host(HostError::Timeout));
        let inquiry = answered(&mut account, asked, timeout).await;
        assert_eq!(inquiry, [format!("inquire {last}")]);
        assert_eq!(line(&mut account, "doubt").await, "10");
        from_bob(&mut account, "settled", &format!("{last} {how}")).await;
        assert_eq!(line(&mut account, "doubt").await, "0");
        assert_eq!(line(&mut account, "balance").await, balance);
    }
    from_bob(&mut account, "deposit-asked", "1 8").await;
    for (last, answer) in [("1", "settled 1 taken"), ("2", "settled 2 not-taken")] {
        let (_, sends) = from_bob(&mut account, "inquire", last).await;
        assert_eq!(sends, [answer]);
    }
}

#[tokio::test]
async fn its_timer_sets_itself_again() {
    let mut account = start("account").await;
    for (kind, payload) in [("open", "100 20"), ("tick", "20"), ("tick", "20")] {
        let report = account.turn(kind, payload).await.unwrap();
        let [
            Outgoing::SendAfter {
                delay_ms: 20,
                content,
                ..
            },
        ] = &report.effects.outgoing[..]
        else {
            panic!("one timer: {:?}", report.effects);
        };
        assert_eq!(content.payload, MessagePayload::new("20"));
        account.store.commit(report.effects);
    }
    assert_eq!(line(&mut account, "ticks").await, "2");
}

#[tokio::test]
async fn it_wants_an_order_again_once() {
    let mut account = opened("100").await;
    for id in ["c-1", "c-2"] {
        let order = format!("{id} test/guest/bob 10");
        let first = account.ask("transfer-retrying", order.clone()).await;
        assert_eq!(fault(first), FaultKind::RetryRequested);
        account.ask("transfer-retrying", order).await.unwrap();
    }
    assert_eq!(line(&mut account, "balance").await, "80");
}

#[tokio::test]
async fn it_fails_as_it_is_told_to_and_nothing_happens() {
    let narrow = Limits {
        turn_fuel: 10_000_000,
        memory_bytes: 8 << 20,
        storage_bytes: 64 << 10,
        ..Limits::default()
    };
    for how in ["trap", "reject", "retry", "spin", "grow", "hoard"] {
        let mut account = start_with("account", limits(narrow.clone())).await;
        account.ask("open", "100 0").await.unwrap();
        let kind = format!("transfer-then-{how}");
        let failed = account.ask(&kind, "c-1 test/guest/bob 10").await;
        assert!(failed.is_err(), "{how}: {failed:?}");
        if !account.store.is_live() {
            account.activate().await.unwrap();
        }
        assert_eq!(line(&mut account, "balance").await, "100", "{how}");
        assert_eq!(line(&mut account, "to").await, "", "{how}");
    }
}
