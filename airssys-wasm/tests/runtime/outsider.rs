//! The guest that reaches beyond its actor, with grants that change while it lives.

// Layer 1: Standard library imports
use std::sync::{Arc, LazyLock, Mutex};

// Layer 2: Third-party crate imports
use serde_json::{Value, json};

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::core::security::provisions::Provisions;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::call::Call;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::guest::Guest;
use airssys_wasm::core::turn::recorded::Learnt;
use airssys_wasm::core::turn::report::TurnOutcome;
use airssys_wasm::core::turn::surroundings::{PendingOutcome, Surroundings};
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;
use airssys_wasm::security::granted::Granted;

use crate::support::{engine, guest, id, message};

/// The time that turns are told.
pub(crate) const NOW_MS: u64 = 1_700_000_000_123;

/// Grants that are asked, and what was denied by them.
#[derive(Debug)]
pub(crate) struct Grantor {
    pub(crate) granted: Granted,
    denied: Mutex<Vec<String>>,
}

impl Surroundings for Grantor {
    fn permit(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        if self.granted.allow(actor, capability, resource) {
            return Ok(());
        }
        let denied = format!("{capability} {resource}");
        self.denied.lock().unwrap().push(denied.clone());
        Err(HostError::Denied(denied))
    }

    fn is_granted(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        self.granted.allow(actor, capability, resource)
    }

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

    fn call(&self, _call: Call) -> PendingOutcome<'_> {
        let why = HostError::Unavailable("nobody answers here".into());
        Box::pin(async move { Err(CallError::Host(why)) })
    }
}

/// Compiled once, since that takes longer than any test.
static OUTSIDER: LazyLock<(Arc<WasmtimeEngine>, Arc<CompiledComponent>)> = LazyLock::new(|| {
    let engine = engine();
    let loader = ComponentLoader::new(Arc::clone(&engine));
    let component = loader.load_bytes(&guest("outsider")).unwrap();
    (engine, component)
});

/// The guest, with one instance of it.
pub(crate) struct Outsider {
    pub(crate) store: StoreManager,
    pub(crate) grantor: Arc<Grantor>,
    turns: u64,
}

/// Makes capabilities of pairs.
pub(crate) fn grants(granted: &[(Capability, &str)]) -> Capabilities {
    let mut capabilities = Capabilities::default();
    for (capability, pattern) in granted {
        let patterns = capabilities.of_mut(*capability);
        patterns.push((*pattern).to_owned());
    }
    capabilities
}

impl Outsider {
    pub(crate) async fn start(granted: &[(Capability, &str)], provisions: Provisions) -> Self {
        Self::start_with(granted, provisions, Limits::default()).await
    }

    pub(crate) async fn start_with(
        granted: &[(Capability, &str)],
        provisions: Provisions,
        limits: Limits,
    ) -> Self {
        let grantor = Arc::new(Grantor {
            granted: Granted::new(grants(granted)).unwrap(),
            denied: Mutex::default(),
        });
        let (engine, component) = &*OUTSIDER;
        let settings = InstanceSettings {
            limits,
            provisions: Arc::new(provisions),
            surroundings: Arc::clone(&grantor) as Arc<dyn Surroundings>,
            ..InstanceSettings::new(id())
        };
        let mut outsider = Self {
            store: engine.store(component, settings, Keyspace::default()),
            grantor,
            turns: 0,
        };
        outsider.activate().await;
        outsider
    }

    pub(crate) async fn activate(&mut self) {
        let context = self.context();
        self.store.activate(context).await.unwrap();
    }

    /// Runs one turn, and gives the guest's reply as it is.
    pub(crate) async fn turn(&mut self, kind: &str, args: Value) -> Result<Value, WasmError> {
        let context = self.context();
        let message = message(kind, &args.to_string());
        let report = self.store.handle_message(&message, context).await?;
        let TurnOutcome::Replied(Some(reply)) = report.outcome else {
            panic!("no reply: {:?}", report.outcome);
        };
        Ok(serde_json::from_slice(reply.as_bytes()).unwrap())
    }

    /// What came of one act: its value, or the name of WASI's error.
    pub(crate) async fn act(&mut self, kind: &str, args: Value) -> Result<Value, String> {
        let reply = self.turn(kind, args).await.unwrap();
        match reply.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(reply["ok"].clone()),
        }
    }

    /// The same for an act that takes a path.
    pub(crate) async fn at(&mut self, kind: &str, path: &str) -> Result<Value, String> {
        self.act(kind, json!({ "path": path })).await
    }

    pub(crate) fn grant(&self, capability: Capability, pattern: &str) {
        assert!(self.grantor.granted.add(capability, pattern).unwrap());
    }

    pub(crate) fn revoke(&self, capability: Capability, pattern: &str) {
        assert!(self.grantor.granted.remove(capability, pattern).unwrap());
    }

    /// What was denied since this was asked for last.
    pub(crate) fn denied(&self) -> Vec<String> {
        std::mem::take(&mut self.grantor.denied.lock().unwrap())
    }

    /// What the last turn learnt.
    pub(crate) fn learnt(&mut self) -> Learnt {
        Guest::take_learnt(&mut self.store)
    }

    fn context(&mut self) -> TurnContext {
        self.turns += 1;
        TurnContext {
            turn: self.turns,
            now_ms: NOW_MS,
            seed: [3; 32],
            ..TurnContext::default()
        }
    }
}
