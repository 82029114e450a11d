//! One component, loaded and tried.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::effects::Effects;
use airssys_wasm::core::turn::errors::{CallError, HostError};
use airssys_wasm::core::turn::report::{TurnCost, TurnOutcome};
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::host_fn::rpc::PendingCall;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;
use serde::Serialize;
use tokio::select;
use tokio::sync::mpsc;

// Layer 3: Internal module imports
use crate::advice;
use crate::distribution::Distribution;
use crate::effect::{Effect, UnansweredCall};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::interrupt::{Stop, interrupted};
use crate::text::Data;

/// Calls of one turn that are shown. A turn may make as many as its time allows.
const MAX_CALLS: usize = 1_024;

/// The number under which the reply is awaited: any but zero, since it is awaited.
const CORRELATION: u64 = 1;

/// What is to be tried.
pub(crate) struct Plan {
    pub(crate) component: ComponentFile,
    pub(crate) cache: Option<CompileCache>,
    pub(crate) limits: Limits,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) inputs: Inputs,
    pub(crate) kind: String,
    pub(crate) payload: MessagePayload,
    pub(crate) turns: Turns,
}

/// How many turns are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turns {
    /// One, to look at it.
    One,
    /// So many, to measure them.
    Many(u32),
}

/// What a run is given besides the message. With the same, it does the same.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Inputs {
    pub(crate) actor: ComponentId,
    /// Each turn's random numbers follow from this and its number.
    pub(crate) seed: u64,
    /// The time that the guest is told in every turn.
    pub(crate) now_ms: u64,
}

/// What came of a plan, as far as it got.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Trial {
    pub(crate) outcome: Outcome,
    #[serde(flatten)]
    pub(crate) inputs: Option<Inputs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<Loaded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<Activation>,
    #[serde(flatten)]
    pub(crate) turn: Option<Turn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<Repeated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Failure>,
    #[serde(skip)]
    pub(crate) limits: Limits,
}

/// How it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Every turn was answered.
    #[default]
    Replied,
    /// The guest rejected the message, or refused to start.
    Rejected,
    /// The guest asked for a retry.
    Retry,
    /// It did not get so far.
    Failed,
}

/// The component as it was loaded.
#[derive(Debug, Serialize)]
pub(crate) struct Loaded {
    file: String,
    digest: Digest,
    bytes: u64,
    #[serde(rename = "load_ns", serialize_with = "as_ns")]
    pub(crate) load_time: Duration,
}

/// Making the instance, and its `init`.
#[derive(Debug, Serialize)]
pub(crate) struct Activation {
    pub(crate) effects: Vec<Effect>,
    pub(crate) cost: Cost,
}

/// One turn.
#[derive(Debug, Serialize)]
pub(crate) struct Turn {
    pub(crate) reply: Option<Data>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) calls: Vec<UnansweredCall>,
    pub(crate) cost: Cost,
}

/// What a turn or an activation took.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Cost {
    #[serde(rename = "wall_ns", serialize_with = "as_ns")]
    pub(crate) wall: Duration,
    #[serde(flatten)]
    pub(crate) guest: TurnCost,
}

/// Many turns on one instance.
#[derive(Debug, Serialize)]
pub(crate) struct Repeated {
    pub(crate) turns: usize,
    pub(crate) wall_ns: Distribution,
    pub(crate) fuel: Distribution,
    pub(crate) peak_memory_bytes: u64,
}

impl Trial {
    /// Carries out a plan, until it is asked to stop.
    pub(crate) async fn run(plan: Plan, stop: Stop) -> Self {
        let mut trial = Self {
            inputs: Some(plan.inputs.clone()),
            limits: plan.limits.clone(),
            ..Self::default()
        };
        match trial.proceed(plan, &stop).await {
            Ok(()) => trial,
            Err(failure) => trial.ending(failure),
        }
    }

    /// A trial that failed before it began.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self::default().ending(failure)
    }

    /// How the process is to end.
    pub(crate) fn exit(&self) -> Exit {
        self.error
            .as_ref()
            .map_or(Exit::Success, |error| error.exit)
    }

    fn ending(mut self, failure: Failure) -> Self {
        self.outcome = match failure.exit {
            Exit::Rejected => Outcome::Rejected,
            Exit::RetryRequested => Outcome::Retry,
            _ => Outcome::Failed,
        };
        self.error = Some(failure);
        self
    }

    async fn proceed(&mut self, plan: Plan, stop: &Stop) -> Result<(), Failure> {
        let engine = engine()?;
        let component = self.load(&engine, &plan)?;
        let mut actor = Actor::new(&engine, &component, &plan);
        // Ctrl-C is listened to from the start; this tells a script that it can rely on it.
        tracing::debug!(actor = plan.inputs.actor.as_str(), "activating");
        self.activate(&mut actor).await?;
        let message = ComponentMessage::new(
            ComponentId::new("airssys", "cli", "try"),
            plan.inputs.actor,
            plan.kind,
            plan.payload,
        )
        .with_correlation(CORRELATION);
        match plan.turns {
            Turns::One => self.turn(&mut actor, &message).await,
            Turns::Many(turns) => self.repeat(&mut actor, &message, turns, stop).await,
        }
    }

    fn load(
        &mut self,
        engine: &Arc<WasmtimeEngine>,
        plan: &Plan,
    ) -> Result<Arc<CompiledComponent>, Failure> {
        let began = Instant::now();
        let mut loader =
            ComponentLoader::new(Arc::clone(engine)).with_max_bytes(plan.limits.component_bytes);
        if let Some(cache) = &plan.cache {
            loader = loader.with_cache(cache.clone());
        }
        let file = &plan.component;
        let component = loader
            .load_bytes(&file.bytes)
            .map_err(|e| advice::not_loaded(e, file))?;
        self.component = Some(Loaded {
            file: file.path.display().to_string(),
            digest: component.digest(),
            bytes: file.bytes.len() as u64,
            load_time: began.elapsed(),
        });
        Ok(component)
    }

    async fn activate(&mut self, actor: &mut Actor) -> Result<(), Failure> {
        let (activated, cost) = actor.activate().await;
        let effects = activated.as_ref().map(Effect::all_of).unwrap_or_default();
        self.activation = Some(Activation { effects, cost });
        actor.store.commit(activated.map_err(advice::not_run)?);
        Ok(())
    }

    async fn turn(&mut self, actor: &mut Actor, message: &ComponentMessage) -> Result<(), Failure> {
        let (turned, cost) = actor.turn(message).await;
        let (reply, effects, result) = match turned {
            Ok((reply, effects)) => (reply.map(Data), Effect::all_of(&effects), Ok(())),
            Err(failure) => (None, Vec::new(), Err(failure)),
        };
        self.turn = Some(Turn {
            reply,
            effects,
            calls: std::mem::take(&mut actor.desk.calls),
            cost,
        });
        result
    }

    async fn repeat(
        &mut self,
        actor: &mut Actor,
        message: &ComponentMessage,
        turns: u32,
        stop: &Stop,
    ) -> Result<(), Failure> {
        let (mut walls, mut fuels) = (Vec::new(), Vec::new());
        let mut peak = 0;
        let mut result = Ok(());
        for turn in 1..=turns {
            if stop.is_set() {
                result =
                    Err(interrupted().because(format!("{} of {turns} turns were run", turn - 1)));
                break;
            }
            let (turned, cost) = actor.turn(message).await;
            match turned {
                Ok((_reply, effects)) => actor.store.commit(effects),
                Err(mut failure) => {
                    failure.message = format!("turn {turn} of {turns}: {}", failure.message);
                    result = Err(failure);
                    break;
                }
            };
            actor.desk.calls.clear();
            walls.push(u64::try_from(cost.wall.as_nanos()).unwrap_or(u64::MAX));
            fuels.push(cost.guest.fuel);
            peak = peak.max(cost.guest.peak_memory_bytes);
        }
        let turns = walls.len();
        if let (Some(wall_ns), Some(fuel)) = (Distribution::of(walls), Distribution::of(fuels)) {
            self.repeat = Some(Repeated {
                turns,
                wall_ns,
                fuel,
                peak_memory_bytes: peak,
            });
        }
        result
    }
}

/// One live instance, and who answers its calls.
struct Actor {
    store: StoreManager,
    desk: CallDesk,
    inputs: Inputs,
    turns: u64,
}

impl Actor {
    fn new(engine: &WasmtimeEngine, component: &Arc<CompiledComponent>, plan: &Plan) -> Self {
        let (port, pending) = mpsc::channel(1);
        let settings = InstanceSettings {
            limits: plan.limits.clone(),
            config: plan.config.clone(),
            directory: vec![plan.inputs.actor.component().to_owned()],
            calls: Some(port),
            ..InstanceSettings::new(plan.inputs.actor.clone())
        };
        Self {
            store: engine.store(component, settings, Keyspace::default()),
            desk: CallDesk {
                pending,
                calls: Vec::new(),
            },
            inputs: plan.inputs.clone(),
            turns: 0,
        }
    }

    async fn activate(&mut self) -> (Result<Effects, WasmError>, Cost) {
        let context = self.next_context();
        let began = Instant::now();
        let activated = self.desk.attend(self.store.activate(context)).await;
        (activated, self.cost_since(began))
    }

    /// Runs one turn, whose effects are still to be committed.
    async fn turn(
        &mut self,
        message: &ComponentMessage,
    ) -> (Result<(Option<MessagePayload>, Effects), Failure>, Cost) {
        let context = self.next_context();
        let began = Instant::now();
        let turn = self.store.handle_message(message, context);
        let turned = self.desk.attend(turn).await;
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

    fn cost_since(&self, began: Instant) -> Cost {
        Cost {
            wall: began.elapsed(),
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
            trace_parent: None,
        }
    }
}

/// Tells whoever calls another actor that there is none, and remembers the call.
struct CallDesk {
    pending: mpsc::Receiver<PendingCall>,
    calls: Vec<UnansweredCall>,
}

impl CallDesk {
    /// Finishes a turn, answering the calls that it makes.
    async fn attend<T>(&mut self, turn: impl Future<Output = T>) -> T {
        let mut turn = pin!(turn);
        loop {
            select! {
                biased;
                finished = &mut turn => return finished,
                Some(pending) = self.pending.recv() => self.answer(pending),
            }
        }
    }

    fn answer(&mut self, pending: PendingCall) {
        let why = "`airssys try` runs one component by itself, and there is nobody to call";
        let answer = Err(CallError::Host(HostError::Unavailable(why.to_owned())));
        // A caller that gave up does not want it.
        let _ = pending.reply.send(answer);
        if self.calls.len() < MAX_CALLS {
            self.calls.push(pending.call.into());
        }
    }
}

/// An engine for a single guest, of whatever size.
fn engine() -> Result<Arc<WasmtimeEngine>, Failure> {
    let config = EngineConfig {
        profile: Profile::OnDemand,
        ..EngineConfig::default()
    };
    WasmtimeEngine::with_config(config)
        .map(Arc::new)
        .map_err(|e| advice::no_engine(&e))
}

fn as_ns<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
