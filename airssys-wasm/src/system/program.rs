//! From bytes to a version that actors can run.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::deployment::{MakeGuest, Making};
use crate::core::component::id::ComponentId;
use crate::core::limits::Limits;
use crate::core::memory::ComponentMemory;
use crate::core::runtime::errors::WasmError;
use crate::core::security::provisions::Provisions;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::store::VersionId;
use crate::core::ticker::Ticker;
use crate::core::turn::context::TurnContext;
use crate::core::turn::surroundings::{Nobody, Surroundings};
use crate::runtime::compiled::CompiledComponent;
use crate::runtime::engine::WasmtimeEngine;
use crate::runtime::loader::ComponentLoader;
use crate::runtime::outline::METADATA;
use crate::runtime::settings::{InstanceSettings, Overrun};
use crate::runtime::store::StoreManager;
use crate::system::compiling::Compiling;
use crate::system::config::component::ComponentConfig;
use crate::system::signing::Checked;

/// The most characters of a version's name that are kept.
const MAX_LABEL: usize = 64;

/// Loads components and makes guests of them.
#[derive(Clone)]
pub(crate) struct Workshop {
    engine: Arc<WasmtimeEngine>,
    loader: Arc<ComponentLoader>,
    compiling: Arc<Compiling>,
}

/// A component that was loaded, as one version of it.
pub(crate) struct Program {
    pub(crate) id: VersionId,
    /// The name of the trusted key that signed it, if one did.
    pub(crate) signer: Option<String>,
    pub(crate) compiled: Arc<CompiledComponent>,
}

/// What the guests of a program are given.
pub(crate) struct Equipment {
    pub(crate) limits: Limits,
    pub(crate) memory: Arc<ComponentMemory>,
    pub(crate) provisions: Arc<Provisions>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
}

impl Workshop {
    pub(crate) fn new(engine: Arc<WasmtimeEngine>, loader: ComponentLoader) -> Self {
        Self {
            engine,
            loader: Arc::new(loader),
            compiling: Arc::default(),
        }
    }

    /// What tells the time.
    pub(crate) fn ticker(&self) -> Ticker {
        self.engine.ticker().clone()
    }

    /// Checks and compiles a component, on a thread where that holds up nobody, and asks
    /// it for its version.
    pub(crate) async fn load(
        &self,
        config: &ComponentConfig,
        checked: Checked,
    ) -> Result<Program, WasmError> {
        let (bytes, signer) = checked.into_parts();
        let loader = Arc::clone(&self.loader);
        let limits = config.limits.clone();
        let load = move || loader.load_within(&limits, &bytes);
        let compiled = self.compiling.run(config.limits.compile_ms, load).await?;
        let label = self.label(config, &compiled).await?;
        Ok(Program {
            id: VersionId {
                digest: compiled.digest(),
                label,
            },
            signer,
            compiled,
        })
    }

    /// What a component calls its version, or the beginning of its digest.
    async fn label(
        &self,
        config: &ComponentConfig,
        compiled: &Arc<CompiledComponent>,
    ) -> Result<String, WasmError> {
        let digest = compiled.digest().to_string();
        let short = digest[..digest.len().min(19)].to_owned();
        if compiled.require_export(METADATA).is_err() {
            return Ok(short);
        }
        let settings = InstanceSettings {
            limits: config.limits.clone(),
            surroundings: Arc::new(Nobody {
                component: config.name.to_string(),
            }),
            overrun: Overrun::HandOver,
            ..InstanceSettings::new(config.name.instance("describe"))
        };
        let mut store = self.engine.store(compiled, settings, Keyspace::default());
        let context = TurnContext::default();
        // `init` is not run: it may want a configuration, and has nothing to say here.
        let described = store.describe_only(context).await?;
        let kept = described.version.chars().filter(|c| !c.is_control());
        let label: String = kept.take(MAX_LABEL).collect();
        Ok(if label.is_empty() { short } else { label })
    }

    /// Makes the guests of a program, equipped like this.
    pub(crate) fn maker(&self, program: &Program, equipment: Equipment) -> MakeGuest<StoreManager> {
        let engine = Arc::clone(&self.engine);
        let compiled = Arc::clone(&program.compiled);
        Box::new(move |making: Making<'_>| {
            let mut limits = equipment.limits.clone();
            if making.surroundings.is_some() {
                // How fast it may send is a matter of the moment, and what it was told of it
                // then it is told again.
                limits.messages_per_s = u64::MAX;
            }
            let settings = InstanceSettings {
                limits,
                memory: Some(Arc::clone(&equipment.memory)),
                provisions: Arc::clone(&equipment.provisions),
                surroundings: making
                    .surroundings
                    .unwrap_or_else(|| Arc::clone(&equipment.surroundings)),
                overrun: Overrun::HandOver,
                ..InstanceSettings::new(ComponentId::clone(making.actor))
            };
            engine.store(&compiled, settings, making.keys)
        })
    }
}
