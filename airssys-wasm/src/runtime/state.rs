//! What lives beside an instance, and what host functions see of it.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtxView, WasiView};

// Layer 3: Internal module imports
use crate::core::limits::Limits;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::recorder::Recorder;
use crate::runtime::conversion::Stopped;
use crate::runtime::engine::HostState;
use crate::runtime::epoch::Stopwatch;
use crate::runtime::host_fn::wasi::WasiState;
use crate::runtime::limiter::ResourceLimiter;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::slice::Slice;

/// Everything that a store holds besides its instance.
///
/// Host functions never see it whole: each interface gets a view of the parts that it
/// works on.
pub struct StoreState {
    pub(crate) host: HostState,
    pub(crate) settings: Arc<InstanceSettings>,
    pub(crate) limiter: ResourceLimiter,
    pub(crate) keys: Keyspace,
    pub(crate) recorder: Recorder,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) slice: Slice,
    /// Made for the components that import WASI, and only for them.
    wasi: Option<Box<WasiState>>,
}

impl StoreState {
    pub(crate) fn new(
        settings: Arc<InstanceSettings>,
        keys: Keyspace,
        limiter: ResourceLimiter,
        stopwatch: Stopwatch,
        slice: Slice,
    ) -> Self {
        let mut resource_table = ResourceTable::new();
        resource_table.set_max_capacity(settings.limits.resource_handles as usize);
        Self {
            host: HostState {
                component_id: settings.address.clone(),
                resource_table,
            },
            limiter,
            keys,
            recorder: Recorder::default(),
            stopwatch,
            slice,
            wasi: None,
            settings,
        }
    }

    /// What host functions that an embedder adds may work on.
    pub fn host(&mut self) -> &mut HostState {
        &mut self.host
    }

    #[inline]
    pub(crate) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Begins a turn.
    #[inline]
    pub(crate) fn begin(&mut self, context: TurnContext) {
        self.stopwatch.start(context.budget_ms);
        self.recorder.begin(context);
        if let Some(wasi) = &mut self.wasi {
            wasi.begin(&mut self.recorder);
        }
    }

    /// What a turn that is stopped now was allowed and has used.
    pub(crate) fn stopped(&self) -> Stopped {
        let limits = self.limits();
        let budget_ms = self.recorder.context().budget_ms;
        Stopped {
            turn_wall_ms: budget_ms.map_or(limits.turn_wall_ms, |ms| ms.min(limits.turn_wall_ms)),
            ..Stopped::new(limits, self.stopwatch.elapsed_ms())
        }
    }

    /// Tells the operator when a turn logged more than it may.
    #[inline]
    pub(crate) fn report_dropped_lines(&self) {
        let dropped = self.recorder.dropped_log_lines(self.limits());
        if dropped > 0 {
            let actor = self.settings.address.as_str();
            tracing::warn!(actor, dropped, "log lines beyond `turn_log_lines`");
        }
    }
}

impl WasiView for StoreState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self
            .wasi
            .get_or_insert_with(|| Box::new(WasiState::new(&self.settings, &mut self.recorder)));
        WasiCtxView {
            ctx: wasi.ctx(),
            table: &mut self.host.resource_table,
        }
    }
}
