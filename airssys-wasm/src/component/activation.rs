//! Activation and passivation: how an actor gets an instance, and how it loses it.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::sleep;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::Phase;
use crate::component::deployment::{Counters, Version};
use crate::component::effects::{Following, release};
use crate::component::turn::TurnFailure;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::event::Event;
use crate::core::runtime::errors::WasmError;
use crate::core::storage::commit::{Commit, Growth};
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::row::{ActorStamp, Row, RowKey};
use crate::core::storage::store::{ActorRecord, Store, VersionId};
use crate::core::time::Moment;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::Effects;
use crate::core::turn::guest::Guest;

/// How many turns an actor may run before the disk is told how far it came. It skips as many
/// when it is activated again.
const TURNS_AHEAD: u64 = 1 << 20;

/// How long an actor waits for others to leave, in milliseconds: a quarter of a second in all.
const MEMORY_PAUSES_MS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// An actor that is in memory, with or without an instance.
pub(crate) struct Life<G> {
    pub(crate) guest: G,
    pub(crate) version: Arc<Version<G>>,
    /// The number of its last turn.
    turn: u64,
    /// What the disk says of it, if it is durable.
    stamp: ActorStamp,
    /// What its random numbers are made of, until it is passivated.
    seed: [u8; 32],
    /// What ran it last, which is what wrote its state.
    ran_by: Option<Arc<VersionId>>,
    /// What it was before it migrated, for as long as nothing was written since.
    undo: Option<Box<Undo>>,
}

/// The state of an actor before it migrated to a version that may be reverted yet.
struct Undo {
    keys: Keyspace,
    ran_by: Arc<VersionId>,
}

impl<G: Guest> Life<G> {
    /// What an actor continues from.
    fn begin(
        version: Arc<Version<G>>,
        actor: &ComponentId,
        record: ActorRecord,
        now: Moment,
    ) -> Self {
        Self {
            guest: version.guest(actor, record.keys),
            version,
            // It counts on from the last turn and from the time, so that the number never
            // repeats although next to nothing is kept of actors without state.
            turn: record.turns_below.max(now.unix_ms),
            seed: rand::random(),
            stamp: ActorStamp {
                turns_below: record.turns_below,
                ran_by: record.ran_by.clone(),
            },
            ran_by: record.ran_by,
            undo: None,
        }
    }

    /// Adds what a turn of a durable actor wrote to its commit.
    pub(crate) fn keep(&mut self, commit: &mut Commit, actor: &ComponentId, effects: &Effects) {
        if effects.is_empty() {
            return;
        }
        self.keep_stamp(commit, actor);
        for (key, value) in &effects.writes {
            let row = value.clone().map(Row::Value);
            commit.write(actor, RowKey::State(key.clone()), row);
        }
        if effects.growth != Growth::default() {
            commit.growth = Some((actor.clone(), effects.growth));
        }
    }

    /// Adds who runs the actor and how far its turns may count, if the disk does not say so
    /// yet. For the turns to count on without a row each, it says more than is true.
    fn keep_stamp(&mut self, commit: &mut Commit, actor: &ComponentId) {
        let ran_by = self.ran_by.as_ref().unwrap_or(&self.version.id);
        let is_known = self.stamp.ran_by.as_ref().is_some_and(|it| it == ran_by);
        if is_known && self.turn < self.stamp.turns_below {
            return;
        }
        self.stamp = ActorStamp {
            turns_below: self.turn.saturating_add(TURNS_AHEAD),
            ran_by: Some(Arc::clone(ran_by)),
        };
        commit.put(actor, RowKey::Record, Row::Record(self.stamp.clone()));
    }

    /// What the next turn is given.
    #[inline]
    pub(crate) fn next_context(&mut self, now: Moment) -> TurnContext {
        self.turn += 1;
        TurnContext {
            turn: self.turn,
            now_ms: now.unix_ms,
            seed: self.seed,
            ..TurnContext::default()
        }
    }

    /// Drops the instance, if there is one, to begin anew with one of `version`.
    fn renew(self, version: Arc<Version<G>>, actor: &ComponentId) -> Self {
        Self {
            guest: version.guest(actor, self.guest.into_keys()),
            version,
            ..self
        }
    }

    /// Drops the instance, to begin anew with one of another version. Back at the version
    /// that it came from, an actor that has written nothing since is what it was then; what
    /// has to be written for that comes with it.
    fn change_to(
        mut self,
        version: Arc<Version<G>>,
        actor: &ComponentId,
    ) -> (Self, Option<Effects>) {
        let digest = version.id.digest;
        let keys = self.guest.into_keys();
        if let Some(undo) = self.undo.take_if(|undo| undo.ran_by.digest == digest) {
            let restoring = Effects {
                writes: keys.writes_to(&undo.keys),
                growth: keys.growth_to(&undo.keys),
                ..Effects::default()
            };
            let life = Self {
                guest: version.guest(actor, keys),
                version,
                ran_by: Some(undo.ran_by),
                undo: None,
                ..self
            };
            return (life, Some(restoring));
        }
        let before = self.ran_by.clone().filter(|by| by.digest != digest);
        let undo = before.map(|ran_by| Undo {
            keys: keys.clone(),
            ran_by,
        });
        let life = Self {
            guest: version.guest(actor, keys),
            version,
            undo: undo.map(Box::new),
            ..self
        };
        (life, None)
    }

    /// A turn has written: there is no way back to what the actor was before.
    #[inline]
    pub(crate) fn has_written(&mut self) {
        self.undo = None;
    }

    /// Whether it was never run, or is run by what wrote its state.
    fn is_migrated(&self) -> bool {
        let digest = self.version.id.digest;
        self.ran_by.as_ref().is_none_or(|by| by.digest == digest)
    }

    fn into_record(self) -> ActorRecord {
        ActorRecord {
            turns_below: self.turn.saturating_add(1),
            ran_by: self.ran_by,
            keys: self.guest.into_keys(),
            horizon: 0,
        }
    }
}

impl<W: World> Actor<W> {
    /// Makes sure that there is an instance of the current version.
    pub(crate) async fn ensure_live(&mut self) -> Result<(), TurnFailure> {
        if let Some(life) = &self.life
            && life.version.number == self.deployment.current_number()
            && life.guest.is_live()
        {
            return Ok(());
        }
        self.cell.enter(Phase::Starting);
        self.make_memory().await;
        let life = match self.life.take() {
            Some(life) => life,
            None => self.load().await?,
        };
        let (life, started) = self.begin_anew(life).await;
        if started.is_ok() {
            self.cell.enter(Phase::Ready);
            self.cell.run_by(life.version.number);
        }
        self.life = Some(life);
        started
    }

    /// Takes up the actor's state, if that is not done. Should it fail, the next message
    /// finds out.
    pub(crate) async fn take_up(&mut self) {
        if self.life.is_none() {
            self.life = self.load().await.ok();
        }
    }

    /// Waits for room among the live actors, and takes up the actor's state.
    async fn load(&mut self) -> Result<Life<W::Guest>, TurnFailure> {
        if self.seat.is_none() {
            let directory = self.world.directory();
            let seat = directory.room(&self.world, &self.deployment, &self.cell);
            self.seat = seat.await;
        }
        let address = &self.cell.address;
        let now = self.world.clock().now();
        self.cell.use_at(now.clock_ms);
        if !self.cell.always && !self.is_listed {
            self.is_listed = true;
            self.deployment.live.insert(&self.cell);
        }
        self.admit_to_memory()?;
        let kept = self.deployment.settings.durability;
        let record = self.world.store().load(address, kept);
        let record = record.map_err(TurnFailure::NotCommitted)?;
        self.cell.depend_on(record.horizon);
        let version = self.deployment.current();
        Ok(Life::begin(version, address, record, now))
    }

    /// Has others leave when memory is short, and waits for them for a moment. If nobody can,
    /// the instance is told so that is made nevertheless.
    async fn make_memory(&mut self) {
        for pause_ms in MEMORY_PAUSES_MS {
            let directory = self.world.directory();
            directory.make_memory(&self.world, &self.deployment);
            if self.deployment.memory.admit_one().is_ok() {
                return;
            }
            sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    /// Refuses to take up a state when there is no memory left for any.
    fn admit_to_memory(&self) -> Result<(), TurnFailure> {
        let admitted = self.deployment.memory.admit(0);
        admitted.map_err(|it| TurnFailure::NotStarted(WasmError::ResourceLimitExceeded(it)))
    }

    async fn begin_anew(
        &mut self,
        mut life: Life<W::Guest>,
    ) -> (Life<W::Guest>, Result<(), TurnFailure>) {
        self.cell.run_by(0);
        let current = self.deployment.current();
        if life.version.number != current.number {
            self.let_go(&mut life).await;
            let (changed, restoring) = life.change_to(current, &self.cell.address);
            life = changed;
            if let Some(restoring) = restoring
                && let Err(failure) = self.commit(&mut life, restoring).await
            {
                return (life, Err(failure));
            }
        }
        let started = self.begin(&mut life).await;
        if started.is_err() {
            // Nobody knows how far it came. Its committed state is what it was.
            let version = Arc::clone(&life.version);
            life = life.renew(version, &self.cell.address);
        }
        (life, started)
    }

    /// Runs `init`, and `migrate` where another version wrote the state.
    async fn begin(&mut self, life: &mut Life<W::Guest>) -> Result<(), TurnFailure> {
        let context = life.next_context(self.world.clock().now());
        let effects = life.guest.activate(context).await;
        let effects = effects.map_err(TurnFailure::NotStarted)?;
        self.commit(life, effects).await?;
        Counters::count(&self.deployment.counters.activated);
        let (actor, version) = (&self.cell.address, &life.version.id);
        if life.is_migrated() {
            self.world.tell(|| Event::Activated {
                actor: actor.clone(),
                version: Arc::clone(version),
            });
        } else {
            self.migrate(life).await?;
        }
        life.ran_by = Some(Arc::clone(&life.version.id));
        Ok(())
    }

    async fn migrate(&mut self, life: &mut Life<W::Guest>) -> Result<(), TurnFailure> {
        let from = life.ran_by.clone();
        let from = from.as_ref().map_or("", |by| by.label.as_str());
        let context = life.next_context(self.world.clock().now());
        let effects = life.guest.migrate(from, context).await;
        let effects = effects.map_err(TurnFailure::NotStarted)?;
        life.ran_by = Some(Arc::clone(&life.version.id));
        self.commit(life, effects).await?;
        self.world.tell(|| Event::Switched {
            actor: self.cell.address.clone(),
            version: Arc::clone(&life.version.id),
        });
        Ok(())
    }

    /// Runs `shutdown`. A guest that fails at it is gone all the same.
    async fn let_go(&mut self, life: &mut Life<W::Guest>) {
        if !life.guest.is_live() {
            return;
        }
        let context = life.next_context(self.world.clock().now());
        let failed = match life.guest.shutdown(context).await {
            Ok(effects) => self.commit(life, effects).await.err(),
            Err(error) => Some(TurnFailure::Failed(error)),
        };
        if let Some(failure) = failed {
            self.report(&failure, "shutdown", 1);
        }
    }

    /// Commits what a turn did that no message asked for.
    async fn commit(
        &mut self,
        life: &mut Life<W::Guest>,
        effects: Effects,
    ) -> Result<(), TurnFailure> {
        let (world, actor) = (&self.world, &self.cell.address);
        let mut following = Following::of_none();
        if self.deployment.settings.durability.is_durable() {
            life.keep(&mut following.commit, actor, &effects);
            if life.stamp.ran_by.is_some() {
                life.keep_stamp(&mut following.commit, actor);
            }
        }
        following.send(world, actor, None, effects.outgoing);
        let committed = following.commit(world).await;
        let (committed, plan) = committed.map_err(TurnFailure::NotCommitted)?;
        life.guest.apply(effects.writes);
        self.deployment.usage.add(effects.growth);
        release(world, &self.cell, committed, plan);
        Ok(())
    }

    /// Drops the instance, after its `shutdown`, and begins anew with the next message.
    pub(crate) async fn restart(&mut self) {
        if let Some(mut life) = self.life.take() {
            self.let_go(&mut life).await;
            let version = Arc::clone(&life.version);
            self.life = Some(life.renew(version, &self.cell.address));
            self.settle();
        }
    }

    /// Gives the instance and the state back. Its address stays where it is.
    pub(crate) async fn put_away(&mut self) {
        self.cell.enter(Phase::Ending);
        self.cell.run_by(0);
        if let Some(mut life) = self.life.take() {
            self.let_go(&mut life).await;
            let actor = &self.cell.address;
            let kept = self.deployment.settings.durability;
            let record = life.into_record();
            if let Err(error) = self.world.store().passivate(actor, kept, record) {
                self.world.halt(&error);
            }
            self.world.tell(|| Event::Passivated {
                actor: actor.clone(),
            });
        }
        self.seat = None;
    }
}
