//! One component, loaded and tried.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::limits::Limits;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::runtime::compiled::CompiledComponent;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::actor::{Actor, Cost, Inputs, Use, nanoseconds_since};
use crate::effect::{Effect, UnansweredCall};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::interrupt::Stop;
use crate::measurement::{Figures, Measurement};
use crate::text::Data;
use crate::{advice, compiler};

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
    pub(crate) repeat: Option<Measurement>,
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
    pub(crate) load_ns: u64,
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
    /// What it used, and would have to be granted in a system.
    pub(crate) uses: Vec<Use>,
    pub(crate) cost: Cost,
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
            Turns::Many(turns) => self.repeat(turns, &mut actor, &message, stop).await,
        }
    }

    fn load(
        &mut self,
        engine: &Arc<WasmtimeEngine>,
        plan: &Plan,
    ) -> Result<Arc<CompiledComponent>, Failure> {
        let began = Instant::now();
        let mut loader = ComponentLoader::new(Arc::clone(engine))
            .with_compiler(compiler::command()?)
            .with_limits(plan.limits.clone());
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
            load_ns: nanoseconds_since(began),
        });
        Ok(component)
    }

    async fn activate(&mut self, actor: &mut Actor) -> Result<(), Failure> {
        let (activated, cost) = actor.activate().await;
        let effects = activated.as_ref().map(Effect::all_of).unwrap_or_default();
        self.activation = Some(Activation { effects, cost });
        actor.commit(activated?);
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
            calls: actor.take_calls(),
            uses: actor.take_uses(),
            cost,
        });
        result
    }

    async fn repeat(
        &mut self,
        turns: u32,
        actor: &mut Actor,
        message: &ComponentMessage,
        stop: &Stop,
    ) -> Result<(), Failure> {
        let mut figures = Figures::default();
        let result = figures.measure(turns, actor, message, stop).await;
        self.repeat = figures.summary();
        result
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
