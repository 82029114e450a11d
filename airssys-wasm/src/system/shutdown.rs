//! The end of a system.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::mailbox::Signal;
use crate::component::world::World;
use crate::core::event::Event;
use crate::core::security::audit::{Decision, Operation};
use crate::system::auditing::Deed;
use crate::system::node::Node;
use crate::system::waiting::until;

/// How long actors that were told to end may take to do so. A turn that is under way can
/// end no earlier than by its own deadline, and is not waited for that long.
const GRACE: Duration = Duration::from_secs(1);

/// What was left when a system ended. Of durable actors it is there at the next start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShutdownReport {
    /// Messages that were accepted and not handled in time. They became dead letters, but
    /// for those that wait on disk.
    pub messages: u64,
    /// Actors whose turn was still under way.
    pub busy_actors: Vec<String>,
    /// Timers that were not due yet.
    pub timers: usize,
    /// Requests without a reply.
    pub requests: usize,
    /// Dead letters, all in all.
    pub dead_letters: usize,
}

impl ShutdownReport {
    /// Whether everything was handled.
    pub fn is_clean(&self) -> bool {
        self.messages == 0 && self.busy_actors.is_empty()
    }
}

impl Node {
    /// Takes no more messages from outside, lets actors finish what they have for as long
    /// as `patience`, and ends them.
    pub(crate) async fn shut_down(self: &Arc<Self>, patience: Duration) -> ShutdownReport {
        if self.close() {
            self.tell(|| Event::ShuttingDown);
            self.audit_note(Deed::of(Operation::Shutdown), Decision::Allowed, "");
        }
        // An actor is passivated when it has nothing to do, which others may give it.
        let drained = until(patience, || {
            let cells = self.directory.cells();
            for cell in &cells {
                cell.mailbox.signal(Signal::Passivate);
            }
            cells.is_empty()
        });
        drained.await;
        let buried = self.buried();
        self.end_actors();
        until(GRACE, || self.directory.is_empty()).await;
        let open = self.router.open();
        let left = self.directory.cells();
        if let Err(error) = self.store.close().await {
            self.halt(&error);
        }
        self.close_audit().await;
        ShutdownReport {
            messages: self.buried().saturating_sub(buried)
                + left
                    .iter()
                    .map(|cell| cell.mailbox.len() as u64)
                    .sum::<u64>(),
            busy_actors: left.iter().map(|cell| cell.address.to_string()).collect(),
            timers: open.timers,
            requests: open.requests,
            dead_letters: self.dead_letters().len(),
        }
    }

    fn buried(&self) -> u64 {
        self.dead_letters().total()
    }
}
