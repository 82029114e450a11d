//! How a system is put together.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tokio::sync::broadcast;

// Layer 3: Internal module imports
use crate::component::supervision::supervisor::Supervisor;
use crate::core::event::Event;
use crate::core::runtime::errors::WasmError;
use crate::core::security::audit::Operation;
use crate::messaging::dead_letters::{DeadLetters, MAX_DEAD_LETTER_BYTES};
use crate::runtime::cache::CompileCache;
use crate::runtime::compiler::command::CompilerCommand;
use crate::runtime::config::{EngineConfig, Profile};
use crate::runtime::engine::WasmtimeEngine;
use crate::runtime::loader::ComponentLoader;
use crate::system::auditing::{Deed, open_audit};
use crate::system::component_name::ComponentName;
use crate::system::config::component::ComponentConfig;
use crate::system::config::group::GroupConfig;
use crate::system::config::system::{MemoryLayout, SystemConfig};
use crate::system::error::StartError;
use crate::system::handle::System;
use crate::system::janitor;
use crate::system::lanes::Lanes;
use crate::system::machine::half_of_memory;
use crate::system::node::{EVENTS_KEPT, Node, Parts};
use crate::system::program::Workshop;
use crate::system::recovery::open_store;
use crate::system::signing::{Binary, warn_of_expired};

/// Room for instances that are no actors: those that a new version is tried on.
const SPARE_INSTANCES: u32 = 32;

/// The size of a page of WebAssembly memory.
const PAGE_BYTES: u64 = 64 << 10;

/// Puts a system together. What a manifest says, and more, can be said here.
pub struct SystemBuilder {
    config: SystemConfig,
    /// The bytes of components that are not read from files.
    binaries: BTreeMap<ComponentName, Binary>,
    defaults: Box<dyn Fn(&mut ComponentConfig) + Send + Sync>,
    cache: Option<CompileCache>,
    compiler: Option<CompilerCommand>,
    mistake: Option<StartError>,
    events: broadcast::Sender<Event>,
}

impl Default for SystemBuilder {
    fn default() -> Self {
        Self {
            config: SystemConfig::default(),
            binaries: BTreeMap::new(),
            defaults: Box::new(|_| {}),
            cache: None,
            compiler: None,
            mistake: None,
            events: broadcast::Sender::new(EVENTS_KEPT),
        }
    }
}

/// Where a component's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a file. Its signature is beside it, if there is one: in the file of this name with
    /// `.sig` behind it.
    File(PathBuf),
    /// Here.
    Binary(Binary),
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Binary> for Source {
    fn from(binary: Binary) -> Self {
        Self::Binary(binary)
    }
}

impl From<SystemConfig> for SystemBuilder {
    /// Continues from a configuration, for example that of a manifest.
    fn from(config: SystemConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }
}

impl SystemBuilder {
    /// What each component has that is added from here on, unless it says otherwise: what
    /// `[defaults]` is in a manifest.
    #[must_use]
    pub fn defaults(
        mut self,
        defaults: impl Fn(&mut ComponentConfig) + Send + Sync + 'static,
    ) -> Self {
        self.defaults = Box::new(defaults);
        self
    }

    /// Adds a component with default settings, under the name `namespace/name`.
    #[must_use]
    pub fn component(self, name: &str, source: impl Into<Source>) -> Self {
        self.component_with(name, source, |_defaults| {})
    }

    /// Adds a component, and changes its settings.
    #[must_use]
    pub fn component_with(
        mut self,
        name: &str,
        source: impl Into<Source>,
        change: impl FnOnce(&mut ComponentConfig),
    ) -> Self {
        let name: ComponentName = match name.parse() {
            Ok(name) => name,
            Err(source) => {
                self.mistake.get_or_insert(StartError::Name {
                    name: name.to_owned(),
                    source,
                });
                return self;
            }
        };
        let mut config = ComponentConfig::new(name);
        (self.defaults)(&mut config);
        let binary = match source.into() {
            Source::File(path) => {
                config.source = Some(path);
                None
            }
            Source::Binary(binary) => Some(binary),
        };
        change(&mut config);
        self.binaries
            .extend(binary.map(|binary| (config.name.clone(), binary)));
        self.config.components.push(config);
        self
    }

    /// Changes the settings of the system: its groups, how many actors are live at once,
    /// and the rest of [`SystemConfig`].
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut SystemConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Keeps compiled components here, so that the next start is quick.
    #[must_use]
    pub fn cache(mut self, cache: CompileCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Compiles each component in a process of its own. Without one, a component of somebody
    /// whom nobody trusts can keep the processors for minutes, and take all memory: see
    /// [`ComponentLoader::with_compiler`].
    #[must_use]
    pub fn compiler(mut self, compiler: CompilerCommand) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// What happens from the start on: each component that is loaded, each actor that starts.
    pub fn subscribe_events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Starts the system: loads all components, and starts the actors that always run.
    ///
    /// It runs on the tokio runtime that this is called in, if that has many threads, and
    /// else on one of its own.
    ///
    /// # Errors
    ///
    /// When the configuration has a mistake, a component cannot be loaded, or the machine
    /// lacks what the system needs. Nothing runs then.
    pub async fn start(mut self) -> Result<System, StartError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        self.config.check()?;
        self.config.lower_to_ceiling();
        let components = self.config.components.clone();
        let always: usize = components.iter().map(|it| it.run.len()).sum();
        if always >= self.config.max_live_actors {
            return Err(StartError::NoRoom {
                always,
                max_live: self.config.max_live_actors,
            });
        }
        let machine = |error: WasmError| StartError::Machine(error.to_string());
        let engine = WasmtimeEngine::with_config(engine_config(&self.config)).map_err(machine)?;
        let engine = Arc::new(engine);
        let mut loader = ComponentLoader::new(Arc::clone(&engine));
        if let Some(cache) = self.cache {
            loader = loader.with_cache(cache);
        }
        if let Some(compiler) = self.compiler {
            loader = loader.with_compiler(compiler);
        }
        let (store, recovered) = open_store(&self.config)?;
        let node = Arc::new(Node::new(Parts {
            store,
            durability: self.config.data.is_some().then_some(self.config.durability),
            name: self.config.name.clone().unwrap_or_else(|| "airssys".into()),
            max_live: self.config.max_live_actors,
            max_memory_bytes: self.config.max_memory_bytes.unwrap_or_else(half_of_memory),
            dead_letters: DeadLetters::new(self.config.dead_letters, MAX_DEAD_LETTER_BYTES),
            supervisor: supervisor(&self.config)?,
            workshop: Workshop::new(engine, loader),
            trust: self.config.security.trust()?,
            // The data folder is there already, and was empty if it is new.
            audit: open_audit(&self.config)?,
            security: self.config.security.clone(),
            lanes: Lanes::start().map_err(|e| StartError::Machine(e.to_string()))?,
            ceiling: self.config.ceiling,
            shutdown_ms: self.config.shutdown_ms,
            events: self.events,
        }));
        warn_of_expired(&node.trust, node.clock.now().unix_ms);
        node.read_policy().await?;
        // From here on, actors end if this is given up.
        let system = System::new(Arc::clone(&node));
        let added = add_all(&node, components, self.binaries).await;
        node.audited(Deed::of(Operation::Start), added)?;
        node.restore(recovered);
        janitor::start(&node);
        node.wake();
        node.start_always(|_all| true);
        Ok(system)
    }
}

async fn add_all(
    node: &Arc<Node>,
    components: Vec<ComponentConfig>,
    mut binaries: BTreeMap<ComponentName, Binary>,
) -> Result<(), StartError> {
    for config in components {
        let name = config.name.to_string();
        let source = match (binaries.remove(&config.name), config.source.clone()) {
            (Some(binary), _) => Source::Binary(binary),
            (None, Some(path)) => Source::File(path),
            (None, None) => return Err(StartError::NoSource(name)),
        };
        let binary = source.read(config.signature.clone()).await?;
        node.audited_deploy(&name, node.add(config, binary).await)?;
    }
    Ok(())
}

fn supervisor(config: &SystemConfig) -> Result<Supervisor, StartError> {
    let groups: Result<_, _> = config.groups.iter().map(GroupConfig::settings).collect();
    Ok(Supervisor::new(groups?)?)
}

fn engine_config(config: &SystemConfig) -> EngineConfig {
    let live = u32::try_from(config.max_live_actors).unwrap_or(u32::MAX);
    let instances = live.saturating_add(SPARE_INSTANCES);
    let profile = match config.memory {
        MemoryLayout::Throughput => Profile::Throughput { instances },
        MemoryLayout::Density => Profile::Density { instances },
        MemoryLayout::OnDemand => Profile::OnDemand,
    };
    let wanted = config.components.iter().map(|it| it.limits.memory_bytes);
    let default = EngineConfig::default();
    let largest = wanted.max().unwrap_or_default();
    // As large as WebAssembly's memories get, at the most.
    let pages = largest
        .div_ceil(PAGE_BYTES)
        .min(u64::from(u32::MAX) / PAGE_BYTES);
    EngineConfig {
        profile,
        max_memory_bytes: default.max_memory_bytes.max((pages * PAGE_BYTES) as u32),
        ..default
    }
}
