//! Activation and passivation: how an actor gets an instance, and how it loses it.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::Phase;
use crate::component::clock::Now;
use crate::component::deployment::{Counters, Version};
use crate::component::effects::{Released, release};
use crate::component::turn::TurnFailure;
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::event::Event;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::store::{ActorRecord, Store, VersionId};
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::Effects;
use crate::core::turn::guest::Guest;

/// An actor that is in memory, with or without an instance.
pub(crate) struct Life<G> {
    pub(crate) guest: G,
    pub(crate) version: Arc<Version<G>>,
    /// The number of its last turn.
    turn: u64,
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
    fn begin(version: Arc<Version<G>>, actor: &ComponentId, record: ActorRecord, now: Now) -> Self {
        Self {
            guest: version.guest(actor, record.keys),
            version,
            // It counts on from the last turn and from the time, so that the number never
            // repeats although nothing is kept of an actor without state.
            turn: record.turn.max(now.unix_ms),
            seed: rand::random(),
            ran_by: record.ran_by,
            undo: None,
        }
    }

    /// What the next turn is given.
    #[inline]
    pub(crate) fn next_context(&mut self, now: Now) -> TurnContext {
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
    /// that it came from, an actor that has written nothing since is what it was then.
    fn change_to(mut self, version: Arc<Version<G>>, actor: &ComponentId) -> Self {
        let digest = version.id.digest;
        match self.undo.take() {
            Some(undo) if undo.ran_by.digest == digest => Self {
                guest: version.guest(actor, undo.keys),
                version,
                ran_by: Some(undo.ran_by),
                undo: None,
                ..self
            },
            _ => {
                let keys = self.guest.into_keys();
                let before = self.ran_by.clone().filter(|by| by.digest != digest);
                let undo = before.map(|ran_by| Undo {
                    keys: keys.clone(),
                    ran_by,
                });
                Self {
                    guest: version.guest(actor, keys),
                    version,
                    undo: undo.map(Box::new),
                    ..self
                }
            }
        }
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
            turn: self.turn,
            ran_by: self.ran_by,
            keys: self.guest.into_keys(),
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
        if self.permit.is_none() {
            self.permit = self.world.directory().room(&self.world).await;
        }
        let address = &self.cell.address;
        let record = self.world.store().load(address).await;
        let record = record.map_err(TurnFailure::NotCommitted)?;
        let now = self.world.clock().now();
        let version = self.deployment.current();
        self.cell.use_at(now.clock_ms);
        if !self.cell.always && !self.is_listed {
            self.is_listed = true;
            self.deployment.live.insert(&self.cell);
        }
        Ok(Life::begin(version, address, record, now))
    }

    async fn begin_anew(
        &mut self,
        mut life: Life<W::Guest>,
    ) -> (Life<W::Guest>, Result<(), TurnFailure>) {
        self.cell.run_by(0);
        let current = self.deployment.current();
        if life.version.number != current.number {
            self.let_go(&mut life).await;
            life = life.change_to(current, &self.cell.address);
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
        let actor = &self.cell.address;
        let committed = self.world.store().commit(actor, life.turn, &effects.writes);
        let committed = committed.await.map_err(TurnFailure::NotCommitted)?;
        life.guest.apply(effects.writes);
        let released = Released {
            from: actor.clone(),
            outgoing: effects.outgoing,
            trace_parent: None,
        };
        release(&self.world, committed, released);
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
            let stored = self
                .world
                .store()
                .passivate(actor, life.into_record())
                .await;
            if let Err(error) = stored {
                self.world.halt(&error);
            }
            self.world.tell(|| Event::Passivated {
                actor: actor.clone(),
            });
        }
        self.permit = None;
    }
}
