//! Whom the actors of a system can reach.

// Layer 1: Standard library imports
use std::fmt;
use std::sync::{Arc, Weak};

// Layer 2: Third-party crate imports
use futures_channel::oneshot;

// Layer 3: Internal module imports
use crate::component::cell::Cell;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Answer, Envelope};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::Refusal;
use crate::core::limits::Limits;
use crate::core::storage::commit::Growth;
use crate::core::storage::gated::Gated;
use crate::core::storage::usage::Usage;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::surroundings::{PendingOutcome, Surroundings};
use crate::messaging::trace;
use crate::system::node::Node;

/// The other actors of a system, as one of them sees them.
pub(crate) struct Neighbourhood {
    /// Weak, since the node owns the actors that own this.
    node: Weak<Node>,
    /// What all actors of the component keep.
    usage: Arc<Usage>,
    limits: Limits,
}

impl Neighbourhood {
    pub(crate) fn new(node: Weak<Node>, usage: Arc<Usage>, limits: Limits) -> Self {
        Self {
            node,
            usage,
            limits,
        }
    }

    fn node(&self) -> Result<Arc<Node>, HostError> {
        let gone = || HostError::from(Refusal::ShuttingDown);
        self.node.upgrade().ok_or_else(gone)
    }

    async fn exchange(&self, call: Call) -> CallOutcome {
        let node = self.node()?;
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
            answer: Answer::Waiting(answer),
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
    fn admit(&self, target: &ComponentId) -> Result<(), HostError> {
        Ok(self.node()?.admit(target)?)
    }

    fn admit_growth(&self, growth: Growth) -> Result<(), HostError> {
        self.usage.admit(&self.limits, growth)
    }

    fn components(&self) -> Arc<[String]> {
        self.node
            .upgrade()
            .map_or_else(Arc::default, |node| node.names())
    }

    fn call(&self, call: Call) -> PendingOutcome<'_> {
        Box::pin(self.exchange(call))
    }
}

impl fmt::Debug for Neighbourhood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Neighbourhood")
    }
}
