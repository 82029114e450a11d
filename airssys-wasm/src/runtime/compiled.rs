//! A component that is compiled and linked, shared by all its instances.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{PoolConcurrencyLimitError, Store};

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::runtime::errors::{ComponentFault, FaultKind, MissingExport, WasmError};
use crate::core::storage::keyspace::Keyspace;
use crate::runtime::bindings::exports::{
    callback, handler, health, lifecycle, metadata, migration,
};
use crate::runtime::epoch::EpochClock;
use crate::runtime::host_fn::wasi;
use crate::runtime::limiter::{ResourceLimiter, Room};
use crate::runtime::outline::Outline;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::slab::is_slab_full;
use crate::runtime::state::StoreState;
use crate::runtime::store::at_epoch;

/// A component, ready to be instantiated any number of times.
///
/// Everything that can be done once is done here: compiling, linking, finding the
/// exports.
pub struct CompiledComponent {
    digest: Digest,
    outline: Outline,
    may_suspend: bool,
    pre: InstancePre<StoreState>,
    exports: ExportIndices,
    clock: Arc<EpochClock>,
    room: Room,
}

/// What the engine contributes to a component.
pub(crate) struct Linkage<'a> {
    pub(crate) linker: &'a Linker<StoreState>,
    pub(crate) clock: &'a Arc<EpochClock>,
    pub(crate) room: Room,
}

/// Where the component's exports are. All but the handler are optional for every
/// component; a component without a handler is no actor, and can be loaded all the
/// same.
struct ExportIndices {
    handler: Option<handler::GuestIndices>,
    lifecycle: Option<lifecycle::GuestIndices>,
    callback: Option<callback::GuestIndices>,
    migration: Option<migration::GuestIndices>,
    health: Option<health::GuestIndices>,
    metadata: Option<metadata::GuestIndices>,
}

/// The exports of one instance.
pub(crate) struct Guest {
    pub(crate) handler: Option<handler::Guest>,
    pub(crate) lifecycle: Option<lifecycle::Guest>,
    pub(crate) callback: Option<callback::Guest>,
    pub(crate) migration: Option<migration::Guest>,
    pub(crate) health: Option<health::Guest>,
    pub(crate) metadata: Option<metadata::Guest>,
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
        let denied = outline.denied_imports();
        let linked = if denied.is_empty() {
            linker.instantiate_pre(component)
        } else {
            let mut own = linker.clone();
            wasi::deny(&mut own, component, &denied).and_then(|()| own.instantiate_pre(component))
        };
        let pre = linked.map_err(|e| wrong_type(&e))?;
        Ok(Self {
            digest,
            may_suspend: outline.may_suspend(),
            exports: ExportIndices {
                handler: handler::GuestIndices::new(&pre).ok(),
                lifecycle: lifecycle::GuestIndices::new(&pre).ok(),
                callback: callback::GuestIndices::new(&pre).ok(),
                migration: migration::GuestIndices::new(&pre).ok(),
                health: health::GuestIndices::new(&pre).ok(),
                metadata: metadata::GuestIndices::new(&pre).ok(),
            },
            outline,
            pre,
            clock: Arc::clone(linkage.clock),
            room: linkage.room,
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

    /// What wasmtime made of it, to be loaded again by an engine like this one.
    pub(crate) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        self.pre.component().serialize()
    }

    /// A store for one instance, with every limit of the engine set.
    pub(crate) fn store(
        &self,
        settings: &Arc<InstanceSettings>,
        keys: Keyspace,
    ) -> Store<StoreState> {
        let clock = Arc::clone(&self.clock);
        let limiter = ResourceLimiter::new(settings.limits.memory_bytes, self.room);
        let settings = Arc::clone(settings);
        let state = StoreState::new(settings, keys, limiter, clock, self.may_suspend);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limiter);
        let limits = store.data().limits();
        let (bytes, handles) = (limits.hostcall_bytes, limits.resource_handles);
        store.set_hostcall_fuel(to_usize(bytes));
        store.set_max_component_handles(to_usize(handles));
        if self.may_suspend {
            store.epoch_deadline_callback(|store| Ok(at_epoch(store.data())));
        }
        store
    }

    /// Makes an instance in `store`.
    pub(crate) async fn instantiate(
        &self,
        store: &mut Store<StoreState>,
    ) -> wasmtime::Result<Guest> {
        let instance = if self.may_suspend {
            self.pre.instantiate_async(&mut *store).await?
        } else {
            self.pre.instantiate(&mut *store)?
        };
        self.guest(store, &instance)
    }

    /// Why no instance could be made: the guest, a limit, or the engine.
    pub(crate) fn instantiation_error(&self, error: wasmtime::Error) -> WasmError {
        let full = error.is::<PoolConcurrencyLimitError>() || is_slab_full(&error);
        if full {
            let room = self.room.instances.unwrap_or_default();
            let exceeded = LimitExceeded::beyond(Limit::Instances, room);
            return WasmError::ResourceLimitExceeded(exceeded);
        }
        let words = format!("{error:#}");
        match WasmError::from(error) {
            WasmError::RuntimeError(fault) if fault.kind == FaultKind::Other => {
                WasmError::InstantiationFailed(words)
            }
            error => error,
        }
    }

    /// Finds the exports of one instance, and checks their types.
    fn guest(&self, store: &mut Store<StoreState>, instance: &Instance) -> wasmtime::Result<Guest> {
        let exports = &self.exports;
        Ok(Guest {
            handler: exports
                .handler
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
            lifecycle: exports
                .lifecycle
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
            callback: exports
                .callback
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
            migration: exports
                .migration
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
            health: exports
                .health
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
            metadata: exports
                .metadata
                .as_ref()
                .map(|e| e.load(&mut *store, instance))
                .transpose()?,
        })
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
