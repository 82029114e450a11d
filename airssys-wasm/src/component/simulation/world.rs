//! A world for scripted guests.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

// Layer 2: Third-party crate imports
use futures_channel::oneshot;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::Cell;
use crate::component::clock::Clock;
use crate::component::deployment::{Deployment, Failed, MakeGuest, Making};
use crate::component::directory::Directory;
use crate::component::effects::{Planned, Released};
use crate::component::mailbox::Signal;
use crate::component::settings::ActorSettings;
use crate::component::simulation::guest::{Script, ScriptedGuest};
use crate::component::supervision::restart::Failure;
use crate::component::supervision::status::Standing;
use crate::component::world::World;
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::delivery::envelope::{Answer, Envelope, Letter};
use crate::core::delivery::post::Admission;
use crate::core::delivery::refusal::Refusal;
use crate::core::event::Event;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::row::MessageNumber;
use crate::core::storage::store::{
    ActorRecord, Committed, MessagePage, PageLimit, Store, StoreError, VersionId,
};
use crate::core::turn::call::CallOutcome;
use crate::core::turn::effects::Outgoing;
use crate::core::turn::guest::Pace;

/// One component, `sim/guest`, whose guests are scripted.
pub(crate) struct SimulatedWorld {
    pub(crate) script: Arc<Script>,
    pub(crate) store: SimulatedStore,
    pub(crate) deployment: Arc<Deployment<ScriptedGuest>>,
    pub(crate) dead: Mutex<Vec<DeadLetter>>,
    pub(crate) failures: Mutex<Vec<Failure>>,
    pub(crate) halted: Mutex<Option<StoreError>>,
    standing: Mutex<HashMap<ComponentId, Standing>>,
    clock: Clock,
    directory: Directory<Self>,
}

/// Keeps actors in memory, counts commits, and fails at the one that it is told to.
#[derive(Debug, Default)]
pub(crate) struct SimulatedStore {
    memory: MemoryRecords,
    pub(crate) commits: AtomicU64,
    pub(crate) fails_at: AtomicU64,
}

type MemoryRecords = Mutex<HashMap<ComponentId, ActorRecord>>;

/// Proof of a simulated commit.
pub(crate) struct Simulated(());

impl Committed for Simulated {
    fn seq(&self) -> u64 {
        0
    }
}

impl Store for SimulatedStore {
    type Committed = Simulated;

    fn append(&self, _commit: Commit) -> Result<Simulated, StoreError> {
        let count = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        match count == self.fails_at.load(Ordering::Relaxed) {
            false => Ok(Simulated(())),
            true => Err(StoreError::Stopped("scripted".into())),
        }
    }

    fn room(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }

    fn durable(&self, _seq: u64) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }

    fn load(&self, actor: &ComponentId, _kept: Durability) -> Result<ActorRecord, StoreError> {
        let record = self.memory.lock().unwrap().remove(actor);
        Ok(record.unwrap_or_default())
    }

    fn passivate(
        &self,
        actor: &ComponentId,
        _kept: Durability,
        record: ActorRecord,
    ) -> Result<(), StoreError> {
        self.memory.lock().unwrap().insert(actor.clone(), record);
        Ok(())
    }

    fn messages(
        &self,
        _actor: &ComponentId,
        _after: MessageNumber,
        _limit: PageLimit,
    ) -> Result<MessagePage, StoreError> {
        Ok(MessagePage::default())
    }

    fn answer(
        &self,
        _actor: &ComponentId,
        _periods: [u64; 2],
        _id: &Arc<str>,
    ) -> Result<Option<CallOutcome>, StoreError> {
        Ok(None)
    }
}

pub(crate) fn version(label: &str) -> VersionId {
    VersionId {
        digest: Digest::of(label.as_bytes()),
        label: label.into(),
    }
}

pub(crate) fn actor(instance: &str) -> ComponentId {
    ComponentId::new("sim", "guest", instance)
}

impl SimulatedWorld {
    pub(crate) fn new(settings: ActorSettings) -> Arc<Self> {
        Self::with_room(settings, 100)
    }

    pub(crate) fn with_room(settings: ActorSettings, max_live: usize) -> Arc<Self> {
        let script = Arc::new(Script::default());
        let make = Self::maker("v1", &script);
        let name = "sim/guest".to_owned();
        Arc::new(Self {
            store: SimulatedStore::default(),
            deployment: Arc::new(Deployment::new(name, settings, vec![], version("v1"), make)),
            script,
            dead: Mutex::default(),
            failures: Mutex::default(),
            halted: Mutex::default(),
            standing: Mutex::default(),
            clock: Clock::start(),
            directory: Directory::new(max_live),
        })
    }

    fn maker(label: &'static str, script: &Arc<Script>) -> MakeGuest<ScriptedGuest> {
        let script = Arc::clone(script);
        Box::new(move |making: Making<'_>| {
            ScriptedGuest::new(making.actor, label, &script, making.keys)
        })
    }

    /// Makes a version the current one, on trial.
    pub(crate) fn switch_to(self: &Arc<Self>, label: &'static str) {
        let make = Arc::new(Self::maker(label, &self.script));
        let now_ms = self.clock.now().clock_ms;
        self.deployment
            .try_version(Arc::new(version(label)), make, now_ms);
        for cell in self.directory.cells() {
            cell.mailbox.signal(Signal::Switch);
        }
    }

    /// Sends a message from `airssys/test/main`.
    pub(crate) fn send(
        self: &Arc<Self>,
        to: &str,
        kind: &str,
        payload: &str,
    ) -> Result<(), Refusal> {
        let envelope = Envelope::tell(message(to, kind, payload));
        let sent = self.directory.deliver(self, envelope, Admission::Asked);
        sent.map_err(|refused| refused.reason)
    }

    /// Sends a message and waits for what comes of it.
    pub(crate) async fn ask(self: &Arc<Self>, to: &str, kind: &str, payload: &str) -> CallOutcome {
        let (answer, answered) = oneshot::channel();
        let mut envelope = Envelope::tell(message(to, kind, payload));
        envelope.answer = Answer::waiting(answer, 0);
        self.directory
            .deliver(self, envelope, Admission::Asked)
            .unwrap();
        answered.await.unwrap().among_actors(&mut 0)
    }

    /// Bars an actor.
    pub(crate) fn bar(&self, instance: &str, standing: Standing) {
        self.standing
            .lock()
            .unwrap()
            .insert(actor(instance), standing);
    }
}

fn message(to: &str, kind: &str, payload: &str) -> ComponentMessage {
    let from = ComponentId::new("airssys", "test", "main");
    ComponentMessage::new(from, actor(to), kind.into(), payload.into())
}

impl World for SimulatedWorld {
    type Guest = ScriptedGuest;
    type Store = SimulatedStore;
    type Plan = Vec<Outgoing>;

    fn store(&self) -> &SimulatedStore {
        &self.store
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn directory(&self) -> &Directory<Self> {
        &self.directory
    }

    fn deployment(&self, actor: &ComponentId) -> Option<Arc<Deployment<ScriptedGuest>>> {
        (actor.component() == "sim/guest").then(|| Arc::clone(&self.deployment))
    }

    fn deployments(&self) -> Vec<Arc<Deployment<ScriptedGuest>>> {
        vec![Arc::clone(&self.deployment)]
    }

    fn standing(&self, actor: &ComponentId) -> Standing {
        let standing = self.standing.lock().unwrap().get(actor).copied();
        standing.unwrap_or(Standing::Running)
    }

    fn spawn(self: &Arc<Self>, _pace: Pace, actor: Actor<Self>) {
        tokio::spawn(actor.run());
    }

    fn plan(self: &Arc<Self>, planned: Planned<'_>, _commit: &mut Commit) -> Vec<Outgoing> {
        planned.outgoing
    }

    fn release(self: &Arc<Self>, plan: Vec<Outgoing>, released: Released<'_>) {
        for outgoing in plan {
            let Outgoing::Send { to, content } = outgoing else {
                continue;
            };
            let from = released.from.clone();
            let message = ComponentMessage::new(from, to, content.kind, content.payload);
            let envelope = Envelope::tell(message);
            self.directory
                .deliver(self, envelope, Admission::Promised)
                .unwrap();
        }
    }

    fn bury(&self, letter: DeadLetter, commit: Commit) -> Result<Simulated, StoreError> {
        self.dead.lock().unwrap().push(letter);
        self.store.append(commit)
    }

    fn woken(&self, _cell: &Cell) {}

    fn wake_later(&self, _actor: &ComponentId, _waiting: Backlog) {}

    fn failed(self: &Arc<Self>, _actor: &ComponentId, failure: Failure) {
        self.failures.lock().unwrap().push(failure);
    }

    fn revert(
        self: &Arc<Self>,
        deployment: &Arc<Deployment<ScriptedGuest>>,
        failed: Failed<ScriptedGuest>,
    ) {
        deployment.revert(&failed);
    }

    fn halt(&self, error: &StoreError) {
        *self.halted.lock().unwrap() = Some(error.clone());
    }

    fn tell(&self, _event: impl FnOnce() -> Event) {}
}

impl SimulatedWorld {
    /// The kinds of the messages that were given up, with how often they were tried.
    pub(crate) fn dead(&self) -> Vec<(String, u32)> {
        let dead = self.dead.lock().unwrap();
        let kind = |letter: &Letter| letter.kind().to_owned();
        dead.iter()
            .map(|it| (kind(&it.letter), it.attempts))
            .collect()
    }
}
