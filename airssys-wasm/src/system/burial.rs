//! What operators do with dead letters.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::delivery::envelope::{Envelope, Letter};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::commit::Commit;
use crate::core::storage::row::{Row, RowKey};
use crate::messaging::dead_letters::DeadLetterId;
use crate::messaging::plan::complete;
use crate::system::error::ControlError;
use crate::system::node::Node;

impl Node {
    /// Sends a dead letter again, and returns the number of the commit that says so.
    pub(crate) fn retry(self: &Arc<Self>, id: DeadLetterId) -> Result<u64, ControlError> {
        let taken = self.dead_letters().take(id);
        let letter = taken.ok_or(ControlError::NoDeadLetter(id))?;
        let mut envelope = Envelope {
            trace_parent: letter.trace_parent.clone(),
            ..Envelope::new(without_answer(letter.letter.clone()))
        };
        let to = envelope.to().clone();
        let mut commit = self.forgetting(&[(id, Arc::clone(&letter))]);
        if self.is_durable(&to) {
            envelope.stored = Some(commit.put_message(envelope.to_stored(None)));
        }
        let seq = self.commit_wish(commit)?;
        complete(&mut envelope, seq, seq);
        // Not by the post, which would make another dead letter of it.
        let Err(refused) = self.directory.deliver(self, envelope, Admission::Asked) else {
            return Ok(seq);
        };
        let mut commit = Commit::default();
        if let Some(number) = refused.envelope.stored {
            commit.remove(&to, RowKey::Message(number));
        }
        if self.store.log().is_some() {
            let row = Row::DeadLetter(Arc::clone(&letter));
            commit.put(&to, RowKey::DeadLetter(id.number()), row);
        }
        self.dead_letters().put_back(id, letter);
        self.commit_wish(commit)?;
        Err(ControlError::Refused(refused.reason))
    }

    /// Forgets dead letters that were taken out, and returns the number of the commit that
    /// says so.
    pub(crate) fn forget(
        self: &Arc<Self>,
        letters: &[(DeadLetterId, Arc<DeadLetter>)],
    ) -> Result<u64, ControlError> {
        self.commit_wish(self.forgetting(letters))
    }

    fn forgetting(&self, letters: &[(DeadLetterId, Arc<DeadLetter>)]) -> Commit {
        let mut commit = Commit::default();
        if self.store.log().is_some() {
            for (id, letter) in letters {
                let key = RowKey::DeadLetter(id.number());
                commit.remove(letter.letter.to(), key);
            }
        }
        commit
    }

    fn commit_wish(self: &Arc<Self>, commit: Commit) -> Result<u64, ControlError> {
        let seq = Post::commit(self, commit);
        seq.ok_or(ControlError::Refused(Refusal::StoreFailed))
    }
}

/// Whoever awaited an answer is gone.
fn without_answer(letter: Letter) -> Letter {
    match letter {
        Letter::Message(message) => Letter::Message(message.with_correlation(0)),
        reply @ Letter::Reply(_) => reply,
    }
}
