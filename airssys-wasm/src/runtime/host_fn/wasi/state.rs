//! The WASI side of one instance.

// Layer 1: Standard library imports
use std::future::ready;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tracing::Level;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::WasiCtx;

// Layer 3: Internal module imports
use crate::core::turn::recorder::Recorder;
use crate::runtime::folder_usage::FolderUsages;
use crate::runtime::host_fn::wasi::clock::TurnClock;
use crate::runtime::host_fn::wasi::folders::Folders;
use crate::runtime::host_fn::wasi::http::Http;
use crate::runtime::host_fn::wasi::lines::Log;
use crate::runtime::host_fn::wasi::open::{Share, settle};
use crate::runtime::host_fn::wasi::peers::Peers;
use crate::runtime::host_fn::wasi::random::TurnRandom;
use crate::runtime::host_fn::wasi::turn::Turn;
use crate::runtime::lines::Lines;
use crate::runtime::settings::InstanceSettings;

/// The WASI side of one instance.
pub(crate) struct WasiState {
    pub(crate) ctx: WasiCtx,
    pub(crate) turn: Arc<Turn>,
    pub(crate) folders: Folders,
    pub(crate) peers: Arc<Peers>,
    pub(crate) http: Http,
    share: Option<Resource<Share>>,
}

impl WasiState {
    /// Made at the instance's first call of WASI, in the turn that `recorder` records.
    pub(crate) fn new(
        settings: &Arc<InstanceSettings>,
        lines: &Arc<Lines>,
        usages: &Arc<FolderUsages>,
        recorder: &mut Recorder,
    ) -> Self {
        let turn = Arc::new(Turn::new(settings, lines, recorder));
        let peers = Arc::new(Peers::new(&turn));
        let asked = Arc::clone(&peers);
        let ctx = WasiCtx::builder()
            .wall_clock(TurnClock::new(&turn))
            .monotonic_clock(TurnClock::new(&turn))
            .secure_random(TurnRandom(Arc::clone(&turn)))
            .insecure_random(TurnRandom(Arc::clone(&turn)))
            .insecure_random_seed(u128::from(turn.draw()))
            .max_random_size(settings.limits.random_bytes)
            .stdout(Log(Level::INFO, Arc::clone(&turn)))
            .stderr(Log(Level::WARN, Arc::clone(&turn)))
            .allow_tcp(true)
            .allow_udp(true)
            .socket_addr_check(move |address, how| Box::pin(ready(asked.may_use(address, how))))
            .build();
        Self {
            ctx,
            folders: Folders::new(usages),
            http: Http::new(&turn),
            share: None,
            peers,
            turn,
        }
    }

    /// Has what the instance opens counted, among its handles.
    pub(crate) fn count_in(&mut self, table: &mut ResourceTable) {
        self.share = Share::put(table, self.turn.settings.address.component());
    }

    /// Begins a turn.
    pub(crate) fn begin(&mut self, recorder: &mut Recorder) {
        self.turn.begin(recorder);
    }

    /// Ends a turn: what may not outlive it ends, and what may is counted.
    pub(crate) fn end(&mut self, table: &mut ResourceTable) {
        self.http.end(table);
        if let Some(share) = &self.share {
            settle(table, share);
        }
    }
}
