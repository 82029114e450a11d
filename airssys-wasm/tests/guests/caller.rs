// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::turn::call::{Call, CallOutcome};
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::surroundings::{PendingOutcome, Surroundings};
use airssys_wasm::runtime::settings::InstanceSettings;

use crate::support::{Actor, DENSE, ENGINE, context, fault, message, settings, start, start_in};

fn call(timeout_ms: u32) -> String {
    json!({"target": "test/bob/1", "kind": "hi", "text": "you", "timeout_ms": timeout_ms})
        .to_string()
}

/// Hands calls to a test.
#[derive(Debug)]
struct Port(mpsc::Sender<PendingCall>);

/// A call whose caller waits.
#[derive(Debug)]
struct PendingCall {
    call: Call,
    reply: oneshot::Sender<CallOutcome>,
}

impl Surroundings for Port {
    fn admit(
        &self,
        _actor: &ComponentId,
        _target: &ComponentId,
        _bytes: u64,
    ) -> Result<(), HostError> {
        Ok(())
    }

    fn components(&self) -> Arc<[String]> {
        Arc::default()
    }

    fn call(&self, call: Call) -> PendingOutcome<'_> {
        Box::pin(async move {
            let gone = |_| CallError::Host(HostError::Unavailable("nobody is there".into()));
            let (reply, answer) = oneshot::channel();
            let sent = self.0.send(PendingCall { call, reply }).await;
            sent.map_err(|_| gone(()))?;
            answer.await.unwrap_or_else(|_| Err(gone(())))
        })
    }
}

/// A caller, and the other end of its calls.
async fn with_port(settings: InstanceSettings) -> (Actor, mpsc::Receiver<PendingCall>) {
    let (port, calls) = mpsc::channel(1);
    let settings = InstanceSettings {
        surroundings: Arc::new(Port(port)),
        ..settings
    };
    (crate::support::start_with("caller", settings).await, calls)
}

/// Runs the caller's turn while its one call is answered.
async fn answered(answer: CallOutcome) -> Result<String, WasmError> {
    let (mut caller, mut calls) = with_port(settings()).await;
    let answering = async {
        let pending = calls.recv().await.unwrap();
        assert_eq!(pending.call.from.as_str(), "test/guest/one");
        assert_eq!(pending.call.to.as_str(), "test/bob/1");
        assert_eq!(pending.call.kind, "hi");
        assert_eq!(pending.call.payload, MessagePayload::new("you"));
        pending.reply.send(answer).unwrap();
    };
    tokio::join!(caller.ask("call", call(1_000)), answering).0
}

#[tokio::test]
async fn the_turn_goes_on_with_the_reply() {
    let reply = answered(Ok(Some(MessagePayload::new("me?")))).await;
    assert_eq!(reply.unwrap(), "me?");
    assert_eq!(answered(Ok(None)).await.unwrap(), "");
}

#[tokio::test]
async fn every_way_to_get_no_reply_has_its_name() {
    for (error, words) in [
        (CallError::Rejected("go away".into()), "go away"),
        (CallError::Failed("it trapped".into()), "it trapped"),
        (CallError::Host(HostError::Deadlock), "deadlock"),
        (CallError::Host(HostError::NotFound), "not-found"),
        (CallError::Host(HostError::MailboxFull), "mailbox-full"),
    ] {
        let failed = answered(Err(error)).await.unwrap_err();
        assert!(failed.to_string().contains(words), "{failed} says {words}");
        assert_eq!(fault(Err::<(), _>(failed)), FaultKind::Rejected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_answers_times_out() {
    let (mut caller, mut calls) = with_port(settings()).await;
    let error = caller.ask("call", call(1_000)).await.unwrap_err();
    assert!(error.to_string().contains("timeout"), "{error}");
    // The answer comes too late, which harms nobody.
    let pending = calls.recv().await.unwrap();
    assert!(pending.reply.send(Ok(None)).is_err());
    assert!(caller.store.is_live());
}

#[tokio::test(start_paused = true)]
async fn no_call_outlasts_the_turns_deadline() {
    let settings = InstanceSettings {
        limits: Limits {
            turn_wall_ms: 5_000,
            ..Limits::default()
        },
        ..settings()
    };
    let (mut caller, _calls) = with_port(settings).await;
    let expected = LimitExceeded::beyond(Limit::TurnWallMs, 5_000);
    assert_eq!(
        caller.ask("call", call(60_000)).await,
        Err(WasmError::Timeout(expected))
    );
    assert!(!caller.store.is_live());
    caller.activate().await.unwrap();
}

#[tokio::test]
async fn a_dropped_call_and_a_closed_port_are_unavailable() {
    let (mut caller, mut calls) = with_port(settings()).await;
    let dropping = async { drop(calls.recv().await) };
    let (error, ()) = tokio::join!(caller.ask("call", call(1_000)), dropping);
    assert!(error.unwrap_err().to_string().contains("unavailable"));
    drop(calls);
    let error = caller.ask("call", call(1_000)).await.unwrap_err();
    assert!(error.to_string().contains("unavailable"), "{error}");
}

#[tokio::test]
async fn without_anybody_to_call_it_is_told_so_in_every_profile() {
    for engine in [&*ENGINE, &*DENSE] {
        let mut caller = start_in(engine, "caller", settings()).await;
        let error = caller.ask("call", call(1_000)).await.unwrap_err();
        assert!(error.to_string().contains("unavailable"), "{error}");
    }
}

#[tokio::test]
async fn an_abandoned_turn_costs_the_instance_and_nothing_else() {
    let (mut caller, mut calls) = with_port(settings()).await;
    tokio::select! {
        biased;
        _ = caller.ask("call", call(60_000)) => panic!("nobody answers"),
        _ = calls.recv() => {}
    }
    assert!(!caller.store.is_live());
    assert_eq!(
        fault(caller.turn("call", call(1)).await),
        FaultKind::InstanceGone
    );
    caller.activate().await.unwrap();
    assert!(caller.store.is_live());
}

#[tokio::test]
async fn other_actors_go_on_while_one_waits() {
    let (mut caller, mut calls) = with_port(settings()).await;
    let mut echo = start("echo").await;
    let meanwhile = async {
        let pending = calls.recv().await.unwrap();
        assert_eq!(echo.ask("k", "busy").await.unwrap(), "busy");
        pending.reply.send(Ok(None)).unwrap();
    };
    tokio::join!(caller.ask("call", call(1_000)), meanwhile)
        .0
        .unwrap();
}

/// A guest that may suspend is on a stack of its own, where an endless loop must let
/// others run, and end all the same.
#[tokio::test]
async fn a_computing_guest_lets_others_run() {
    let (caller, _calls) = with_port(settings()).await;
    let component = caller.store.component().clone();
    assert!(component.may_suspend());
    let mut others = 0_u32;
    let mut store = ENGINE.store(&component, settings(), Default::default());
    store.activate(context(1)).await.unwrap();
    // Decoding this JSON takes many ticks of the epoch, unless the machine is so busy that
    // the clock's thread seldom runs.
    let long = " ".repeat(4_000_000) + &call(0);
    let message = message("call", long);
    let mut turns = 2;
    while others == 0 && turns < 50 {
        let turn = store.handle_message(&message, context(turns));
        let counting = async {
            loop {
                others += 1;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            report = turn => drop(report.unwrap()),
            () = counting => unreachable!(),
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("it ends"),
        }
        turns += 1;
    }
    assert!(others > 0, "the turn never yielded");
}
