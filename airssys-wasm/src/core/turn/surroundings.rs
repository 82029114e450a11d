//! What a turn can learn from the system around its actor.

// Layer 1: Standard library imports
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::capability::Capability;
use crate::core::storage::commit::Growth;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::errors::{CallError, HostError};

/// The answer to a call, in the making.
pub type PendingOutcome<'a> = Pin<Box<dyn Future<Output = CallOutcome> + Send + 'a>>;

/// Something that outlives the turn that opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening<'a> {
    /// A message that is sent later.
    Timer,
    /// A request that waits for its reply.
    Request,
    /// A subscription to this pattern.
    Subscription(&'a str),
}

/// Whom an actor can reach. It is asked while a guest runs, so it must answer at once;
/// only calls wait.
pub trait Surroundings: Debug + Send + Sync {
    /// Whether anybody carries out what a turn records.
    ///
    /// # Errors
    ///
    /// The guest is told this error in place of having its messages lost.
    fn attended(&self) -> Result<(), HostError> {
        Ok(())
    }

    /// Whether `actor` may use `capability` for `resource`, whose form is the
    /// capability's. It is asked before anything else at every host call that needs a grant.
    ///
    /// Where nobody grants anything, a guest may do whatever is only recorded, and have what
    /// its instance was handed. What would reach beyond that, to the state of other actors,
    /// the network or the real time, is denied.
    ///
    /// # Errors
    ///
    /// [`Denied`](HostError::Denied) with what is missing.
    fn permit(
        &self,
        _actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        match capability {
            Capability::Storage | Capability::Clock | Capability::Network => {
                let why = format!("nobody grants `{capability}` for {resource:?} here");
                Err(HostError::Denied(why))
            }
            _ => Ok(()),
        }
    }

    /// Whether nobody forbids what `actor` is about to do under another name, which it was
    /// permitted: to reach the address that a name has led to.
    ///
    /// # Errors
    ///
    /// As of `permit`.
    fn permit_alias(
        &self,
        _actor: &ComponentId,
        _capability: Capability,
        _resource: &str,
    ) -> Result<(), HostError> {
        Ok(())
    }

    /// The same question, where a no denies nobody anything: what is not granted only looks
    /// different then. No note is taken of it.
    fn is_granted(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        self.permit(actor, capability, resource).is_ok()
    }

    /// Whether `actor` may send a message of so many bytes to `target` now, which it was
    /// permitted to in general. One that was admitted is delivered even if the receiver's mailbox fills up
    /// until the turn ends.
    ///
    /// # Errors
    ///
    /// What the guest is told.
    fn admit(&self, actor: &ComponentId, target: &ComponentId, bytes: u64)
    -> Result<(), HostError>;

    /// The value of a key of another actor, `owner`, which `reader` was permitted to read.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](HostError::Unavailable) where the state of others cannot be read.
    fn read_from(
        &self,
        _reader: &ComponentId,
        owner: &ComponentId,
        _key: &str,
    ) -> Result<Option<Bytes>, HostError> {
        let why = format!("the state of {owner} cannot be read here");
        Err(HostError::Unavailable(why))
    }

    /// How many timers, requests or subscriptions `actor` has open, those not counted that
    /// this turn has recorded. `None` if one more is no further one, since it has subscribed
    /// to this pattern already.
    fn open(&self, _actor: &ComponentId, _opening: Opening<'_>) -> Option<u64> {
        Some(0)
    }

    /// How many actors hear of what is published on a topic now. It is at least one, since it is
    /// work also if nobody does.
    fn audience(&self, _topic: &str) -> u64 {
        1
    }

    /// What a turn is told where that depends on more than the turn: the answer that was
    /// found; in a turn that is run again, the answer of then.
    ///
    /// # Errors
    ///
    /// That of the answer.
    fn recall(&self, found: Result<(), HostError>) -> Result<(), HostError> {
        found
    }

    /// Whether the actors of this actor's component may keep so much more together.
    ///
    /// # Errors
    ///
    /// [`QuotaExceeded`](HostError::QuotaExceeded) with what is allowed and what would be
    /// kept then.
    fn admit_growth(&self, growth: Growth) -> Result<(), HostError> {
        let _unlimited = growth;
        Ok(())
    }

    /// The components that actors of this component may know of, as `namespace/name`, in
    /// order.
    fn components(&self) -> Arc<[String]>;

    /// Calls another actor. Who waits may give up at any time by dropping the future.
    fn call(&self, call: Call) -> PendingOutcome<'_>;
}

/// An actor by itself: what it sends is recorded for whoever runs its turns, and its
/// calls are answered with `unavailable`.
#[derive(Debug, Clone, Default)]
pub struct Alone {
    /// The components that it may know of, in order.
    pub components: Arc<[String]>,
}

impl Surroundings for Alone {
    fn admit(
        &self,
        _actor: &ComponentId,
        _target: &ComponentId,
        _bytes: u64,
    ) -> Result<(), HostError> {
        Ok(())
    }

    fn components(&self) -> Arc<[String]> {
        Arc::clone(&self.components)
    }

    fn call(&self, _call: Call) -> PendingOutcome<'_> {
        unanswered("nobody answers calls on this host")
    }
}

/// A component without a system: there is nobody to deliver what it sends, so that it
/// is told `unavailable` rather than having its messages lost.
#[derive(Debug, Clone)]
pub struct Nobody {
    /// The component itself, as `namespace/name`.
    pub component: String,
}

impl Surroundings for Nobody {
    fn attended(&self) -> Result<(), HostError> {
        let why = "this host runs components by themselves and delivers no messages";
        Err(HostError::Unavailable(why.into()))
    }

    fn admit(
        &self,
        _actor: &ComponentId,
        _target: &ComponentId,
        _bytes: u64,
    ) -> Result<(), HostError> {
        self.attended()
    }

    fn components(&self) -> Arc<[String]> {
        Arc::new([self.component.clone()])
    }

    fn call(&self, _call: Call) -> PendingOutcome<'_> {
        unanswered("nobody answers calls on this host")
    }
}

/// The answer that a call gets where calls are not answered.
fn unanswered(why: &'static str) -> PendingOutcome<'static> {
    Box::pin(async move { Err(CallError::Host(HostError::Unavailable(why.into()))) })
}
