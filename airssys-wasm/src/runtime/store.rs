//! One instance of a component, and its turns.
//!
//! ```text
//!            activate                      turn replied, rejected or retries
//!   idle ───────────────▶ live ◀──────────────────────────────────────┐
//!    ▲                     │ └──────────────── turn ───────────────────┘
//!    └─────────────────────┘
//!      a trap, a limit, the deadline, or a turn that nobody waited for
//! ```
//!
//! Whatever the guest does, what is committed stays: it lives beside the instance and
//! changes by [`StoreManager::commit`] alone.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::TypedFunc;

// Layer 3: Internal module imports
use crate::core::component::message::ComponentMessage;
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::memory::Held;
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::security::capability::Capability;
use crate::core::storage::keyspace::Keyspace;
use crate::core::text::cut;
use crate::core::turn::call::Reply;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::{Effects, Outgoing, Writes};
use crate::core::turn::recorded::Learnt;
use crate::core::turn::report::{TurnCost, TurnOutcome, TurnReport};
use crate::core::turn::surroundings::Surroundings;
use crate::runtime::bindings::{lend_reply, types};
use crate::runtime::compiled::CompiledComponent;
use crate::runtime::instance::{Instance, NotMade, Params, Results};
use crate::runtime::outline::{CALLBACK, HANDLER};
use crate::runtime::settings::InstanceSettings;

/// Owns one instance and runs its turns, one at a time.
///
/// For a component that [may suspend](CompiledComponent::may_suspend) the futures must
/// be awaited within a tokio runtime whose time and I/O are enabled; otherwise they finish at
/// their first poll. Dropping one halfway abandons the turn: the instance is then gone,
/// as after a trap.
///
/// ```
/// use std::sync::Arc;
/// use airssys_wasm::core::component::MessagePayload;
/// use airssys_wasm::core::component::id::ComponentId;
/// use airssys_wasm::core::component::message::ComponentMessage;
/// use airssys_wasm::core::storage::keyspace::Keyspace;
/// use airssys_wasm::core::turn::context::TurnContext;
/// use airssys_wasm::runtime::engine::WasmtimeEngine;
/// use airssys_wasm::runtime::loader::ComponentLoader;
/// use airssys_wasm::runtime::settings::InstanceSettings;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Arc::new(WasmtimeEngine::new()?);
/// let counter = ComponentLoader::new(Arc::clone(&engine)).load_file("../guests/bin/counter.wasm")?;
///
/// let address = ComponentId::new("demo", "counter", "one");
/// let mut store = engine.store(&counter, InstanceSettings::new(address.clone()), Keyspace::default());
/// store.activate(TurnContext::default()).await?;
///
/// let me = ComponentId::new("airssys", "program", "main");
/// let add = ComponentMessage::new(me, address, "add".into(), MessagePayload::new("2"));
/// let turn = store.handle_message(&add, TurnContext::default()).await?;
///
/// assert!(store.keys().is_empty(), "nothing has happened yet");
/// store.commit(turn.effects);
/// assert_eq!(store.keys().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct StoreManager {
    pub(super) component: Arc<CompiledComponent>,
    settings: Arc<InstanceSettings>,
    body: Body,
    /// What its state counts as.
    state: Held,
    cost: TurnCost,
    learnt: Learnt,
}

enum Body {
    Idle(Keyspace),
    Live(Box<Instance>),
}

impl StoreManager {
    /// An instance to be, with the state that it continues from.
    pub(crate) fn new(
        component: Arc<CompiledComponent>,
        settings: InstanceSettings,
        keys: Keyspace,
    ) -> Self {
        let mut state = Held::of(settings.memory.clone());
        state.set(keys.bytes());
        Self {
            component,
            settings: Arc::new(settings),
            body: Body::Idle(keys),
            state,
            cost: TurnCost::default(),
            learnt: Learnt::default(),
        }
    }

    /// The component that this is an instance of.
    pub fn component(&self) -> &Arc<CompiledComponent> {
        &self.component
    }

    /// Whether there is an instance to run turns in.
    pub fn is_live(&self) -> bool {
        matches!(&self.body, Body::Live(instance) if !instance.is_abandoned())
    }

    /// What its turns can learn from the system around it.
    pub(crate) fn surroundings(&self) -> &Arc<dyn Surroundings> {
        &self.settings.surroundings
    }

    /// The committed state.
    pub fn keys(&self) -> &Keyspace {
        match &self.body {
            Body::Idle(keys) => keys,
            Body::Live(instance) => instance.keys(),
        }
    }

    /// What the last turn or activation cost, however it ended. Nothing for a message
    /// that was refused unseen.
    pub fn cost(&self) -> TurnCost {
        self.cost
    }

    /// Commits what a turn wants to happen to the actor's state, and returns what it
    /// wants to happen elsewhere.
    pub fn commit(&mut self, effects: Effects) -> Vec<Outgoing> {
        self.apply(effects.writes);
        effects.outgoing
    }

    /// Ends the instance without telling it, and returns the committed state.
    pub fn into_keys(mut self) -> Keyspace {
        self.end_instance()
    }

    /// Makes the instance and runs its `init`, if it exports one. An instance that
    /// there was before is dropped first.
    ///
    /// # Errors
    ///
    /// As for a turn, and
    /// [`InstantiationFailed`](WasmError::InstantiationFailed) when the engine has no
    /// room. `init` refusing is a [`Rejected`](FaultKind::Rejected) fault.
    pub async fn activate(&mut self, context: TurnContext) -> Result<Effects, WasmError> {
        self.instantiate(context).await?;
        self.init().await
    }

    pub(super) async fn instantiate(&mut self, context: TurnContext) -> Result<(), WasmError> {
        let keys = self.end_instance();
        match Instance::make(&self.component, &self.settings, keys, context).await {
            Ok(instance) => {
                self.body = Body::Live(Box::new(instance));
                Ok(())
            }
            Err(NotMade { error, cost, keys }) => {
                self.cost = cost;
                self.body = Body::Idle(keys);
                Err(error)
            }
        }
    }

    /// Runs `init` on the rest of the activation's budget.
    async fn init(&mut self) -> Result<Effects, WasmError> {
        let settings = Arc::clone(&self.settings);
        let config: Vec<(&str, &str)> = settings
            .provisions
            .config
            .iter()
            .filter(|(key, _)| settings.permit(Capability::Config, key).is_ok())
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let initialized = match self.instance()?.exports().lifecycle.clone() {
            Some(guest) => self.call(guest.func_init(), (&config[..],)).await?.0,
            None => Ok(()),
        };
        let instance = self.instance()?;
        let (effects, cost) = (instance.take_effects(), instance.cost());
        self.cost = cost;
        if let Err(why) = initialized {
            self.drop_instance();
            return Err(rejected(why));
        }
        Ok(effects)
    }

    /// Runs one turn: the guest handles a message.
    ///
    /// Nothing that it wants to happen has happened when this returns; what it recorded
    /// is in the report, to be given to [`commit`](Self::commit).
    ///
    /// # Errors
    ///
    /// [`ExportNotFound`](WasmError::ExportNotFound) when it is no actor. A message, or
    /// a reply, that exceeds its limit is a
    /// [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded) and harms nothing.
    /// After any other error the instance is gone: further turns fail with
    /// [`InstanceGone`](FaultKind::InstanceGone) until it is activated again.
    pub async fn handle_message(
        &mut self,
        message: &ComponentMessage,
        context: TurnContext,
    ) -> Result<TurnReport, WasmError> {
        self.cost = TurnCost::default();
        check_message(&self.settings.limits, message)?;
        let Some(guest) = self.instance()?.exports().handler.clone() else {
            return Err(self.component.missing(HANDLER));
        };
        let handle_message = guest.func_handle_message();
        let params = types::Message {
            sender: message.from().as_str(),
            kind: message.message_type(),
            correlation: message.correlation(),
            payload: message.payload().as_bytes(),
        };
        let (handled,) = self.turn(context, handle_message, (params,)).await?;
        self.report(handled.into())
    }

    /// Runs one turn: the guest handles the reply to an earlier request.
    ///
    /// # Errors
    ///
    /// As for [`handle_message`](Self::handle_message).
    pub async fn handle_callback(
        &mut self,
        reply: &Reply,
        context: TurnContext,
    ) -> Result<TurnReport, WasmError> {
        let Some(guest) = self.instance()?.exports().callback.clone() else {
            return Err(self.component.missing(CALLBACK));
        };
        let handle_callback = guest.func_handle_callback();
        let limit_text = reply.outcome.as_ref().err().map(ToString::to_string);
        let params = lend_reply(reply, limit_text.as_deref().unwrap_or_default());
        let (handled,) = self.turn(context, handle_callback, (params,)).await?;
        self.report(handled.map(|()| None).into())
    }

    /// Runs one turn: the guest takes over the state of an earlier version. A guest
    /// without `migrate` takes it over as it is.
    ///
    /// # Errors
    ///
    /// As for [`handle_message`](Self::handle_message); the guest refusing is a
    /// [`Rejected`](FaultKind::Rejected) fault.
    pub async fn migrate(
        &mut self,
        from_version: &str,
        context: TurnContext,
    ) -> Result<Effects, WasmError> {
        let Some(guest) = self.instance()?.exports().migration.clone() else {
            return Ok(Effects::default());
        };
        let migrate = guest.func_migrate();
        let (migrated,) = self.turn(context, migrate, (from_version,)).await?;
        migrated.map_err(rejected)?;
        Ok(self.instance()?.take_effects())
    }

    /// Runs `shutdown`, if the guest exports it. The instance stays until it is
    /// dropped.
    ///
    /// # Errors
    ///
    /// As for [`handle_message`](Self::handle_message).
    pub async fn shutdown(&mut self, context: TurnContext) -> Result<Effects, WasmError> {
        let Some(guest) = self.instance()?.exports().lifecycle.clone() else {
            return Ok(Effects::default());
        };
        let shutdown = guest.func_shutdown();
        let () = self.turn(context, shutdown, ()).await?;
        Ok(self.instance()?.take_effects())
    }

    /// One turn: arms the limits, calls the guest, and takes note of the cost.
    pub(super) async fn turn<P: Params, R: Results>(
        &mut self,
        context: TurnContext,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Result<R, WasmError> {
        self.instance()?.begin(context);
        let result = self.call(func, params).await?;
        let instance = self.instance()?;
        instance.report_dropped_lines();
        self.cost = instance.cost();
        Ok(result)
    }

    /// Calls the guest. An error costs the instance its life.
    async fn call<P: Params, R: Results>(
        &mut self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Result<R, WasmError> {
        let instance = self.instance()?;
        let called = instance.call(func, params).await;
        if called.is_err() {
            let (cost, learnt) = (instance.cost(), instance.take_learnt());
            (self.cost, self.learnt) = (cost, learnt);
            self.drop_instance();
        }
        called
    }

    #[inline]
    fn report(&mut self, outcome: TurnOutcome) -> Result<TurnReport, WasmError> {
        let effects = match &outcome {
            TurnOutcome::Replied(reply) => {
                let bytes = reply.as_ref().map_or(0, |reply| reply.len() as u64);
                LimitExceeded::check(Limit::ReplyBytes, self.settings.limits.reply_bytes, bytes)
                    .map_err(WasmError::ResourceLimitExceeded)?;
                self.instance()?.take_effects()
            }
            TurnOutcome::Rejected(_) | TurnOutcome::Retry(_) => Effects::default(),
        };
        Ok(TurnReport { outcome, effects })
    }

    #[inline]
    pub(super) fn instance(&mut self) -> Result<&mut Instance, WasmError> {
        if matches!(&self.body, Body::Live(instance) if instance.is_abandoned()) {
            self.drop_instance();
        }
        match &mut self.body {
            Body::Live(instance) => Ok(instance),
            Body::Idle(_) => Err(WasmError::RuntimeError(GuestFault::new(
                FaultKind::InstanceGone,
                "activate it again",
            ))),
        }
    }

    /// Writes what a turn wrote to the actor's state.
    pub(crate) fn apply(&mut self, writes: Writes) {
        match &mut self.body {
            Body::Idle(keys) => keys.apply(writes),
            Body::Live(instance) => instance.keys_mut().apply(writes),
        }
        self.state.set(self.keys().bytes());
    }

    /// What the last turn learnt from the host.
    pub(crate) fn take_learnt(&mut self) -> Learnt {
        match &mut self.body {
            Body::Idle(_) => std::mem::take(&mut self.learnt),
            Body::Live(instance) => instance.take_learnt(),
        }
    }

    /// Drops the instance, if there is one, and keeps the committed state.
    pub(super) fn drop_instance(&mut self) {
        let keys = self.end_instance();
        self.body = Body::Idle(keys);
    }

    /// Drops the instance, if there is one, and takes the committed state.
    fn end_instance(&mut self) -> Keyspace {
        match std::mem::replace(&mut self.body, Body::Idle(Keyspace::default())) {
            Body::Idle(keys) => keys,
            Body::Live(mut instance) => std::mem::take(instance.keys_mut()),
        }
    }
}

fn check_message(limits: &Limits, message: &ComponentMessage) -> Result<(), WasmError> {
    let kind = message.message_type().len() as u64;
    let payload = message.payload().len() as u64;
    LimitExceeded::check(Limit::KindBytes, limits.kind_bytes, kind)
        .and_then(|()| LimitExceeded::check(Limit::MessageBytes, limits.message_bytes, payload))
        .map_err(WasmError::ResourceLimitExceeded)
}

pub(super) fn rejected(why: String) -> WasmError {
    WasmError::RuntimeError(GuestFault::new(FaultKind::Rejected, cut(why)))
}
