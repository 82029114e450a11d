//! What an actor needs of the system around it.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::cell::Cell;
use crate::component::clock::Clock;
use crate::component::deployment::{Deployment, Failed};
use crate::component::directory::Directory;
use crate::component::effects::{Planned, Released};
use crate::component::supervision::restart::Failure;
use crate::component::supervision::status::Standing;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::event::Event;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::commit::Commit;
use crate::core::storage::store::{Store, StoreError};
use crate::core::turn::guest::{Guest, Pace};

/// The system around actors, as they see it: the system itself, or a test.
///
/// All of it answers at once; only the store waits.
pub trait World: Sized + Send + Sync + 'static {
    /// What actors run.
    type Guest: Guest;
    /// Where their state is kept.
    type Store: Store;
    /// What turns want to happen, worked out.
    type Plan: Send;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// The time.
    fn clock(&self) -> &Clock;

    /// The actors that are live.
    fn directory(&self) -> &Directory<Self>;

    /// The component of an actor, if there is one.
    fn deployment(&self, actor: &ComponentId) -> Option<Arc<Deployment<Self::Guest>>>;

    /// All components.
    fn deployments(&self) -> Vec<Arc<Deployment<Self::Guest>>>;

    /// Whether an actor may be activated.
    fn standing(&self, actor: &ComponentId) -> Standing;

    /// Runs an actor, among those of its pace.
    fn spawn(self: &Arc<Self>, pace: Pace, actor: Actor<Self>);

    /// Works out what a turn wants to happen outside its actor, and adds what that puts on
    /// disk to the turn's commit. Nothing has happened yet.
    fn plan(self: &Arc<Self>, planned: Planned<'_>, commit: &mut Commit) -> Self::Plan;

    /// Carries out what was planned, of a turn that is committed.
    fn release(self: &Arc<Self>, plan: Self::Plan, released: Released<'_>);

    /// Keeps a message that nobody will handle, and commits that with all else that the
    /// commit has.
    ///
    /// # Errors
    ///
    /// When the store has failed.
    fn bury(
        &self,
        letter: DeadLetter,
        commit: Commit,
    ) -> Result<<Self::Store as Store>::Committed, StoreError>;

    /// A durable actor is activated. Tells its mailbox what waits for it on disk, as far as is
    /// known.
    fn woken(&self, cell: &Cell);

    /// Activates an actor when there is room, since messages for it wait on disk.
    fn wake_later(&self, actor: &ComponentId, waiting: Backlog);

    /// Reports that an actor failed. What its supervisor decides arrives as signals.
    fn failed(self: &Arc<Self>, actor: &ComponentId, failure: Failure);

    /// Reports that a version failed in its first time, once more than it may.
    fn revert(
        self: &Arc<Self>,
        deployment: &Arc<Deployment<Self::Guest>>,
        failed: Failed<Self::Guest>,
    );

    /// Stops the system, since a commit failed and nothing more can be promised.
    fn halt(&self, error: &StoreError);

    /// Tells whoever watches.
    fn tell(&self, event: impl FnOnce() -> Event);
}
