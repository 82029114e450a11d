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
use crate::component::clock::Clock;
use crate::component::deployment::{Deployment, Failed};
use crate::component::directory::Directory;
use crate::component::effects::Released;
use crate::component::mailbox::Signal;
use crate::component::supervision::restart::Failure;
use crate::component::supervision::status::Standing;
use crate::component::supervision::supervisor::Supervisor;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::{Answer, Envelope, ReplyTo};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::event::Event;
use crate::core::storage::store::StoreError;
use crate::core::turn::guest::Pace;
use crate::messaging::dead_letters::DeadLetters;
use crate::messaging::router::{Router, Sender};
use crate::runtime::store::StoreManager;
use crate::storage::memory::MemoryStore;
use crate::system::config::component::ComponentConfig;
use crate::system::lanes::Lanes;
use crate::system::program::Workshop;

/// How many events are kept for a watcher that is slow; the oldest are dropped.
pub(crate) const EVENTS_KEPT: usize = 4_096;

/// Everything that a system is made of.
pub struct Node {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) store: MemoryStore,
    pub(crate) directory: Directory<Node>,
    pub(crate) router: Router,
    pub(crate) dead_letters: Mutex<DeadLetters>,
    pub(crate) supervisor: Mutex<Supervisor>,
    pub(crate) workshop: Workshop,
    pub(crate) lanes: Lanes,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) components: RwLock<Components>,
    /// Who sends what comes from outside.
    pub(crate) host: ComponentId,
    pub(crate) shutdown_ms: u64,
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
    /// Held while its version changes.
    pub(crate) changing: Arc<AsyncMutex<()>>,
}

/// What a node is made from.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) max_live: usize,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) supervisor: Supervisor,
    pub(crate) workshop: Workshop,
    pub(crate) lanes: Lanes,
    pub(crate) shutdown_ms: u64,
    pub(crate) events: broadcast::Sender<Event>,
}

impl Node {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            name: parts.name,
            clock: Clock::ticking(parts.workshop.ticker()),
            store: MemoryStore::new(),
            directory: Directory::new(parts.max_live),
            router: Router::default(),
            dead_letters: Mutex::new(parts.dead_letters),
            supervisor: Mutex::new(parts.supervisor),
            workshop: parts.workshop,
            lanes: parts.lanes,
            events: parts.events,
            components: RwLock::default(),
            host: ComponentId::new("airssys", "host", "main"),
            shutdown_ms: parts.shutdown_ms,
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

    /// Whether an actor may be sent a message now.
    pub(crate) fn admit(&self, target: &ComponentId) -> Result<(), Refusal> {
        match self.directory.find(target) {
            Some(cell) if cell.mailbox.has_space() => Ok(()),
            Some(_) => Err(Refusal::MailboxFull),
            None if !self.has_component(target.component()) => Err(Refusal::UnknownTarget),
            None if self.directory.is_full() => Err(Refusal::NoRoom),
            // To one that was stopped it becomes a dead letter.
            None => Ok(()),
        }
    }

    fn has_component(&self, name: &str) -> bool {
        self.read_components().by_name.contains_key(name)
    }

    /// Refuses what comes from outside once the system is shutting down.
    pub(crate) fn is_open(&self) -> Result<(), Refusal> {
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
            now_ms: self.clock.now().clock_ms,
        }
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

    fn bury_letter(&self, refused: &Refused) {
        self.bury(DeadLetter {
            letter: refused.envelope.content.clone(),
            trace_parent: refused.envelope.trace_parent.clone(),
            reason: DeathCause::Undelivered(refused.reason),
            attempts: 0,
            turn: None,
            at_ms: self.clock.now().unix_ms,
        });
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

impl Post for Arc<Node> {
    /// A message to an actor that was stopped or given up is kept as a dead letter, and
    /// whoever awaits an answer is told besides.
    fn deliver(&self, envelope: Envelope, admission: Admission) -> Result<(), Refused> {
        let Err(refused) = self.directory.deliver(self, envelope, admission) else {
            return Ok(());
        };
        if !matches!(refused.reason, Refusal::Stopped | Refusal::GivenUp) {
            return Err(refused);
        }
        self.bury_letter(&refused);
        match refused.envelope.answer {
            Answer::Nobody => Ok(()),
            Answer::Waiting(_) | Answer::Callback => Err(refused),
        }
    }

    fn bury_undelivered(&self, refused: Refused) {
        self.bury_letter(&refused);
    }
}

impl World for Node {
    type Guest = StoreManager;
    type Store = MemoryStore;

    fn store(&self) -> &MemoryStore {
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

    fn release(self: &Arc<Self>, released: Released) {
        let sender = Sender {
            from: &released.from,
            trace_parent: released.trace_parent.as_ref(),
            now_ms: self.clock.now().clock_ms,
        };
        self.router.release(self, sender, released.outgoing);
    }

    fn answer(self: &Arc<Self>, reply: ReplyTo, trace_parent: Option<Arc<str>>) {
        self.router.answer(self, reply, trace_parent);
    }

    fn bury(&self, letter: DeadLetter) {
        let (to, reason) = (letter.letter.to().clone(), letter.reason.to_string());
        let id = self.dead_letters().push(letter);
        self.tell(|| Event::DeadLetter {
            id: id.number(),
            to,
            reason,
        });
    }

    fn failed(self: &Arc<Self>, actor: &ComponentId, failure: Failure) {
        self.supervise(actor, failure);
    }

    fn revert(self: &Arc<Self>, deployment: &Arc<Deployed>, failed: Failed<StoreManager>) {
        self.revert_to(deployment, &failed);
    }

    fn halt(&self, error: &StoreError) {
        if self.halted.set(error.clone()).is_ok() {
            tracing::error!(target: "airssys", %error, "a commit failed: the system stops");
            self.close();
            self.directory.close();
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
