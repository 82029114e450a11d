//! WASI's environment and clocks, and how a guest ends itself.

// Layer 1: Standard library imports
use std::time::SystemTime;

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::{FaultKind, WasmError};
use airssys_wasm::core::security::capability::Capability::{Clock, Env};
use airssys_wasm::core::security::provisions::Provisions;

use crate::outsider::{NOW_MS, Outsider};

fn provisions() -> Provisions {
    let env = [("MODE", "test"), ("HOME", "/root"), ("TOKEN", "hunter2")];
    Provisions {
        env: env.map(|(name, value)| (name.into(), value.into())).into(),
        ..Provisions::default()
    }
}

#[tokio::test]
async fn the_environment_is_what_is_handed_over_and_granted() {
    let mut guest = Outsider::start(&[], provisions()).await;
    assert_eq!(guest.act("env", json!({})).await.unwrap(), json!({}));
    assert_eq!(guest.denied(), ["env HOME", "env MODE", "env TOKEN"]);
    guest.grant(Env, "MODE");
    guest.grant(Env, "H*");
    guest.grant(Env, "PATH");
    let shown = guest.act("env", json!({})).await.unwrap();
    assert_eq!(shown, json!({"HOME": "/root", "MODE": "test"}));
    assert_eq!(guest.denied(), ["env TOKEN"]);
    let learnt = guest.learnt();
    assert!(!learnt.is_cut, "it can be shown again");
    guest.revoke(Env, "H*");
    let shown = guest.act("env", json!({})).await.unwrap();
    assert_eq!(shown, json!({"MODE": "test"}));
    assert_eq!(guest.act("arguments", json!({})).await.unwrap(), json!([]));
}

#[tokio::test]
async fn to_exit_is_a_fault_that_says_so() {
    let mut guest = Outsider::start(&[], Provisions::default()).await;
    let error = guest.turn("exit", json!({})).await.unwrap_err();
    let WasmError::RuntimeError(fault) = error else {
        panic!("{error}");
    };
    assert_eq!(fault.kind, FaultKind::Exited);
    assert!(fault.reason.contains("`exit` of wasi:cli"), "{fault}");
    assert!(fault.reason.contains("status 1"), "{fault}");
    assert!(!guest.store.is_live());
}

fn times(clock: &Value) -> (u64, u64, u64) {
    let at = |name: &str| clock[name].as_u64().unwrap();
    (at("wall-ms"), at("monotonic-ns"), at("resolution-ns"))
}

#[tokio::test]
async fn the_time_stands_still_unless_the_precise_one_is_granted() {
    let mut guest = Outsider::start(&[], Provisions::default()).await;
    let slept = guest.act("sleep", json!({"wait-ms": 20})).await.unwrap();
    let fixed = (NOW_MS, NOW_MS * 1_000_000, 1_000_000);
    assert_eq!(times(&slept[0]), fixed);
    assert_eq!(times(&slept[1]), fixed);
    assert!(guest.denied().is_empty(), "nobody is denied the time");
    let learnt = guest.learnt();
    assert!(!learnt.is_cut);
    assert!(learnt.denied.iter().any(|it| it.capability == Clock));

    guest.grant(Clock, "precise");
    let slept = guest.act("sleep", json!({"wait-ms": 20})).await.unwrap();
    let (before, after) = (times(&slept[0]), times(&slept[1]));
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now_ms = since.unwrap().as_millis() as u64;
    assert!(before.0 <= after.0 && now_ms - after.0 < 60_000);
    assert!(after.1 - before.1 >= 20_000_000);
    assert!(before.1 > fixed.1 && before.2 == 1);
    assert!(guest.learnt().is_cut, "it cannot be run again");

    guest.revoke(Clock, "precise");
    let clock = guest.act("clock", json!({})).await.unwrap();
    assert_eq!(times(&clock), fixed);
}
