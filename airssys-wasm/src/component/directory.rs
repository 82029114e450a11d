//! The actors that are live, by address.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use hashbrown::{DefaultHashBuilder, HashTable};

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::{Cell, Shared};
use crate::component::deployment::{Counters, Deployment};
use crate::component::mailbox::{Mailbox, NotTaken, Signal};
use crate::component::places::Claim;
use crate::component::queue::Capacity;
use crate::component::room::{Place, Room};
use crate::component::supervision::status::Standing;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::post::Admission;
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::memory::Shortage;
use crate::core::storage::backlog::Backlog;
use crate::core::turn::guest::Pace;

/// How many parts the table is in. Threads that reach for different actors seldom meet.
const SHARDS: usize = 64;

/// How many actors one sweep passivates for those that wait.
const MAX_EVICTED: usize = 256;

/// One of so many actors of a component is passivated in a sweep when memory is short.
const PART_FOR_MEMORY: usize = 32;

/// Finds actors by their addresses, and activates those that are not live.
///
/// An address costs nothing while its actor is not live. How many are live at once is
/// bounded, for each component and for all: one more makes room by passivating the one that
/// was not used for longest, but for those of components that have little room.
#[derive(Debug)]
pub struct Directory<W> {
    shards: Box<[Mutex<Shard>]>,
    hasher: DefaultHashBuilder,
    room: Arc<Room>,
    is_closed: AtomicBool,
    _world: PhantomData<fn() -> W>,
}

type Shard = HashTable<Arc<Cell>>;

/// A place among the live actors of a component, and among all. It is given back by being
/// dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    _own: Place,
    _common: Place,
}

impl<W: World> Directory<W> {
    /// A directory with room for so many live actors.
    pub fn new(max_live: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            room: Arc::new(Room::new(max_live)),
            is_closed: AtomicBool::new(false),
            _world: PhantomData,
        }
    }

    /// Puts a message into its receiver's mailbox, and activates the receiver if it is
    /// not live.
    ///
    /// # Errors
    ///
    /// The message and why it was not taken.
    pub fn deliver(
        &self,
        world: &Arc<W>,
        envelope: Envelope,
        admission: Admission,
    ) -> Result<(), Refused> {
        let mut envelope = envelope;
        loop {
            let cell = match self.find_or_activate(world, envelope.to()) {
                Ok(cell) => cell,
                // What is on disk can wait there.
                Err(reason) if envelope.stored.is_some() && reason.may_pass() => {
                    let mut waiting = Backlog::default();
                    waiting.add(&envelope.content);
                    world.wake_later(envelope.to(), waiting);
                    return Ok(());
                }
                Err(reason) => {
                    let envelope = Box::new(envelope);
                    return Err(Refused { envelope, reason });
                }
            };
            // Before it can be handled, so that no more is ever handled than was accepted.
            Counters::count(&cell.counters.accepted);
            let taken = match admission {
                Admission::Asked => cell.mailbox.offer(envelope),
                Admission::Promised => cell.mailbox.put(envelope),
            };
            let Err(not_taken) = taken else {
                return Ok(());
            };
            cell.counters.accepted.fetch_sub(1, Ordering::Relaxed);
            envelope = match not_taken {
                NotTaken::Full(envelope) => {
                    let reason = Refusal::MailboxFull;
                    return Err(Refused { envelope, reason });
                }
                // It was passivated this very moment; its address is free again.
                NotTaken::Closed(envelope) => *envelope,
            };
        }
    }

    /// The cell of an actor that is live.
    #[inline]
    pub fn find(&self, actor: &ComponentId) -> Option<Arc<Cell>> {
        let hash = self.hasher.hash_one(actor);
        let shard = self.shard(hash);
        shard.find(hash, |cell| cell.address == *actor).cloned()
    }

    /// The cell of an actor, which is activated if it is not live.
    ///
    /// # Errors
    ///
    /// When there is no such component, or the actor may not run.
    pub fn find_or_activate(
        &self,
        world: &Arc<W>,
        actor: &ComponentId,
    ) -> Result<Arc<Cell>, Refusal> {
        match self.find(actor) {
            Some(cell) => Ok(cell),
            None => self.activate(world, actor),
        }
    }

    fn activate(&self, world: &Arc<W>, actor: &ComponentId) -> Result<Arc<Cell>, Refusal> {
        let Some(deployment) = world.deployment(actor) else {
            return Err(Refusal::UnknownTarget);
        };
        if let Some(refusal) = world.standing(actor).refusal() {
            return Err(refusal);
        }
        let always = deployment.always.iter().any(|i| i == actor.instance());
        let shared = Shared {
            counters: Arc::clone(&deployment.counters),
            room: Arc::clone(&deployment.room),
        };
        let capacity = Capacity::of(&deployment.settings.limits);
        let waiting = Arc::clone(&deployment.waiting);
        let mailbox = match deployment.settings.durability.is_durable() {
            true => Mailbox::of_durable(capacity, waiting),
            false => Mailbox::new(capacity, waiting),
        };
        let made = Arc::new(Cell::new(actor.clone(), mailbox, always, shared));
        let hash = self.hasher.hash_one(actor);
        {
            let mut shard = self.shard(hash);
            // Looked at under the lock, so that no actor begins after the last was ended.
            if self.is_closed.load(Ordering::Relaxed) {
                return Err(Refusal::ShuttingDown);
            }
            if let Some(other) = shard.find(hash, |cell| cell.address == *actor) {
                return Ok(Arc::clone(other));
            }
            self.admit_one_more(&deployment)?;
            self.room.enter();
            deployment.room.enter();
            let rehash = |cell: &Arc<Cell>| self.hasher.hash_one(&cell.address);
            shard.insert_unique(hash, Arc::clone(&made), rehash);
        }
        if deployment.settings.durability.is_durable() {
            world.woken(&made);
        }
        // Looked at again, since who ends actors looks for those that are in the table.
        match world.standing(actor) {
            Standing::Running => {}
            Standing::GivenUp => made.mailbox.signal(Signal::GiveUp),
            Standing::Ended => made.mailbox.signal(Signal::Stop),
        }
        let actor = Actor::new(Arc::clone(world), Arc::clone(&made), deployment);
        world.spawn(Pace::Quick, actor);
        Ok(made)
    }

    /// Whether one more actor of a component may begin, or wait for room.
    ///
    /// # Errors
    ///
    /// When too many wait: of all, or of the component.
    pub(crate) fn admit_one_more(&self, deployment: &Deployment<W::Guest>) -> Result<(), Refusal> {
        if self.room.is_full_for(deployment.room.len()) {
            return Err(Refusal::NoRoom);
        }
        if deployment.room.is_full() {
            let allowed = deployment.settings.limits.live_actors;
            return Err(Refusal::TooManyLive { allowed });
        }
        Ok(())
    }

    /// All actors that are live.
    pub fn cells(&self) -> Vec<Arc<Cell>> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| lock(shard).iter().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// How many actors are live.
    pub fn len(&self) -> usize {
        self.room.len()
    }

    /// Whether no actor is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets no further actor begin.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        // Whoever began to activate one under a lock has finished when we had them all.
        self.shards.iter().for_each(|shard| drop(lock(shard)));
    }

    /// Takes an actor out, if no messages wait for it.
    pub(crate) fn retire(&self, cell: &Arc<Cell>) -> bool {
        let hash = self.hasher.hash_one(&cell.address);
        let mut shard = self.shard(hash);
        if !cell.mailbox.close_if_empty() {
            return false;
        }
        self.take_out(&mut shard, hash, cell);
        true
    }

    /// Takes an actor out, and returns the messages that waited for it.
    pub(crate) fn remove(&self, cell: &Arc<Cell>) -> VecDeque<Envelope> {
        let hash = self.hasher.hash_one(&cell.address);
        let mut shard = self.shard(hash);
        self.take_out(&mut shard, hash, cell);
        cell.mailbox.close()
    }

    fn take_out(&self, shard: &mut Shard, hash: u64, cell: &Arc<Cell>) {
        if let Ok(entry) = shard.find_entry(hash, |other| Arc::ptr_eq(other, cell)) {
            entry.remove();
            self.room.leave();
            cell.room.leave();
        }
        cell.retire();
    }

    /// Waits for room for one more live actor, which others make by being passivated: first
    /// among those of its component, so that who waits there keeps nobody else waiting.
    pub(crate) async fn room(
        &self,
        world: &Arc<W>,
        deployment: &Deployment<W::Guest>,
        cell: &Cell,
    ) -> Option<Seat> {
        let claim = Claim {
            actor: cell.address.clone(),
            always: cell.always,
        };
        let evict_own = || evict_of(world, deployment);
        let own = deployment.room.place(claim.clone(), || 1, evict_own);
        let own = own.await?;
        let components = || world.deployments().len();
        let evict = || {
            self.evict(world, &world.deployments(), |it| {
                it.name == deployment.name || self.room.is_beyond(&it.name)
            });
        };
        let common = self.room.place(claim, components, evict).await?;
        Some(Seat {
            _own: own,
            _common: common,
        })
    }

    /// Passivates the actors that were idle for as long as their component allows, and as
    /// many of the others as there are actors waiting for room.
    pub fn sweep(&self, world: &Arc<W>) {
        let now_ms = world.clock().now().clock_ms;
        let deployments = world.deployments();
        self.room.share_among(deployments.len());
        let mut all_beyond = 0;
        for deployment in &deployments {
            let before_ms = now_ms.saturating_sub(deployment.settings.idle_ms);
            while let Some(cell) = deployment.live.take_older(before_ms) {
                ask_to_leave(deployment, &cell, now_ms);
            }
            // Who has its part and still waits found others busy. Its own are what it can
            // count on.
            let beyond = self.room.waiting_beyond(&deployment.name);
            all_beyond += beyond;
            let waiting = deployment.room.waiting() + beyond;
            for _ in 0..waiting.min(MAX_EVICTED) {
                evict_of(world, deployment);
            }
        }
        let others = self.room.waiting().saturating_sub(all_beyond);
        for _ in 0..others.min(MAX_EVICTED) {
            self.evict(world, &deployments, |it| self.room.is_beyond(&it.name));
        }
        for deployment in &deployments {
            if deployment.memory.shortage().is_some() {
                // Some, since nobody knows how much of it each has.
                let some = deployment.room.len() / PART_FOR_MEMORY + 1;
                (0..some.min(MAX_EVICTED)).for_each(|_| self.make_memory(world, deployment));
            }
        }
    }

    /// Asks an actor to be passivated if little memory is left for those of a component.
    pub(crate) fn make_memory(&self, world: &Arc<W>, deployment: &Deployment<W::Guest>) {
        match deployment.memory.shortage() {
            None => {}
            Some(Shortage::OfComponent) => evict_of(world, deployment),
            Some(Shortage::OfSystem) => {
                self.evict(world, &world.deployments(), |it| it.memory.is_beyond_part());
            }
        }
    }

    /// Asks the actor that was not used for longest to be passivated: among those of components
    /// that may lose one, which are the one that wants something and all that have more than
    /// their part, so that nobody loses that to others.
    fn evict(
        &self,
        world: &Arc<W>,
        deployments: &[Arc<Deployment<W::Guest>>],
        may_lose: impl Fn(&Deployment<W::Guest>) -> bool,
    ) {
        let oldest_of = |may_lose: &dyn Fn(&Deployment<W::Guest>) -> bool| {
            let deployments = deployments.iter().filter(|it| may_lose(it));
            deployments
                .filter_map(|deployment| Some((deployment.live.oldest_ms()?, deployment)))
                .min_by_key(|(used_ms, _)| *used_ms)
        };
        let beyond = oldest_of(&may_lose);
        if let Some((_, deployment)) = beyond.or_else(|| oldest_of(&|_any| true)) {
            evict_of(world, deployment);
        }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table uses the lowest and the highest bits.
        lock(&self.shards[(hash >> 32) as usize % SHARDS])
    }
}

/// Asks the actor of a component that was not used for longest to be passivated.
fn evict_of<W: World>(world: &Arc<W>, deployment: &Deployment<W::Guest>) {
    if let Some(cell) = deployment.live.take_older(u64::MAX) {
        ask_to_leave(deployment, &cell, world.clock().now().clock_ms);
    }
}

/// Asks an actor to be passivated. Should it have something to do after all, it is looked
/// at again when it was idle once more.
fn ask_to_leave<G>(deployment: &Deployment<G>, cell: &Arc<Cell>, now_ms: u64) {
    cell.mailbox.signal(Signal::Passivate);
    cell.use_at(now_ms);
    deployment.live.insert(cell);
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Standing {
    /// Why an actor with this standing takes no messages, if it takes none.
    pub(crate) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Running => None,
            Self::GivenUp => Some(Refusal::GivenUp),
            Self::Ended => Some(Refusal::Stopped),
        }
    }
}
