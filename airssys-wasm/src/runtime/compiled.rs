//! A component that is compiled and linked, shared by all its instances.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{PoolConcurrencyLimitError, Store};

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::memory::Held;
use crate::core::runtime::errors::{ComponentFault, FaultKind, MissingExport, WasmError};
use crate::core::storage::keyspace::Keyspace;
use crate::runtime::conversion::Stopped;
use crate::runtime::epoch::{EpochClock, Stopwatch};
use crate::runtime::exports::{ExportIndices, Exports};
use crate::runtime::folder_usage::FolderUsages;
use crate::runtime::host_fn::wasi::denied;
use crate::runtime::instance::{at_epoch, within};
use crate::runtime::limiter::{ResourceLimiter, Room};
use crate::runtime::outline::{HANDLER, Outline};
use crate::runtime::pace::Pace;
use crate::runtime::settings::{InstanceSettings, Overrun};
use crate::runtime::slab::is_slab_full;
use crate::runtime::slice::{Mode, Slice};
use crate::runtime::state::{Meters, StoreState};

/// A component, ready to be instantiated any number of times.
///
/// Everything that can be done once is done here: compiling, linking, finding the
/// exports.
pub struct CompiledComponent {
    digest: Digest,
    outline: Outline,
    may_suspend: bool,
    pace: Arc<Pace>,
    pre: InstancePre<StoreState>,
    exports: ExportIndices,
    clock: Arc<EpochClock>,
    room: Room,
    usages: Arc<FolderUsages>,
}

/// What the engine contributes to a component.
pub(crate) struct Linkage<'a> {
    pub(crate) linker: &'a Linker<StoreState>,
    pub(crate) clock: &'a Arc<EpochClock>,
    pub(crate) usages: &'a Arc<FolderUsages>,
    pub(crate) room: Room,
}

impl CompiledComponent {
    /// Links a compiled component.
    pub(crate) fn link(
        linkage: &Linkage<'_>,
        component: &Component,
        digest: Digest,
        outline: Outline,
    ) -> Result<Self, WasmError> {
        let linker = linkage.linker;
        let refused = outline.denied_imports();
        let linked = if refused.is_empty() {
            linker.instantiate_pre(component)
        } else {
            let mut own = linker.clone();
            denied::deny(&mut own, component, &refused)
                .and_then(|()| own.instantiate_pre(component))
        };
        let pre = linked.map_err(|e| wrong_type(&e))?;
        Ok(Self {
            digest,
            may_suspend: outline.may_suspend(),
            pace: Arc::default(),
            exports: ExportIndices::find(&pre),
            outline,
            pre,
            clock: Arc::clone(linkage.clock),
            room: linkage.room,
            usages: Arc::clone(linkage.usages),
        })
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it imports and exports.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// Whether it imports a function that waits. Its turns then run on a stack of
    /// their own, which costs each of them about 150 ns, and need a tokio runtime.
    pub fn may_suspend(&self) -> bool {
        self.may_suspend
    }

    /// Whether turns took long of late that had to [hand over](Overrun::HandOver) their
    /// thread. They then run on stacks of their own, which they leave for others to run,
    /// and are better run apart from quick ones.
    #[inline]
    pub fn is_slow(&self) -> bool {
        self.pace.is_slow()
    }

    /// How its next turn is to be called.
    #[inline]
    pub(crate) fn mode(&self, overrun: Overrun) -> Mode {
        if self.may_suspend || (overrun == Overrun::HandOver && self.is_slow()) {
            Mode::Fiber
        } else {
            Mode::Direct
        }
    }

    /// A store for one instance, with every limit of the engine set.
    pub(crate) fn store(
        &self,
        settings: &Arc<InstanceSettings>,
        keys: Keyspace,
    ) -> Store<StoreState> {
        let limits = &settings.limits;
        let meters = Meters {
            limiter: ResourceLimiter::new(
                limits.memory_bytes,
                self.room,
                Held::of(settings.memory.clone()),
            ),
            stopwatch: Stopwatch::new(Arc::clone(&self.clock), limits.turn_wall_ms),
            slice: Slice::new(Arc::clone(&self.pace), settings.overrun),
            usages: Arc::clone(&self.usages),
        };
        let state = StoreState::new(Arc::clone(settings), keys, meters);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(to_usize(limits.hostcall_bytes));
        store.set_max_component_handles(to_usize(limits.resource_handles));
        store.epoch_deadline_callback(|mut store| Ok(at_epoch(store.data_mut())));
        store
    }

    /// Makes an instance in `store`, and finds its exports.
    pub(crate) async fn instantiate(
        &self,
        store: &mut Store<StoreState>,
        mode: Mode,
    ) -> Result<Exports, WasmError> {
        let made = match mode {
            Mode::Fiber => {
                let allowed = store.data().stopped().turn_wall_ms;
                within(allowed, self.pre.instantiate_async(&mut *store)).await
            }
            Mode::Direct => self.pre.instantiate(&mut *store),
        };
        let instance = made.map_err(|e| self.not_instantiated(e, store.data().stopped()))?;
        let exports = self.exports.load(store, &instance);
        exports.map_err(|e| wrong_type(&e))
    }

    /// Why no instance could be made: the guest, a limit, or the engine.
    fn not_instantiated(&self, error: wasmtime::Error, stopped: Stopped) -> WasmError {
        if error.is::<PoolConcurrencyLimitError>() || is_slab_full(&error) {
            let room = self.room.instances.unwrap_or_default();
            let exceeded = LimitExceeded::beyond(Limit::Instances, room);
            return WasmError::ResourceLimitExceeded(exceeded);
        }
        let words = format!("{error:#}");
        match WasmError::from(error.context(stopped)) {
            WasmError::RuntimeError(fault) if fault.kind == FaultKind::Other => {
                WasmError::InstantiationFailed(words)
            }
            error => error,
        }
    }

    /// The error for calling an interface that the component does not export.
    pub(crate) fn missing(&self, interface: &str) -> WasmError {
        match self.outline.require_export(interface) {
            Err(missing) => missing,
            // The name is there, and is no interface with the function in it.
            Ok(()) => WasmError::ExportNotFound(MissingExport {
                export: interface.to_owned(),
                found: None,
            }),
        }
    }

    /// Refuses a component that cannot be given a message: the interface is there, by its
    /// name, and the function in it is not.
    pub(crate) fn require_handler(&self) -> Result<(), WasmError> {
        match self.exports.has_handler() {
            true => Ok(()),
            false => Err(self.missing(HANDLER)),
        }
    }

    /// Refuses a component that does not export `interface`.
    pub(crate) fn require_export(&self, interface: &str) -> Result<(), WasmError> {
        self.outline.require_export(interface)
    }
}

fn to_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn wrong_type(error: &wasmtime::Error) -> WasmError {
    WasmError::InvalidComponent(ComponentFault::WrongType(format!("{error:#}")))
}
