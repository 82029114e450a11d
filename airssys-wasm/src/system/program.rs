//! From bytes to a version that actors can run.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::component::deployment::{MakeGuest, Making};
use crate::core::component::id::ComponentId;
use crate::core::limits::{Limit, LimitExceeded, Limits};
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
use crate::system::config::component::ComponentConfig;

/// The most characters of a version's name that are kept.
const MAX_LABEL: usize = 64;

/// Loads components and makes guests of them.
#[derive(Clone)]
pub(crate) struct Workshop {
    engine: Arc<WasmtimeEngine>,
    loader: Arc<ComponentLoader>,
}

/// A component that was loaded, as one version of it.
pub(crate) struct Program {
    pub(crate) id: VersionId,
    pub(crate) make: MakeGuest<StoreManager>,
}

impl Workshop {
    pub(crate) fn new(engine: Arc<WasmtimeEngine>, loader: ComponentLoader) -> Self {
        Self {
            engine,
            // Each component has a limit of its own, which is checked before.
            loader: Arc::new(loader.with_max_bytes(u64::MAX)),
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
        bytes: Vec<u8>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Program, WasmError> {
        let allowed = config.limits.component_bytes;
        LimitExceeded::check(Limit::ComponentBytes, allowed, bytes.len() as u64)
            .map_err(WasmError::ResourceLimitExceeded)?;
        let loader = Arc::clone(&self.loader);
        let compiled = spawn_blocking(move || loader.load_bytes(&bytes)).await;
        let compiled = compiled
            .unwrap_or_else(|panicked| Err(WasmError::InstantiationFailed(panicked.to_string())))?;
        let label = self.label(config, &compiled).await?;
        Ok(Program {
            id: VersionId {
                digest: compiled.digest(),
                label,
            },
            make: self.maker(config, compiled, surroundings),
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

    fn maker(
        &self,
        config: &ComponentConfig,
        compiled: Arc<CompiledComponent>,
        surroundings: Arc<dyn Surroundings>,
    ) -> MakeGuest<StoreManager> {
        let engine = Arc::clone(&self.engine);
        let limits: Limits = config.limits.clone();
        let provisions = Arc::new(Provisions {
            config: config.config.clone(),
            ..Provisions::default()
        });
        Box::new(move |making: Making<'_>| {
            let settings = InstanceSettings {
                limits: limits.clone(),
                provisions: Arc::clone(&provisions),
                surroundings: making
                    .surroundings
                    .unwrap_or_else(|| Arc::clone(&surroundings)),
                overrun: Overrun::HandOver,
                ..InstanceSettings::new(ComponentId::clone(making.actor))
            };
            engine.store(&compiled, settings, making.keys)
        })
    }
}
