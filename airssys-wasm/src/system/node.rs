//! Everything that a system is made of, and what its actors see of it.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

// Layer 2: Third-party crate imports
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tracing::Level;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::Cell;
use crate::component::clock::Clock;
use crate::component::deployment::{Deployment, Failed};
use crate::component::directory::Directory;
use crate::component::effects::{Planned, Released};
use crate::component::mailbox::Signal;
use crate::component::supervision::restart::Failure;
use crate::component::supervision::status::Standing;
use crate::component::supervision::supervisor::Supervisor;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::limits::Ceiling;
use crate::core::memory::SystemMemory;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::row::{Row, RowKey};
use crate::core::storage::store::{Store, StoreError};
use crate::core::turn::guest::Pace;
use crate::messaging::dead_letters::DeadLetters;
use crate::messaging::plan::{Depends, Plan, Planner};
use crate::messaging::router::{Router, Sender};
use crate::runtime::store::StoreManager;
use crate::security::audit::log::AuditLog;
use crate::security::granted::Granted;
use crate::security::policy::gate::Gate;
use crate::security::signature::trust::Trust;
use crate::storage::actor_store::{ActorStore, Taken};
use crate::system::config::component::ComponentConfig;
use crate::system::config::security::SecurityConfig;
use crate::system::lanes::Lanes;
use crate::system::program::Workshop;
use crate::system::sleepers::Sleepers;
use crate::system::vetting::Accesses;

/// How many events are kept for a watcher that is slow; the oldest are dropped.
pub(crate) const EVENTS_KEPT: usize = 4_096;

/// Everything that a system is made of.
pub struct Node {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) store: ActorStore,
    /// What components keep that do not say so themselves, if anything can be kept.
    pub(crate) default_durability: Option<Durability>,
    pub(crate) directory: Directory<Node>,
    /// What all actors have in memory.
    pub(crate) memory: Arc<SystemMemory>,
    pub(crate) router: Router,
    pub(crate) dead_letters: Mutex<DeadLetters>,
    pub(crate) supervisor: Mutex<Supervisor>,
    pub(crate) workshop: Workshop,
    pub(crate) security: SecurityConfig,
    /// Whose signatures count, as `security` says.
    pub(crate) trust: Arc<Trust>,
    pub(crate) audit: Arc<AuditLog>,
    /// The policy, if there is one.
    pub(crate) policy: Arc<Gate>,
    pub(crate) lanes: Lanes,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) components: RwLock<Components>,
    /// Who sends what comes from outside.
    pub(crate) host: ComponentId,
    /// The most that components may be given.
    pub(crate) ceiling: Ceiling,
    pub(crate) shutdown_ms: u64,
    pub(crate) sleepers: Sleepers,
    /// Whether everything may run, so that nobody needs to ask the supervisor.
    all_may_run: AtomicBool,
    /// Whether messages from outside are refused.
    is_closed: AtomicBool,
    halted: OnceLock<StoreError>,
}

/// A component as the system runs it.
pub(crate) type Deployed = Deployment<StoreManager>;

/// The components of a system.
#[derive(Default)]
pub(crate) struct Components {
    pub(crate) by_name: BTreeMap<String, Component>,
    /// Their names in order, made anew when one is added.
    pub(crate) names: Arc<[String]>,
}

/// A component and how it was configured.
#[derive(Clone)]
pub(crate) struct Component {
    pub(crate) config: Arc<ComponentConfig>,
    pub(crate) deployment: Arc<Deployed>,
    /// What it was granted.
    pub(crate) granted: Arc<Granted>,
    /// What its versions may do.
    pub(crate) accesses: Arc<Accesses>,
    /// Held while its version changes.
    pub(crate) changing: Arc<AsyncMutex<()>>,
}

/// What a node is made from.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) store: ActorStore,
    /// What components keep that do not say so themselves, if anything can be kept.
    pub(crate) durability: Option<Durability>,
    pub(crate) max_live: usize,
    pub(crate) max_memory_bytes: u64,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) supervisor: Supervisor,
    pub(crate) workshop: Workshop,
    pub(crate) security: SecurityConfig,
    /// Whose signatures count, as `security` says.
    pub(crate) trust: Trust,
    pub(crate) audit: AuditLog,
    pub(crate) lanes: Lanes,
    /// The most that components may be given.
    pub(crate) ceiling: Ceiling,
    pub(crate) shutdown_ms: u64,
    pub(crate) events: broadcast::Sender<Event>,
}

impl Node {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            name: parts.name,
            clock: Clock::ticking(parts.workshop.ticker()),
            store: parts.store,
            default_durability: parts.durability,
            directory: Directory::new(parts.max_live),
            memory: SystemMemory::new(parts.max_memory_bytes),
            router: Router::default(),
            dead_letters: Mutex::new(parts.dead_letters),
            supervisor: Mutex::new(parts.supervisor),
            workshop: parts.workshop,
            security: parts.security,
            trust: Arc::new(parts.trust),
            audit: Arc::new(parts.audit),
            lanes: parts.lanes,
            events: parts.events,
            policy: Arc::default(),
            components: RwLock::default(),
            host: ComponentId::new("airssys", "host", "main"),
            ceiling: parts.ceiling,
            shutdown_ms: parts.shutdown_ms,
            sleepers: Sleepers::default(),
            all_may_run: AtomicBool::new(true),
            is_closed: AtomicBool::new(false),
            halted: OnceLock::new(),
        }
    }

    /// A component by its name.
    pub(crate) fn component(&self, name: &str) -> Option<Component> {
        self.read_components().by_name.get(name).cloned()
    }

    /// The names of all components, in order.
    pub(crate) fn names(&self) -> Arc<[String]> {
        Arc::clone(&self.read_components().names)
    }

    pub(crate) fn read_components(&self) -> RwLockReadGuard<'_, Components> {
        self.components
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_component(&self, name: &str) -> bool {
        self.read_components().by_name.contains_key(name)
    }

    /// Refuses what comes from outside once the system is shutting down.
    pub(crate) fn is_open(&self) -> Result<(), Refusal> {
        if self.halted.get().is_some() {
            return Err(Refusal::StoreFailed);
        }
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Refusal::ShuttingDown);
        }
        Ok(())
    }

    /// Takes no more messages from outside. Says whether it took some until now.
    pub(crate) fn close(&self) -> bool {
        !self.is_closed.swap(true, Ordering::Relaxed)
    }

    /// Ends all actors, and lets no further one begin.
    pub(crate) fn end_actors(&self) {
        self.directory.close();
        for cell in self.directory.cells() {
            cell.mailbox.signal(Signal::End);
        }
    }

    /// The sender of what comes from outside.
    pub(crate) fn outside<'a>(&'a self, trace_parent: Option<&'a Arc<str>>) -> Sender<'a> {
        Sender {
            from: &self.host,
            trace_parent,
            at: self.clock.now(),
        }
    }

    /// Why the system stopped, if its store has failed.
    pub(crate) fn halted(&self) -> Option<&StoreError> {
        self.halted.get()
    }

    pub(crate) fn supervisor(&self) -> MutexGuard<'_, Supervisor> {
        self.supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the supervisor has decided.
    pub(crate) fn note_standing(&self, supervisor: &Supervisor) {
        let is_quiet = supervisor.is_quiet();
        self.all_may_run.store(is_quiet, Ordering::Release);
    }

    pub(crate) fn dead_letters(&self) -> MutexGuard<'_, DeadLetters> {
        let letters = self.dead_letters.lock();
        letters.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the actors when nobody can talk to them any more.
pub(crate) struct Owner {
    pub(crate) node: Arc<Node>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.node.close();
        self.node.end_actors();
    }
}

impl World for Node {
    type Guest = StoreManager;
    type Store = ActorStore;
    type Plan = Plan;

    fn store(&self) -> &ActorStore {
        &self.store
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn directory(&self) -> &Directory<Self> {
        &self.directory
    }

    fn deployment(&self, actor: &ComponentId) -> Option<Arc<Deployed>> {
        let components = self.read_components();
        let component = components.by_name.get(actor.component())?;
        Some(Arc::clone(&component.deployment))
    }

    fn deployments(&self) -> Vec<Arc<Deployed>> {
        let components = self.read_components();
        let deployments = components.by_name.values();
        deployments.map(|it| Arc::clone(&it.deployment)).collect()
    }

    fn standing(&self, actor: &ComponentId) -> Standing {
        if self.all_may_run.load(Ordering::Acquire) {
            return Standing::Running;
        }
        self.supervisor().verdict(actor)
    }

    fn spawn(self: &Arc<Self>, pace: Pace, actor: Actor<Self>) {
        self.lanes.spawn(pace, actor.run());
    }

    fn plan(self: &Arc<Self>, planned: Planned<'_>, commit: &mut Commit) -> Plan {
        let sender = Sender {
            from: planned.from,
            trace_parent: planned.trace_parent,
            at: self.clock.now(),
        };
        let mut planner = Planner::new(&self.router, self, sender, commit);
        // Most turns send as much as they ask for, and a vector that grows begins with four.
        let steps = planned.outgoing.len() + usize::from(planned.reply.is_some());
        planner.plan.steps.reserve_exact(steps);
        for outgoing in planned.outgoing {
            planner.add(outgoing);
        }
        if let Some(reply) = planned.reply {
            planner.answer(reply);
        }
        planner.plan
    }

    fn release(self: &Arc<Self>, plan: Plan, released: Released<'_>) {
        let committed = Depends {
            from: released.from,
            seq: released.seq,
            horizon: released.horizon,
        };
        self.router.carry_out(self, plan, committed);
    }

    fn bury(&self, letter: DeadLetter, mut commit: Commit) -> Result<Taken, StoreError> {
        let (to, reason) = (letter.letter.to().clone(), letter.reason.to_string());
        let mut letters = self.dead_letters();
        let pushed = letters.push(letter);
        if self.store.log().is_some() {
            for (id, forgotten) in &pushed.forgotten {
                let key = RowKey::DeadLetter(id.number());
                commit.remove(forgotten.letter.to(), key);
            }
            if let Some(letter) = pushed.letter {
                let key = RowKey::DeadLetter(pushed.id.number());
                commit.put(&to, key, Row::DeadLetter(letter));
            }
        }
        // Within the lock, so that a letter is on disk before it can be forgotten.
        let committed = self.store.append(commit)?;
        drop(letters);
        self.tell(|| Event::DeadLetter {
            id: pushed.id.number(),
            to,
            reason,
        });
        Ok(committed)
    }

    fn woken(&self, cell: &Cell) {
        let waiting = |waiting| cell.mailbox.expect_on_disk(waiting);
        self.sleepers.wake_up(&cell.address, waiting);
    }

    fn wake_later(&self, actor: &ComponentId, waiting: Backlog) {
        self.sleepers.add(actor.clone(), waiting);
    }

    fn failed(self: &Arc<Self>, actor: &ComponentId, failure: Failure) {
        self.supervise(actor, failure);
    }

    fn revert(self: &Arc<Self>, deployment: &Arc<Deployed>, failed: Failed<StoreManager>) {
        self.revert_to(deployment, &failed);
    }

    fn halt(&self, error: &StoreError) {
        // Whoever was still at it when the system ended does it again after the next start.
        if *error == StoreError::Closed {
            return;
        }
        if self.halted.set(error.clone()).is_ok() {
            tracing::error!(target: "airssys", %error, "the store failed: the system stops");
            self.tell(|| Event::StoreFailed {
                reason: error.to_string(),
            });
            self.close();
            self.end_actors();
        }
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        let is_logged = tracing::enabled!(target: "airssys::event", Level::INFO);
        if self.events.receiver_count() == 0 && !is_logged {
            return;
        }
        let event = event();
        tracing::info!(target: "airssys::event", ?event);
        // Nobody may be watching any more.
        drop(self.events.send(event));
    }
}
