//! One live actor, all by itself.

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::core::security::provisions::Provisions;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::call::Call;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::effects::Effects;
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::report::{TurnCost, TurnOutcome};
use airssys_wasm::core::turn::surroundings::{Alone, PendingOutcome, Surroundings};
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::advice;
use crate::effect::UnansweredCall;
use crate::failure::Failure;
use crate::text::visible;
use crate::trial::Plan;

/// Calls of one turn that are shown. A turn may make as many as its time allows.
const MAX_CALLS: usize = 1_024;

/// Uses of capabilities of one turn that are shown.
const MAX_USES: usize = 1_024;

/// What a run is given besides the message. With the same, it does the same.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Inputs {
    pub(crate) actor: ComponentId,
    /// Each turn's random numbers follow from this and its number.
    pub(crate) seed: u64,
    /// The time that the guest is told in every turn.
    pub(crate) now_ms: u64,
}

/// What a turn or an activation took.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Cost {
    pub(crate) wall_ns: u64,
    #[serde(flatten)]
    pub(crate) guest: TurnCost,
}

/// One instance, and who answers its calls.
pub(crate) struct Actor {
    store: StoreManager,
    desk: Arc<CallDesk>,
    inputs: Inputs,
    turns: u64,
}

impl Actor {
    /// An instance to be.
    pub(crate) fn new(
        engine: &WasmtimeEngine,
        component: &Arc<CompiledComponent>,
        plan: &Plan,
    ) -> Self {
        let desk = Arc::new(CallDesk::new(&plan.inputs.actor));
        let settings = InstanceSettings {
            limits: plan.limits.clone(),
            provisions: Arc::new(Provisions {
                config: plan.config.clone(),
                ..Provisions::default()
            }),
            surroundings: Arc::clone(&desk) as Arc<dyn Surroundings>,
            ..InstanceSettings::new(plan.inputs.actor.clone())
        };
        Self {
            store: engine.store(component, settings, Keyspace::default()),
            desk,
            inputs: plan.inputs.clone(),
            turns: 0,
        }
    }

    /// Makes the instance and runs its `init`, whose effects are still to be committed.
    pub(crate) async fn activate(&mut self) -> (Result<Effects, Failure>, Cost) {
        let context = self.next_context();
        let began = Instant::now();
        let activated = self.store.activate(context).await;
        let cost = self.cost_since(began);
        (activated.map_err(advice::not_run), cost)
    }

    /// Runs one turn, whose effects are still to be committed.
    pub(crate) async fn turn(
        &mut self,
        message: &ComponentMessage,
    ) -> (Result<(Option<MessagePayload>, Effects), Failure>, Cost) {
        let context = self.next_context();
        let began = Instant::now();
        let turned = self.store.handle_message(message, context).await;
        let cost = self.cost_since(began);
        let result = match turned {
            Ok(report) => match report.outcome {
                TurnOutcome::Replied(reply) => Ok((reply, report.effects)),
                TurnOutcome::Rejected(why) => Err(advice::rejected(why)),
                TurnOutcome::Retry(why) => Err(advice::retry_requested(why)),
            },
            Err(error) => Err(advice::not_run(error)),
        };
        (result, cost)
    }

    /// Commits what a turn or an activation stored. There is nobody to send the rest to.
    pub(crate) fn commit(&mut self, effects: Effects) {
        self.store.commit(effects);
    }

    /// Takes the calls that were made since this was last asked.
    pub(crate) fn take_calls(&mut self) -> Vec<UnansweredCall> {
        self.desk.take()
    }

    /// Takes what it used since this was last asked, and would have to be granted.
    pub(crate) fn take_uses(&mut self) -> Vec<Use> {
        let uses = std::mem::take(&mut *self.desk.uses());
        let used = |(capability, resource)| Use {
            capability,
            resource,
        };
        uses.into_iter().map(used).collect()
    }

    fn cost_since(&self, began: Instant) -> Cost {
        Cost {
            wall_ns: nanoseconds_since(began),
            guest: self.store.cost(),
        }
    }

    fn next_context(&mut self) -> TurnContext {
        self.turns += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.inputs.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&self.turns.to_le_bytes());
        TurnContext {
            turn: self.turns,
            now_ms: self.inputs.now_ms,
            seed,
            ..TurnContext::default()
        }
    }
}

/// The use of a capability, which in a system has to be granted.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Use {
    capability: Capability,
    resource: String,
}

impl Use {
    /// As it is written in a manifest.
    pub(crate) fn describe(&self) -> String {
        format!("{} = [\"{}\"]", self.capability, visible(&self.resource))
    }
}

/// Admits whatever a turn sends, since it is shown and not sent. Tells whoever calls
/// another actor that there is none, and remembers the call.
#[derive(Debug)]
struct CallDesk {
    component: String,
    calls: Mutex<Vec<UnansweredCall>>,
    uses: Mutex<BTreeSet<(Capability, String)>>,
}

impl CallDesk {
    fn new(actor: &ComponentId) -> Self {
        Self {
            component: actor.component().to_owned(),
            calls: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    fn uses(&self) -> MutexGuard<'_, BTreeSet<(Capability, String)>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the calls that were made so far.
    fn take(&self) -> Vec<UnansweredCall> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Surroundings for CallDesk {
    fn permit(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        let mut uses = self.uses();
        if uses.len() < MAX_USES {
            uses.insert((capability, resource.to_owned()));
        }
        Alone::default().permit(actor, capability, resource)
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
        Arc::new([self.component.clone()])
    }

    fn call(&self, call: Call) -> PendingOutcome<'_> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MAX_CALLS {
            calls.push(call.into());
        }
        let why = "`airssys try` runs one component by itself, and there is nobody to call";
        let answer = Err(CallError::Host(HostError::Unavailable(why.to_owned())));
        Box::pin(ready(answer))
    }
}

/// The time since then. In 64 bits they would last for five centuries.
pub(crate) fn nanoseconds_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
