//! What a system tells about itself.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::cell::{Cell, Phase};
use crate::component::deployment::Counters;
use crate::component::supervision::status::{GroupStatus, Standing};
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::storage::durability::Durability;
use crate::core::storage::store::VersionId;
use crate::messaging::router::Open;
use crate::security::audit::status::AuditStatus;
use crate::storage::actor_store::DataInfo;
use crate::storage::log::stats::LogStats;
use crate::system::node::{Component, Node};

/// A system at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemStatus {
    /// Its name.
    pub name: String,
    /// How long it has been running, in milliseconds.
    pub uptime_ms: u64,
    /// The data that it began with, if it keeps any on disk.
    pub data: Option<Arc<DataInfo>>,
    /// Why its store failed, if it did: then it takes no messages until it is started again.
    pub store_failure: Option<String>,
    /// What its store has done, if it keeps data on disk.
    pub store: Option<StoreStatus>,
    /// How its audit log is doing.
    pub audit: AuditStatus,
    /// How many actors are live.
    pub live_actors: usize,
    /// Its components, by name.
    pub components: Vec<ComponentStatus>,
    /// Its groups, in the order of the configuration.
    pub groups: Vec<GroupStatus>,
    /// Timers, requests and subscriptions.
    pub open: Open,
    /// Dead letters that are kept.
    pub dead_letters: usize,
    /// Actors that were stopped, or ended by their policy.
    pub ended_actors: Vec<ComponentId>,
    /// Actors that belong to no group and were given up.
    pub given_up_actors: Vec<ComponentId>,
}

/// What a store has done since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// Commits that are on disk.
    pub commits: u64,
    /// Syncs of the log, each for a batch of commits.
    pub syncs: u64,
    /// Bytes that were written to the log.
    pub log_bytes: u64,
    /// Bytes that the files of the log take up.
    pub log_file_bytes: u64,
    /// Writes that were overtaken by another to the same row before they reached the disk.
    pub coalesced: u64,
    /// Messages, timers and requests that began and ended before they reached the disk.
    pub elided: u64,
    /// How often the log was applied to the tables.
    pub checkpoints: u64,
    /// About how many bytes of memory wait for the log.
    pub unlogged_bytes: u64,
    /// About how many bytes of memory wait for the tables.
    pub unapplied_bytes: u64,
}

/// A component at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// What its actors run.
    pub version: Arc<VersionId>,
    /// The versions that can be returned to, the newest first.
    pub kept_versions: Vec<Arc<VersionId>>,
    /// Whether its version is new and would be reverted if it failed often.
    pub is_on_trial: bool,
    /// How many of its actors are live.
    pub live_actors: usize,
    /// How many messages wait for them in memory.
    pub waiting: usize,
    /// What of that is counted against `total_mailbox_bytes`.
    pub waiting_bytes: u64,
    /// How many more messages wait on disk alone, as far as is known: for them, and for its
    /// actors that are not live.
    pub on_disk: u64,
    /// How many bytes they have together.
    pub on_disk_bytes: u64,
    /// What its actors keep when the process or the machine fails.
    pub durability: Durability,
    /// Bytes of all linear memories and tables of its instances, and of their state.
    pub memory_bytes: u64,
    /// Bytes of all keys and values that its actors keep.
    pub storage_bytes: u64,
    /// How many keys they keep.
    pub storage_keys: u64,
    /// What was counted since it was deployed.
    pub counts: Counts,
}

/// What was counted of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages and replies that went into a mailbox.
    pub accepted: u64,
    /// Those that were handled.
    pub handled: u64,
    /// Those that the guest rejected.
    pub rejected: u64,
    /// Those that became dead letters.
    pub buried: u64,
    /// Those whose sender had given up before they were handled.
    pub expired: u64,
    /// Turns that failed, of messages that were tried again or not.
    pub failed: u64,
    /// Activations.
    pub activated: u64,
}

/// An actor at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorStatus {
    /// Its address.
    pub address: ComponentId,
    /// What it is doing, if it is live.
    pub phase: Option<Phase>,
    /// Whether it may run.
    pub standing: Standing,
    /// How many messages wait for it in memory.
    pub waiting: usize,
    /// How many more wait for it on disk alone, as far as is known, if it is live.
    pub on_disk: u64,
    /// What runs it, if anything does.
    pub version: Option<Arc<VersionId>>,
    /// How long ago it last handled a message, in milliseconds, if it is live.
    pub idle_ms: Option<u64>,
    /// The topics that it subscribed to.
    pub subscriptions: Vec<String>,
}

impl Counts {
    fn of(counters: &Counters) -> Self {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            accepted: read(&counters.accepted),
            handled: read(&counters.handled),
            rejected: read(&counters.rejected),
            buried: read(&counters.buried),
            expired: read(&counters.expired),
            failed: read(&counters.failed),
            activated: read(&counters.activated),
        }
    }
}

impl From<LogStats> for StoreStatus {
    fn from(stats: LogStats) -> Self {
        Self {
            commits: stats.commits,
            syncs: stats.syncs,
            log_bytes: stats.log_bytes,
            log_file_bytes: stats.log_file_bytes,
            coalesced: stats.coalesced,
            elided: stats.elided,
            checkpoints: stats.checkpoints,
            unlogged_bytes: stats.unlogged_bytes,
            unapplied_bytes: stats.unapplied_bytes,
        }
    }
}

impl Node {
    /// The system at this moment.
    pub(crate) fn status(&self) -> SystemStatus {
        let cells = self.directory.cells();
        let components: Vec<_> = self.read_components().by_name.values().cloned().collect();
        let now_ms = self.clock.now().clock_ms;
        let supervisor = self.supervisor();
        SystemStatus {
            name: self.name.clone(),
            uptime_ms: now_ms,
            data: self.store.data().cloned(),
            store_failure: self.halted().map(ToString::to_string),
            store: self.store.log().map(|log| log.stats().into()),
            audit: self.audit.status(),
            live_actors: cells.len(),
            components: components
                .iter()
                .map(|component| self.status_of(component, &cells, now_ms))
                .collect(),
            groups: supervisor.groups(now_ms),
            open: self.router.open(),
            dead_letters: self.dead_letters().len(),
            ended_actors: supervisor.ended_actors(),
            given_up_actors: {
                let given_up = supervisor.given_up_actors();
                given_up.into_iter().map(|it| it.actor).collect()
            },
        }
    }

    /// The live actors at this moment, by address.
    pub(crate) fn actors(&self) -> Vec<ActorStatus> {
        let mut cells = self.directory.cells();
        cells.sort_by(|a, b| a.address.cmp(&b.address));
        cells.iter().map(|cell| self.actor(&cell.address)).collect()
    }

    /// An actor at this moment, live or not.
    pub(crate) fn actor(&self, address: &ComponentId) -> ActorStatus {
        let cell = self.directory.find(address);
        let cell = cell.as_ref();
        let now_ms = self.clock.now().clock_ms;
        let version = cell.and_then(|cell| {
            let versions = self.deployment(address)?.versions();
            let mut versions = versions.into_iter();
            let runs = versions.find(|version| version.number == cell.version())?;
            Some(Arc::clone(&runs.id))
        });
        ActorStatus {
            address: address.clone(),
            phase: cell.map(|cell| cell.phase()),
            standing: self.standing(address),
            waiting: cell.map_or(0, |cell| cell.mailbox.len()),
            on_disk: cell.map_or(0, |cell| cell.mailbox.on_disk().messages),
            version,
            idle_ms: cell.map(|cell| now_ms.saturating_sub(cell.used_ms())),
            subscriptions: self.router.subscriptions_of(address),
        }
    }

    fn status_of(
        &self,
        component: &Component,
        cells: &[Arc<Cell>],
        now_ms: u64,
    ) -> ComponentStatus {
        let deployment = &component.deployment;
        let own = cells
            .iter()
            .filter(|cell| cell.address.component() == deployment.name);
        let versions = deployment.versions();
        let on_disk = self.on_disk(deployment);
        ComponentStatus {
            name: deployment.name.clone(),
            version: Arc::clone(&deployment.current().id),
            kept_versions: versions.iter().map(|it| Arc::clone(&it.id)).collect(),
            is_on_trial: deployment.is_on_trial(now_ms),
            live_actors: own.clone().count(),
            waiting: own.map(|cell| cell.mailbox.len()).sum(),
            waiting_bytes: deployment.waiting.in_memory(),
            on_disk: on_disk.messages,
            on_disk_bytes: on_disk.bytes,
            durability: deployment.settings.durability,
            memory_bytes: deployment.memory.used(),
            storage_bytes: deployment.usage.bytes(),
            storage_keys: deployment.usage.keys(),
            counts: Counts::of(&deployment.counters),
        }
    }
}
