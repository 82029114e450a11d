//! Whom the actors of a system can reach.

// Layer 1: Standard library imports
use std::fmt;
use std::sync::{Arc, Weak};

// Layer 2: Third-party crate imports
use bytes::Bytes;
use futures_channel::oneshot;

// Layer 3: Internal module imports
use crate::component::cell::Cell;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Answer, Envelope};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::Refusal;
use crate::core::limits::Limits;
use crate::core::memory::ComponentMemory;
use crate::core::security::audit::Decision;
use crate::core::security::capability::Capability;
use crate::core::storage::commit::Growth;
use crate::core::storage::gated::Gated;
use crate::core::storage::usage::Usage;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::surroundings::{Opening, PendingOutcome, Surroundings};
use crate::messaging::trace;
use crate::security::access::Access;
use crate::security::audit::log::AuditLog;
use crate::security::denial::Denial;
use crate::system::admission::Presence;
use crate::system::auditing::Deed;
use crate::system::node::Node;
use crate::system::vetting::Vetted;

/// The other actors of a system, as one of them sees them.
pub(crate) struct Neighbourhood {
    /// Weak, since the node owns the actors that own this.
    node: Weak<Node>,
    /// What all actors of the component keep.
    usage: Arc<Usage>,
    /// What they have in memory.
    memory: Arc<ComponentMemory>,
    limits: Limits,
    access: Arc<Access>,
    audit: Arc<AuditLog>,
}

impl Neighbourhood {
    pub(crate) fn new(node: &Arc<Node>, vetted: &Vetted<'_>, access: Arc<Access>) -> Self {
        Self {
            node: Arc::downgrade(node),
            audit: Arc::clone(&node.audit),
            usage: Arc::clone(vetted.usage),
            memory: Arc::clone(vetted.memory),
            limits: vetted.config.limits.clone(),
            access,
        }
    }

    fn node(&self) -> Result<Arc<Node>, HostError> {
        let gone = || HostError::from(Refusal::ShuttingDown);
        self.node.upgrade().ok_or_else(gone)
    }

    /// The time of day, in milliseconds since 1970.
    fn unix_ms(&self) -> u64 {
        let node = self.node.upgrade();
        node.map_or(0, |node| node.clock.now().unix_ms)
    }

    /// Refuses to bring an actor into being, unless that is permitted.
    fn permit_to_wake(
        &self,
        node: &Node,
        actor: &ComponentId,
        target: &ComponentId,
    ) -> Result<(), HostError> {
        let is_there = node.directory.find(target).is_some() || node.has_state(target)?;
        match is_there || actor == target {
            true => Ok(()),
            false => self.permit(actor, Capability::Spawn, target.as_str()),
        }
    }

    async fn exchange(&self, call: Call) -> CallOutcome {
        let node = self.node()?;
        self.permit_to_wake(&node, &call.from, &call.to)?;
        node.router.begin_call(&call.from, &call.to)?;
        let waiting = Waiting {
            cell: node.directory.find(&call.from),
            node,
            caller: call.from.clone(),
        };
        let (answer, answered) = oneshot::channel();
        let envelope = waiting.envelope(call, answer);
        let sent = waiting.node.deliver(envelope, Admission::Asked);
        sent.map_err(|refused| CallError::Host(refused.reason.into()))?;
        let Ok(answered) = answered.await else {
            return Err(CallError::Host(Refusal::ShuttingDown.into()));
        };
        let mut horizon = 0;
        let outcome = answered.among_actors(&mut horizon);
        if let Some(cell) = &waiting.cell {
            cell.depend_on(horizon);
        }
        outcome
    }
}

/// A turn that waits for another. It ends however the waiting ends, also when the caller
/// gives up.
struct Waiting {
    node: Arc<Node>,
    caller: ComponentId,
    /// The caller's, which is live as long as its turn.
    cell: Option<Arc<Cell>>,
}

impl Waiting {
    fn envelope(&self, call: Call, answer: oneshot::Sender<Gated<CallOutcome>>) -> Envelope {
        let now_ms = self.node.clock.now().clock_ms;
        let parent = call.trace_parent.as_deref();
        let message = ComponentMessage::new(call.from, call.to, call.kind, call.payload);
        Envelope {
            answer: Answer::waiting(answer, call.depth),
            trace_parent: parent
                .and_then(|parent| trace::child(parent, rand::random()))
                .map(Arc::from),
            deadline_ms: Some(now_ms.saturating_add(call.timeout_ms.into())),
            horizon: self.cell.as_ref().map_or(0, |cell| cell.horizon()),
            ..Envelope::tell(message.with_correlation(1))
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.node.router.end_call(&self.caller);
    }
}

impl Surroundings for Neighbourhood {
    #[inline]
    fn permit(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        match self
            .access
            .check(actor, capability, resource, || self.unix_ms())
        {
            Ok(()) => {
                if self.audit.sample() {
                    self.note_use(actor, capability, resource);
                }
                Ok(())
            }
            Err(denial) => Err(self.deny(actor, &denial)),
        }
    }

    fn permit_alias(
        &self,
        actor: &ComponentId,
        capability: Capability,
        resource: &str,
    ) -> Result<(), HostError> {
        let checked = self
            .access
            .check_alias(capability, resource, || self.unix_ms());
        checked.map_err(|denial| self.deny(actor, &denial))
    }

    fn is_granted(&self, actor: &ComponentId, capability: Capability, resource: &str) -> bool {
        self.access
            .check(actor, capability, resource, || self.unix_ms())
            .is_ok()
    }

    fn audience(&self, topic: &str) -> u64 {
        let node = self.node.upgrade();
        let audience = node.map_or(0, |node| node.router.subscribers(topic).len());
        (audience as u64).max(1)
    }

    fn admit(
        &self,
        actor: &ComponentId,
        target: &ComponentId,
        bytes: u64,
    ) -> Result<(), HostError> {
        let node = self.node()?;
        match node.admit(target, bytes)? {
            Presence::Live => Ok(()),
            Presence::Asleep => self.permit_to_wake(&node, actor, target),
        }
    }

    fn read_from(
        &self,
        reader: &ComponentId,
        owner: &ComponentId,
        key: &str,
    ) -> Result<Option<Bytes>, HostError> {
        let node = self.node()?;
        let (value, horizon) = node.read_state(owner, key)?;
        if let Some(cell) = node.directory.find(reader) {
            cell.depend_on(horizon);
        }
        Ok(value)
    }

    fn open(&self, actor: &ComponentId, opening: Opening<'_>) -> Option<u64> {
        let node = self.node.upgrade()?;
        let open = node.router.open_of(actor, opening)?;
        Some(open as u64)
    }

    fn admit_growth(&self, growth: Growth) -> Result<(), HostError> {
        let more = growth.bytes.max(0).unsigned_abs();
        self.memory.admit(more).map_err(HostError::QuotaExceeded)?;
        self.usage.admit(&self.limits, growth)
    }

    fn components(&self) -> Arc<[String]> {
        let names = self.node.upgrade().map(|node| node.names());
        let names = names.unwrap_or_default();
        match self.access.may_know_all() {
            true => names,
            false => {
                let unix_ms = self.unix_ms();
                let known = names
                    .iter()
                    .filter(|name| self.access.may_know(name, unix_ms));
                known.cloned().collect()
            }
        }
    }

    fn call(&self, call: Call) -> PendingOutcome<'_> {
        Box::pin(self.exchange(call))
    }
}

impl Neighbourhood {
    /// Writes down a use that was allowed.
    #[cold]
    fn note_use(&self, actor: &ComponentId, capability: Capability, resource: &str) {
        if let Some(node) = self.node.upgrade() {
            let deed = Deed::by_use(capability).on_actor(actor).with(resource);
            node.audit_note(deed, Decision::Allowed, "");
        }
    }

    /// Takes note of a denial, and tells the guest.
    #[cold]
    fn deny(&self, actor: &ComponentId, denial: &Denial) -> HostError {
        if let Some(node) = self.node.upgrade() {
            node.denied(actor, denial);
        }
        HostError::Denied(denial.for_guest())
    }
}

impl fmt::Debug for Neighbourhood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Neighbourhood")
    }
}
