//! A component under its name, with the versions that its actors run.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

// Layer 3: Internal module imports
use crate::component::live_set::LiveSet;
use crate::component::recording::Recordings;
use crate::component::room::Room;
use crate::component::settings::ActorSettings;
use crate::component::waiting::Waiting;
use crate::core::component::id::ComponentId;
use crate::core::memory::ComponentMemory;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::store::VersionId;
use crate::core::storage::usage::Usage;
use crate::core::turn::surroundings::Surroundings;

/// Makes the guest of an actor.
pub type MakeGuest<G> = Box<dyn Fn(Making<'_>) -> G + Send + Sync>;

/// What a guest is made for.
pub struct Making<'a> {
    /// Whose it is to be.
    pub actor: &'a ComponentId,
    /// The state that it continues from.
    pub keys: Keyspace,
    /// Whom it can reach, in place of the system.
    pub surroundings: Option<Arc<dyn Surroundings>>,
}

/// A component under its name: how its actors are run, and what they run.
///
/// The current version can be replaced at any time. Each actor notices between two
/// turns.
pub struct Deployment<G> {
    /// `namespace/name`.
    pub name: String,
    /// How its actors are run.
    pub settings: ActorSettings,
    /// The instances that always run.
    pub always: Vec<String>,
    /// What was counted.
    pub counters: Arc<Counters>,
    /// What its actors keep.
    pub usage: Arc<Usage>,
    /// What its actors have in memory.
    pub memory: Arc<ComponentMemory>,
    /// The turns that were kept.
    pub recordings: Recordings,
    pub(crate) live: LiveSet,
    /// How many of its actors may be live.
    pub(crate) room: Arc<Room>,
    /// What waits for them.
    pub(crate) waiting: Arc<Waiting>,
    versions: RwLock<Versions<G>>,
    /// The number of the current version, where actors see it between two turns.
    current: AtomicU64,
    trial: Mutex<Option<Trial<G>>>,
    /// Whether there is a trial, where it can be seen without taking its lock.
    is_on_trial: AtomicBool,
}

/// One version of a component.
pub struct Version<G> {
    /// Counts the versions of a component, from 1. A version that comes back gets a
    /// number of its own.
    pub number: u64,
    /// Its digest and what it calls itself.
    pub id: Arc<VersionId>,
    /// Makes guests of this version.
    pub make: Arc<MakeGuest<G>>,
}

impl<G> Version<G> {
    /// A guest for an actor in the system.
    pub(crate) fn guest(&self, actor: &ComponentId, keys: Keyspace) -> G {
        (self.make)(Making {
            actor,
            keys,
            surroundings: None,
        })
    }
}

struct Versions<G> {
    /// Those that can be returned to, the current one last.
    kept: VecDeque<Arc<Version<G>>>,
    count: u64,
}

impl<G> Versions<G> {
    /// There always is one.
    fn current(&self) -> Arc<Version<G>> {
        Arc::clone(&self.kept[self.kept.len() - 1])
    }
}

/// The first time of a new version.
struct Trial<G> {
    number: u64,
    until_ms: u64,
    failures: u32,
    /// What was current before.
    before: Arc<Version<G>>,
}

/// Whose failure it is.
pub(crate) enum Blame<G> {
    /// The actor's, whose version is no longer watched.
    Actor,
    /// The version's, which is new.
    Version,
    /// The version's, and it is one more than a new version may have. Told once.
    TooMuch(Failed<G>),
}

/// A version that failed once more than it may in its first time.
pub struct Failed<G> {
    /// Its number.
    pub number: u64,
    /// How often it failed.
    pub failures: u32,
    /// The version to return to.
    pub before: Arc<Version<G>>,
}

/// What was counted since the component was deployed.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages and replies that went into a mailbox.
    pub accepted: AtomicU64,
    /// Those that were handled.
    pub handled: AtomicU64,
    /// Those that the guest rejected.
    pub rejected: AtomicU64,
    /// Those that became dead letters after they were accepted.
    pub buried: AtomicU64,
    /// Those whose sender had given up before they were handled.
    pub expired: AtomicU64,
    /// Turns that failed.
    pub failed: AtomicU64,
    /// Activations.
    pub activated: AtomicU64,
}

impl Counters {
    /// Counts one.
    #[inline]
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl<G> Deployment<G> {
    /// A component with its first version.
    pub fn new(
        name: String,
        settings: ActorSettings,
        always: Vec<String>,
        id: VersionId,
        make: MakeGuest<G>,
    ) -> Self {
        let first = Arc::new(Version {
            number: 1,
            id: Arc::new(id),
            make: Arc::new(make),
        });
        Self {
            name,
            counters: Arc::default(),
            usage: Arc::default(),
            memory: ComponentMemory::unbounded(),
            recordings: Recordings::new(settings.recording),
            room: Arc::new(Room::new(to_usize(settings.limits.live_actors))),
            waiting: Arc::new(Waiting::new(settings.limits.total_mailbox_bytes)),
            settings,
            always,
            live: LiveSet::default(),
            versions: RwLock::new(Versions {
                kept: VecDeque::from([first]),
                count: 1,
            }),
            current: AtomicU64::new(1),
            trial: Mutex::new(None),
            is_on_trial: AtomicBool::new(false),
        }
    }

    /// The same with what its actors keep already.
    #[must_use]
    pub fn with_usage(mut self, usage: Arc<Usage>) -> Self {
        self.usage = usage;
        self
    }

    /// The same with the memory that its actors may have.
    #[must_use]
    pub fn with_memory(mut self, memory: Arc<ComponentMemory>) -> Self {
        self.memory = memory;
        self
    }

    /// The number of the current version.
    #[inline]
    pub fn current_number(&self) -> u64 {
        self.current.load(Ordering::Acquire)
    }

    /// The current version.
    pub fn current(&self) -> Arc<Version<G>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.current()
    }

    /// The versions that can be returned to, the newest first, which is the current one.
    pub fn versions(&self) -> Vec<Arc<Version<G>>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.kept.iter().rev().cloned().collect()
    }

    /// Makes a new version the current one, and watches it for its first time. Returns the
    /// one that was current.
    pub fn try_version(
        &self,
        id: Arc<VersionId>,
        make: Arc<MakeGuest<G>>,
        now_ms: u64,
    ) -> Arc<Version<G>> {
        let mut versions = self.write_versions();
        let before = versions.current();
        let number = self.install(&mut versions, id, make);
        *self.trial() = Some(Trial {
            number,
            until_ms: now_ms.saturating_add(self.settings.upgrade.window_ms),
            failures: 0,
            before: Arc::clone(&before),
        });
        self.is_on_trial.store(true, Ordering::Relaxed);
        before
    }

    /// Returns to a version that is kept. Those that came after it are kept as the oldest,
    /// so that to return once more is to go further back. Returns the one that was current.
    pub fn return_to(&self, version: &Version<G>) -> Arc<Version<G>> {
        let mut versions = self.write_versions();
        let before = versions.current();
        let place = versions
            .kept
            .iter()
            .position(|it| it.number == version.number);
        if let Some(place) = place {
            let newer = versions.kept.split_off(place + 1);
            for version in newer.into_iter().rev() {
                versions.kept.push_front(version);
            }
        }
        let (id, make) = (Arc::clone(&version.id), Arc::clone(&version.make));
        self.install(&mut versions, id, make);
        before
    }

    /// Returns to the version before the one that failed, which is not kept, unless that is
    /// not the current one any more. Says whether it did.
    pub(crate) fn revert(&self, failed: &Failed<G>) -> bool {
        let mut versions = self.write_versions();
        if versions.current().number != failed.number {
            return false;
        }
        versions.kept.pop_back();
        let (id, make) = (&failed.before.id, &failed.before.make);
        self.install(&mut versions, Arc::clone(id), Arc::clone(make));
        true
    }

    /// Makes a version the current one, under a number of its own.
    fn install(
        &self,
        versions: &mut Versions<G>,
        id: Arc<VersionId>,
        make: Arc<MakeGuest<G>>,
    ) -> u64 {
        *self.trial() = None;
        self.is_on_trial.store(false, Ordering::Relaxed);
        versions.count += 1;
        let number = versions.count;
        // One that comes back is kept once.
        versions.kept.retain(|kept| kept.id.digest != id.digest);
        let version = Arc::new(Version { number, id, make });
        versions.kept.push_back(version);
        while versions.kept.len() > self.settings.kept_versions.max(2) {
            versions.kept.pop_front();
        }
        self.current.store(number, Ordering::Release);
        number
    }

    /// Whether the current version is still being watched.
    pub fn is_on_trial(&self, now_ms: u64) -> bool {
        self.trial()
            .as_ref()
            .is_some_and(|trial| now_ms <= trial.until_ms)
    }

    /// Counts a failure of a version, if that is on trial.
    pub(crate) fn failed(&self, number: u64, now_ms: u64) -> Blame<G> {
        if !self.is_on_trial.load(Ordering::Relaxed) {
            return Blame::Actor;
        }
        let mut trial = self.trial();
        let Some(watched) = trial.as_mut().filter(|trial| trial.number == number) else {
            return Blame::Actor;
        };
        watched.failures += 1;
        let is_over = now_ms > watched.until_ms;
        if !is_over && watched.failures <= self.settings.upgrade.max_failures {
            return Blame::Version;
        }
        self.is_on_trial.store(false, Ordering::Relaxed);
        match trial.take() {
            Some(trial) if !is_over => Blame::TooMuch(Failed {
                number,
                failures: trial.failures,
                before: trial.before,
            }),
            _ => Blame::Actor,
        }
    }

    fn write_versions(&self) -> RwLockWriteGuard<'_, Versions<G>> {
        let versions = self.versions.write();
        versions.unwrap_or_else(PoisonError::into_inner)
    }

    fn trial(&self) -> MutexGuard<'_, Option<Trial<G>>> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl<G> fmt::Debug for Deployment<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
