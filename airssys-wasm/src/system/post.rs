//! How messages get to the actors of a system.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::{Answer, Envelope};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::storage::commit::Commit;
use crate::core::storage::row::RowKey;
use crate::core::storage::store::{Committed, Store};
use crate::system::node::Node;

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
        // It is a dead letter now, and no message any more.
        let mut refused = refused;
        refused.envelope.stored = None;
        match refused.envelope.answer {
            Answer::Nobody => Ok(()),
            Answer::Waiting { .. } | Answer::Callback => Err(refused),
        }
    }

    fn bury_undelivered(&self, refused: Refused) {
        self.bury_letter(&refused);
    }

    fn is_durable(&self, actor: &ComponentId) -> bool {
        Node::is_durable(self, actor)
    }

    /// What was granted when it subscribed may have been revoked since, and a rule may speak of
    /// this topic and not of the pattern. Of what is not heard hardly anything is told: who
    /// publishes decides how often.
    fn may_hear(&self, actor: &ComponentId, topic: &str) -> bool {
        let Some(access) = self.access_of(actor.component()) else {
            return false;
        };
        let now_ms = || self.clock.now().unix_ms;
        let Err(denial) = access.check_hearing(actor, topic, now_ms) else {
            return true;
        };
        if let Some(denial) = denial {
            self.denied(actor, &denial);
        }
        false
    }

    fn has_room_for(&self, actor: &ComponentId, bytes: u64) -> bool {
        let Some(deployment) = self.deployment(actor) else {
            return true;
        };
        if self.is_durable(actor) {
            return self.admit(actor, bytes).is_ok();
        }
        match self.directory.find(actor) {
            Some(cell) => cell.mailbox.has_room_for(bytes),
            None => deployment.waiting.has_room_for_first(bytes),
        }
    }

    fn commit(&self, commit: Commit) -> Option<u64> {
        match self.store.append(commit) {
            Ok(committed) => Some(committed.seq()),
            Err(error) => {
                self.halt(&error);
                None
            }
        }
    }
}

impl Node {
    /// Makes a dead letter of what could not be delivered.
    fn bury_letter(&self, refused: &Refused) {
        let envelope = &refused.envelope;
        let mut commit = Commit::default();
        if let Some(number) = envelope.stored {
            commit.remove(envelope.to(), RowKey::Message(number));
        }
        let letter = DeadLetter {
            letter: envelope.content.clone(),
            trace_parent: envelope.trace_parent.clone(),
            reason: DeathCause::Undelivered(refused.reason),
            attempts: 0,
            turn: None,
            at_ms: self.clock.now().unix_ms,
        };
        if let Err(error) = self.bury(letter, commit) {
            self.halt(&error);
        }
    }
}
