//! WasmtimeEngine: compiling components and calling them by handle.

// Layer 1: Standard library imports
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

// Layer 2: Third-party crate imports
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceTable};
use wasmtime::{Config, Engine};

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::digest::Digest;
use crate::core::component::handle::ComponentHandle;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::runtime::errors::WasmError;
use crate::core::runtime::traits::RuntimeEngine;
use crate::core::storage::keyspace::Keyspace;
use crate::core::ticker::Ticker;
use crate::core::turn::call::Reply;
use crate::runtime::artefact::Artefact;
use crate::runtime::compiled::{CompiledComponent, Linkage};
use crate::runtime::config::{EngineConfig, MemoryAccess, Profile};
use crate::runtime::epoch::EpochClock;
use crate::runtime::folder_usage::FolderUsages;
use crate::runtime::host_fn::link;
use crate::runtime::limiter::Room;
use crate::runtime::loaded::{Input, LoadedComponent};
use crate::runtime::outline::Outline;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;
use crate::runtime::store::StoreManager;

/// Host state passed to WASM components: what host functions that an embedder adds may
/// work on. What the runtime itself needs lives around it, in [`StoreState`].
pub struct HostState {
    /// The component ID for this instance.
    pub component_id: ComponentId,
    /// Resource table for component resources.
    pub resource_table: ResourceTable,
}

/// WASM runtime engine using the wasmtime Component Model.
///
/// It compiles components, each once however often it is loaded, and makes the stores
/// in which their instances run. As a [`RuntimeEngine`] it also runs their turns by
/// handle. It can be shared between threads; turns of different handles run side by
/// side.
pub struct WasmtimeEngine {
    engine: Engine,
    memory_access: MemoryAccess,
    linker: Linker<StoreState>,
    /// For components that do not fit a slot of the pool.
    unpooled: Option<(Engine, Linker<StoreState>)>,
    clock: Arc<EpochClock>,
    room: Room,
    usages: Arc<FolderUsages>,
    /// The interfaces that an embedder added.
    offered: BTreeSet<String>,
    compiled: Mutex<HashMap<Digest, Weak<CompiledComponent>>>,
    loaded: RwLock<HashMap<u64, Arc<Mutex<LoadedComponent>>>>,
    next_handle_id: AtomicU64,
}

impl WasmtimeEngine {
    /// Create a new WasmtimeEngine with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`with_config`](Self::with_config).
    pub fn new() -> Result<Self, WasmError> {
        Self::with_config(EngineConfig::default())
    }

    /// Creates an engine.
    ///
    /// # Errors
    ///
    /// [`InstantiationFailed`](WasmError::InstantiationFailed) when the configuration is
    /// impossible, or the system lacks the address space or the thread that it needs.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a configuration is used once"
    )]
    pub fn with_config(config: EngineConfig) -> Result<Self, WasmError> {
        let settings = config.wasmtime().map_err(WasmError::InstantiationFailed)?;
        let (engine, linker) = engine_and_linker(&settings)?;
        let unpooled = match config.profile {
            Profile::Throughput { .. } => Some(engine_and_linker(&MemoryAccess::Guarded.config())?),
            Profile::Density { .. } | Profile::OnDemand => None,
        };
        let mut clocked = vec![engine.clone()];
        clocked.extend(unpooled.iter().map(|(engine, _)| engine.clone()));
        let clock = EpochClock::start(clocked, config.epoch_tick).map_err(|e| {
            WasmError::InstantiationFailed(format!("starting the epoch clock: {e}"))
        })?;
        Ok(Self {
            engine,
            memory_access: config.memory_access(),
            linker,
            unpooled,
            clock: Arc::new(clock),
            room: config.room(),
            usages: Arc::default(),
            offered: BTreeSet::new(),
            compiled: Mutex::default(),
            loaded: RwLock::default(),
            next_handle_id: AtomicU64::new(1),
        })
    }

    /// Get the wasmtime Engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What tells the time of the engine's clock, in ticks.
    pub fn ticker(&self) -> &Ticker {
        self.clock.ticker()
    }

    /// Get the linker.
    pub fn linker(&self) -> &Linker<StoreState> {
        &self.linker
    }

    /// Get the mutable linker, to replace functions that guests may import already; for
    /// interfaces of one's own see [`offer`](Self::offer). Components compiled before do
    /// not see the change, nor do components too large for the pool.
    pub fn linker_mut(&mut self) -> &mut Linker<StoreState> {
        &mut self.linker
    }

    /// Offers an interface of one's own, `namespace:package/name@version`, to all
    /// components that are loaded from now on. `define` adds its functions, and may be
    /// called once for each place that instances are laid out in.
    ///
    /// ```
    /// use airssys_wasm::runtime::engine::WasmtimeEngine;
    ///
    /// let mut engine = WasmtimeEngine::new()?;
    /// engine.offer("shop:prices/list@1.0.0", |list| {
    ///     list.func_wrap("price", |_store, (sku,): (String,)| Ok((sku.len() as u32,)))
    /// })?;
    /// # Ok::<(), airssys_wasm::core::runtime::errors::WasmError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InstantiationFailed`](WasmError::InstantiationFailed) when `define` fails, or
    /// the name is taken.
    pub fn offer(
        &mut self,
        interface: &str,
        define: impl Fn(&mut LinkerInstance<'_, StoreState>) -> wasmtime::Result<()>,
    ) -> Result<(), WasmError> {
        let unpooled = self.unpooled.iter_mut().map(|(_, linker)| linker);
        for linker in [&mut self.linker].into_iter().chain(unpooled) {
            linker
                .instance(interface)
                .and_then(|mut instance| define(&mut instance))
                .map_err(failed)?;
        }
        self.offered.insert(interface.to_owned());
        Ok(())
    }

    /// A store for one instance of `component`, which continues from `keys`.
    pub fn store(
        &self,
        component: &Arc<CompiledComponent>,
        settings: InstanceSettings,
        keys: Keyspace,
    ) -> StoreManager {
        StoreManager::new(Arc::clone(component), settings, keys)
    }

    /// Loads a component and gets ready to run it; see
    /// [`RuntimeEngine::load_component`].
    ///
    /// # Errors
    ///
    /// As [`RuntimeEngine::load_component`].
    pub fn load_component(
        &self,
        id: &ComponentId,
        bytes: &[u8],
    ) -> Result<ComponentHandle, WasmError> {
        let limits = Limits::default();
        let allowed = limits.component_bytes;
        LimitExceeded::check(Limit::ComponentBytes, allowed, bytes.len() as u64)
            .map_err(WasmError::ResourceLimitExceeded)?;
        let outline = Outline::read(bytes)?;
        outline.check_functions(&limits)?;
        self.check_imports(&outline)?;
        let digest = Digest::of(bytes);
        let component = match self.find(digest) {
            Some(component) => component,
            None => self.load(Artefact::Bytes(&self.compile(bytes)?), digest, outline)?,
        };
        let handle_id = self.allocate_handle_id();
        let loaded = Arc::new(Mutex::new(LoadedComponent::new(id, component)));
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(handle_id, loaded);
        Ok(ComponentHandle::new(id.clone(), handle_id))
    }

    /// Forgets a component; see [`RuntimeEngine::unload_component`].
    ///
    /// # Errors
    ///
    /// None today.
    pub fn unload_component(&self, handle: &ComponentHandle) -> Result<(), WasmError> {
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&handle.handle_id());
        Ok(())
    }

    /// Runs one turn; see [`RuntimeEngine::call_handle_message`].
    ///
    /// # Errors
    ///
    /// As [`RuntimeEngine::call_handle_message`].
    pub fn call_handle_message(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<Option<MessagePayload>, WasmError> {
        self.run(handle, Input::Message(msg))
    }

    /// Runs one turn; see [`RuntimeEngine::call_handle_callback`].
    ///
    /// # Errors
    ///
    /// As [`RuntimeEngine::call_handle_callback`].
    pub fn call_handle_callback(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<(), WasmError> {
        let reply = Reply {
            correlation: msg.correlation(),
            outcome: Ok(Some(msg.payload().clone())),
        };
        self.run(handle, Input::Reply(&reply)).map(|_none| ())
    }

    fn run(
        &self,
        handle: &ComponentHandle,
        input: Input<'_>,
    ) -> Result<Option<MessagePayload>, WasmError> {
        let loaded = {
            let all = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&handle.handle_id()).cloned()
        };
        let loaded = loaded.ok_or_else(|| WasmError::ComponentNotFound(handle.id().to_string()))?;
        let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.run(input)
    }

    /// Compiles a component on this thread, however long that takes. Every engine of this
    /// process can load what comes out, so long as it reaches memories alike.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, WasmError> {
        self.engine.precompile_component(component).map_err(failed)
    }

    /// Loads what a component was compiled to, and links it.
    pub(crate) fn load(
        &self,
        artefact: Artefact<'_>,
        digest: Digest,
        outline: Outline,
    ) -> Result<Arc<CompiledComponent>, WasmError> {
        let (component, linkage) = self.place(|engine| artefact.load(engine)).map_err(failed)?;
        let compiled = CompiledComponent::link(&linkage, &component, digest, outline)?;
        Ok(self.share(compiled))
    }

    /// How the code that it runs reaches linear memories.
    pub(crate) fn memory_access(&self) -> MemoryAccess {
        self.memory_access
    }

    /// Refuses what imports anything that this engine does not offer.
    pub(crate) fn check_imports(&self, outline: &Outline) -> Result<(), WasmError> {
        outline.check_imports(&self.offered)
    }

    /// A component that is compiled already and still in use.
    pub(crate) fn find(&self, digest: Digest) -> Option<Arc<CompiledComponent>> {
        let compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.get(&digest).and_then(Weak::upgrade)
    }

    /// Makes a component in the pool's engine or, if it does not fit a slot there, in
    /// the other one. When neither can, the first one's reason is the one to tell.
    fn place(
        &self,
        make: impl Fn(&Engine) -> wasmtime::Result<Component>,
    ) -> wasmtime::Result<(Component, Linkage<'_>)> {
        let linkage = |linker, room| Linkage {
            linker,
            clock: &self.clock,
            usages: &self.usages,
            room,
        };
        let error = match make(&self.engine) {
            Ok(component) => return Ok((component, linkage(&self.linker, self.room))),
            Err(error) => error,
        };
        match &self.unpooled {
            Some((engine, linker)) => match make(engine) {
                Ok(component) => Ok((component, linkage(linker, Room::default()))),
                Err(_) => Err(error),
            },
            None => Err(error),
        }
    }

    /// Shares a compiled component with whoever loads the same bytes while it lives.
    fn share(&self, component: CompiledComponent) -> Arc<CompiledComponent> {
        let component = Arc::new(component);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.retain(|_, other| other.strong_count() > 0);
        compiled.insert(component.digest(), Arc::downgrade(&component));
        component
    }

    fn allocate_handle_id(&self) -> u64 {
        self.next_handle_id.fetch_add(1, Ordering::Relaxed)
    }
}

impl RuntimeEngine for WasmtimeEngine {
    fn load_component(&self, id: &ComponentId, bytes: &[u8]) -> Result<ComponentHandle, WasmError> {
        Self::load_component(self, id, bytes)
    }

    fn unload_component(&self, handle: &ComponentHandle) -> Result<(), WasmError> {
        Self::unload_component(self, handle)
    }

    fn call_handle_message(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<Option<MessagePayload>, WasmError> {
        Self::call_handle_message(self, handle, msg)
    }

    fn call_handle_callback(
        &self,
        handle: &ComponentHandle,
        msg: &ComponentMessage,
    ) -> Result<(), WasmError> {
        Self::call_handle_callback(self, handle, msg)
    }
}

fn engine_and_linker(config: &Config) -> Result<(Engine, Linker<StoreState>), WasmError> {
    let engine = Engine::new(config).map_err(failed)?;
    let linker = link::linker(&engine).map_err(failed)?;
    Ok((engine, linker))
}

fn failed(error: wasmtime::Error) -> WasmError {
    WasmError::InstantiationFailed(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Store;

    #[test]
    fn test_wasmtime_engine_creation() {
        let engine = WasmtimeEngine::new();
        assert!(engine.is_ok());
    }

    #[test]
    fn test_engine_config() {
        let engine = WasmtimeEngine::new().unwrap();
        // Components can be compiled, and their stores take fuel.
        let component = wat::parse_str("(component)").unwrap();
        assert!(Component::from_binary(engine.engine(), &component).is_ok());
        let mut store = Store::new(engine.engine(), ());
        assert_eq!(
            store.set_fuel(7).and_then(|()| store.get_fuel()).unwrap(),
            7
        );
        // Guests can suspend: the engine has a stack for those that do.
        assert!(Engine::new(&MemoryAccess::Guarded.config()).is_ok());
    }

    #[test]
    fn test_linker_accessible() {
        let engine = WasmtimeEngine::new().unwrap();
        assert!(Engine::same(engine.linker().engine(), engine.engine()));
    }

    #[test]
    fn test_handle_id_allocation() {
        let engine = WasmtimeEngine::new().unwrap();
        let id1 = engine.allocate_handle_id();
        let id2 = engine.allocate_handle_id();
        assert_eq!(id1, 1);
        assert_eq!(id2, 2);
    }

    #[test]
    fn test_unload_nonexistent_component() {
        let engine = WasmtimeEngine::new().unwrap();
        let component_id = ComponentId::new("test", "comp", "0");
        let handle = ComponentHandle::new(component_id, 999);
        // Should succeed even if component doesn't exist
        let result = engine.unload_component(&handle);
        assert!(result.is_ok());
    }

    #[test]
    fn test_call_message_component_not_found() {
        let engine = WasmtimeEngine::new().unwrap();
        let component_id = ComponentId::new("test", "comp", "0");
        let handle = ComponentHandle::new(component_id.clone(), 999);

        let msg = ComponentMessage::new(
            component_id.clone(),
            component_id,
            "test".to_string(),
            MessagePayload::empty(),
        );

        let result = engine.call_handle_message(&handle, &msg);
        assert!(matches!(result, Err(WasmError::ComponentNotFound(_))));
    }

    #[test]
    fn test_wasm_error_display() {
        let err = WasmError::InstantiationFailed("test error".to_string());
        assert!(err.to_string().contains("Instantiation failed"));

        let err = WasmError::ComponentNotFound("comp-1".to_string());
        assert!(err.to_string().contains("Component not found"));
    }
}
