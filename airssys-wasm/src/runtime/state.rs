//! What lives beside an instance, and what host functions see of it.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

// Layer 3: Internal module imports
use crate::core::limits::Limits;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::recorded::Learnt;
use crate::core::turn::recorder::Recorder;
use crate::runtime::conversion::Stopped;
use crate::runtime::engine::HostState;
use crate::runtime::epoch::Stopwatch;
use crate::runtime::folder_usage::FolderUsages;
use crate::runtime::host_fn::wasi::environment::EnvironmentView;
use crate::runtime::host_fn::wasi::files_view::FilesView;
use crate::runtime::host_fn::wasi::sockets::SocketsView;
use crate::runtime::host_fn::wasi::state::WasiState;
use crate::runtime::limiter::ResourceLimiter;
use crate::runtime::lines::Lines;
use crate::runtime::rate::Rate;
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
    /// How much it may send.
    pub(crate) sending: Rate,
    pub(crate) lines: Arc<Lines>,
    usages: Arc<FolderUsages>,
    /// Made for the components that import WASI, and only for them.
    wasi: Option<Box<WasiState>>,
}

/// What holds an instance to its limits.
pub(crate) struct Meters {
    pub(crate) limiter: ResourceLimiter,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) slice: Slice,
    pub(crate) usages: Arc<FolderUsages>,
}

impl StoreState {
    pub(crate) fn new(settings: Arc<InstanceSettings>, keys: Keyspace, meters: Meters) -> Self {
        let Meters {
            limiter,
            stopwatch,
            slice,
            usages,
        } = meters;
        let ticker = stopwatch.ticker();
        let sending = Rate::new(settings.limits.messages_per_s, ticker);
        let lines = Arc::new(Lines::new(Arc::clone(&settings), ticker));
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
            sending,
            lines,
            usages,
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

    /// Ends a turn, and what may not outlive it.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.slice.end();
        if let Some(wasi) = &mut self.wasi {
            wasi.end(&mut self.host.resource_table);
        }
    }

    /// What the turn has learnt from the host.
    pub(crate) fn take_learnt(&mut self) -> Learnt {
        if let Some(wasi) = &self.wasi {
            wasi.turn.tell(&mut self.recorder.notes);
        }
        self.recorder.notes.take(&self.keys)
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

    /// Tells the operator when an actor logs more than it may.
    #[inline]
    pub(crate) fn report_dropped_lines(&self) {
        let dropped = self.recorder.dropped_log_lines(self.limits());
        if dropped > 0 {
            self.lines.drop_some(dropped);
        }
        self.lines.report();
    }
}

impl StoreState {
    /// The WASI side, and what a guest holds handles of.
    fn wasi(&mut self) -> (&mut WasiState, &mut ResourceTable) {
        let wasi = self.wasi.get_or_insert_with(|| {
            let (settings, lines) = (&self.settings, &self.lines);
            let mut wasi = WasiState::new(settings, lines, &self.usages, &mut self.recorder);
            wasi.count_in(&mut self.host.resource_table);
            Box::new(wasi)
        });
        (wasi, &mut self.host.resource_table)
    }

    pub(crate) fn environment(&mut self) -> EnvironmentView<'_> {
        EnvironmentView {
            turn: &self.wasi().0.turn,
        }
    }

    pub(crate) fn files(&mut self) -> FilesView<'_> {
        let (wasi, table) = self.wasi();
        FilesView {
            inner: WasiFilesystemCtxView {
                ctx: wasi.ctx.filesystem(),
                table,
            },
            folders: &mut wasi.folders,
            turn: &wasi.turn,
        }
    }

    pub(crate) fn sockets(&mut self) -> SocketsView<'_> {
        let (wasi, table) = self.wasi();
        SocketsView {
            inner: WasiSocketsCtxView {
                ctx: wasi.ctx.sockets(),
                table,
            },
            peers: &wasi.peers,
            turn: &wasi.turn,
        }
    }
}

impl WasiView for StoreState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (wasi, table) = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.ctx,
            table,
        }
    }
}

impl WasiHttpView for StoreState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let left_ms = self.stopwatch.left_ms();
        let (wasi, table) = self.wasi();
        wasi.http.set_left_ms(left_ms);
        WasiHttpCtxView {
            hooks: &mut wasi.http.hooks,
            table,
            ctx: &mut wasi.http.ctx,
        }
    }
}
