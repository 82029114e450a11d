//! Starting guests, and talking to them.

// Layer 1: Standard library imports
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

// Layer 2: Third-party crate imports
use serde_json::Value;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::{TurnOutcome, TurnReport};
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;

/// The time that turns are told.
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// One engine for all tests, in the profile for speed.
pub(crate) static ENGINE: LazyLock<Arc<WasmtimeEngine>> =
    LazyLock::new(|| Arc::new(WasmtimeEngine::new().expect("the default engine")));

/// One engine for all tests, in the profile for numbers.
pub(crate) static DENSE: LazyLock<Arc<WasmtimeEngine>> = LazyLock::new(|| {
    let config = EngineConfig {
        profile: Profile::Density { instances: 1_000 },
        ..EngineConfig::default()
    };
    Arc::new(WasmtimeEngine::with_config(config).expect("a dense engine"))
});

pub(crate) fn bytes(guest: &str) -> Vec<u8> {
    let path = PathBuf::from("../guests/bin")
        .join(guest)
        .with_extension("wasm");
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub(crate) fn settings() -> InstanceSettings {
    InstanceSettings::new(ComponentId::new("test", "guest", "one"))
}

pub(crate) fn limits(limits: Limits) -> InstanceSettings {
    InstanceSettings {
        limits,
        ..settings()
    }
}

pub(crate) fn context(turn: u64) -> TurnContext {
    TurnContext {
        turn,
        now_ms: NOW_MS,
        seed: [7; 32],
        ..TurnContext::default()
    }
}

pub(crate) fn message(kind: &str, payload: impl Into<Vec<u8>>) -> ComponentMessage {
    let from = ComponentId::new("airssys", "test", "main");
    let to = ComponentId::new("test", "guest", "one");
    let payload = MessagePayload::from(payload.into());
    ComponentMessage::new(from, to, kind.to_owned(), payload)
}

/// A guest, not activated yet.
pub(crate) fn idle(engine: &Arc<WasmtimeEngine>, guest: &str, settings: InstanceSettings) -> Actor {
    let component = ComponentLoader::new(Arc::clone(engine))
        .load_bytes(&bytes(guest))
        .unwrap_or_else(|e| panic!("{guest}: {e}"));
    Actor {
        store: engine.store(&component, settings, Keyspace::default()),
        turns: 0,
    }
}

/// A guest, activated.
pub(crate) async fn start_with(guest: &str, settings: InstanceSettings) -> Actor {
    start_in(&ENGINE, guest, settings).await
}

/// A guest in an engine of one's choice, activated.
pub(crate) async fn start_in(
    engine: &Arc<WasmtimeEngine>,
    guest: &str,
    settings: InstanceSettings,
) -> Actor {
    let mut actor = idle(engine, guest, settings);
    actor
        .activate()
        .await
        .unwrap_or_else(|e| panic!("{guest}: {e}"));
    actor
}

/// A guest with default settings, activated.
pub(crate) async fn start(guest: &str) -> Actor {
    start_with(guest, settings()).await
}

/// An instance whose successful turns are committed.
pub(crate) struct Actor {
    pub(crate) store: StoreManager,
    turns: u64,
}

impl Actor {
    pub(crate) async fn activate(&mut self) -> Result<(), WasmError> {
        let context = self.next();
        let effects = self.store.activate(context).await?;
        self.store.commit(effects);
        Ok(())
    }

    /// Runs one turn and commits nothing.
    pub(crate) async fn turn(
        &mut self,
        kind: &str,
        payload: impl Into<Vec<u8>>,
    ) -> Result<TurnReport, WasmError> {
        let context = self.next();
        self.store
            .handle_message(&message(kind, payload), context)
            .await
    }

    /// Runs one turn, commits what it wrote, and returns its reply as text. A turn that
    /// does not succeed is an error.
    pub(crate) async fn ask(
        &mut self,
        kind: &str,
        payload: impl Into<Vec<u8>>,
    ) -> Result<String, WasmError> {
        let report = self.turn(kind, payload).await?;
        let fault = |kind, why| Err(WasmError::RuntimeError(GuestFault::new(kind, why)));
        match report.outcome {
            TurnOutcome::Replied(reply) => {
                self.store.commit(report.effects);
                let reply = reply.unwrap_or_default();
                Ok(String::from_utf8(reply.as_bytes().to_vec()).expect("text"))
            }
            TurnOutcome::Rejected(why) => fault(FaultKind::Rejected, why),
            TurnOutcome::Retry(why) => fault(FaultKind::RetryRequested, why),
        }
    }

    /// As [`ask`](Self::ask), for guests that take and give JSON.
    pub(crate) async fn ask_json(&mut self, kind: &str, arguments: Value) -> Value {
        let reply = self.ask(kind, arguments.to_string()).await;
        serde_json::from_str(&reply.unwrap_or_else(|e| panic!("{kind}: {e}"))).expect("JSON")
    }

    fn next(&mut self) -> TurnContext {
        self.turns += 1;
        context(self.turns)
    }
}

/// The kind of a guest's failure.
pub(crate) fn fault(result: Result<impl Sized, WasmError>) -> FaultKind {
    match result.err() {
        Some(WasmError::RuntimeError(fault)) => fault.kind,
        other => panic!("no fault of the guest: {other:?}"),
    }
}

/// Runs a hostile guest beside a counter, and checks that the counter keeps counting,
/// that the hostile instance is gone, and that it can be started anew.
pub(crate) async fn beside_a_neighbour(guest: &str, settings: InstanceSettings) -> WasmError {
    let mut error = None;
    for engine in [&*ENGINE, &*DENSE] {
        let mut neighbour = start_in(engine, "counter", self::settings()).await;
        let mut hostile = start_in(engine, guest, settings.clone()).await;
        for round in 1..=3 {
            let failed = hostile.turn("", "").await.expect_err("it fails");
            assert_eq!(error.get_or_insert_with(|| failed.clone()), &failed);
            assert_eq!(neighbour.ask("add", "1").await.unwrap(), round.to_string());
            if !hostile.store.is_live() {
                let again = hostile.turn("", "").await;
                assert_eq!(fault(again), FaultKind::InstanceGone);
            }
            hostile.activate().await.unwrap();
        }
        assert!(hostile.store.keys().is_empty());
    }
    error.expect("it failed")
}
