//! What waits for an actor, here and on disk.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::task::Waker;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Envelope;
use crate::core::limits::Limits;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::row::MessageNumber;

/// The messages of a mailbox: those that are here, and what is known of those on disk.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) envelopes: VecDeque<Envelope>,
    /// What was asked before anybody knew that more is on disk than is read at once. It
    /// comes after that.
    pub(crate) asked: VecDeque<Envelope>,
    /// Drained by the actor, and perhaps not handled yet.
    pub(crate) in_hand: usize,
    /// The bytes of those that are here and not in hand, and of those in hand.
    pub(crate) bytes: u64,
    pub(crate) bytes_in_hand: u64,
    pub(crate) waker: Option<Waker>,
    pub(crate) is_closed: bool,
    pub(crate) rest: Rest,
    /// The messages that were left on disk since it was last read, and the last commit of
    /// one of them.
    pub(crate) left: Backlog,
    newest_left: u64,
    /// The last message that was read from disk. Whoever committed it, or one before it,
    /// may be about to offer it yet.
    pub(crate) read_through: MessageNumber,
}

/// How much may wait in memory for one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// How many messages.
    pub messages: usize,
    /// How many bytes, of payloads and kinds. The message that reaches it is taken.
    pub bytes: u64,
}

impl Capacity {
    /// What the limits of a component allow.
    pub fn of(limits: &Limits) -> Self {
        Self {
            messages: usize::try_from(limits.mailbox).unwrap_or(usize::MAX),
            bytes: limits.mailbox_bytes,
        }
    }
}

/// Where the messages are that are on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    /// All are here too.
    #[default]
    Here,
    /// Nobody has looked yet.
    Unknown,
    /// Some are on disk alone, because the mailbox was full.
    OnDisk,
}

/// What an actor has read from disk.
#[derive(Debug, Default)]
pub(crate) struct PageRead {
    /// The messages, in order.
    pub(crate) envelopes: VecDeque<Envelope>,
    /// Whether there are more.
    pub(crate) has_more: bool,
    /// The last commit that was taken when they were read.
    pub(crate) as_of: u64,
}

impl Queue {
    /// The messages that are here, those in hand included.
    pub(crate) fn len(&self) -> usize {
        self.envelopes.len() + self.asked.len() + self.in_hand
    }

    /// Whether as much waits as may.
    #[inline]
    pub(crate) fn is_full(&self, capacity: Capacity) -> bool {
        self.len() >= capacity.messages || self.bytes + self.bytes_in_hand >= capacity.bytes
    }

    /// Whether one more may come that is not on disk.
    #[inline]
    pub(crate) fn has_space(&self, capacity: Capacity) -> bool {
        !self.is_full(capacity) && self.rest != Rest::OnDisk
    }

    /// Whether a message that is on disk need not be here: it was read from there already,
    /// or is going to be.
    pub(crate) fn is_left(&mut self, envelope: &Envelope, capacity: Capacity) -> bool {
        let Some(number) = envelope.stored else {
            return false;
        };
        if number <= self.read_through {
            return true;
        }
        if self.has_space(capacity) {
            return false;
        }
        self.left.add(&envelope.content);
        self.newest_left = number.seq.max(self.newest_left);
        if self.rest == Rest::Here {
            self.rest = Rest::OnDisk;
        }
        true
    }

    /// Takes in what was read from disk, before everything that came since.
    pub(crate) fn take_in(&mut self, page: PageRead) {
        // What was offered meanwhile is among what was read, or comes after it.
        let is_new = |envelope: &Envelope| envelope.stored.is_none_or(|it| it.seq > page.as_of);
        self.envelopes.retain(is_new);
        if page.has_more {
            self.set_asked_aside();
        } else {
            let newer = std::mem::take(&mut self.envelopes);
            self.envelopes = std::mem::take(&mut self.asked);
            self.envelopes.extend(newer);
        }
        let last = page.envelopes.back().and_then(|envelope| envelope.stored);
        for envelope in page.envelopes.into_iter().rev() {
            self.left.take(&envelope.content);
            self.envelopes.push_front(envelope);
        }
        if page.has_more {
            self.read_through = last.unwrap_or(self.read_through);
            self.newest_left = self.newest_left.max(page.as_of);
            // What came since comes after what is on disk.
            self.leave_newer();
        } else {
            self.read_through = MessageNumber::last_of(page.as_of);
        }
        self.rest = if self.newest_left > page.as_of || page.has_more {
            Rest::OnDisk
        } else {
            self.left = Backlog::default();
            Rest::Here
        };
        let here = self.envelopes.iter().chain(&self.asked);
        self.bytes = here.map(|envelope| envelope.content.bytes() as u64).sum();
    }

    /// Lets what is on disk go before what is not.
    fn set_asked_aside(&mut self) {
        let envelopes = std::mem::take(&mut self.envelopes).into_iter();
        let (stored, asked) = envelopes.partition::<VecDeque<_>, _>(|it| it.stored.is_some());
        self.envelopes = stored;
        self.asked.extend(asked);
    }

    /// Leaves the messages on disk that come after what was read from there.
    fn leave_newer(&mut self) {
        let read_through = self.read_through;
        let (left, newest_left) = (&mut self.left, &mut self.newest_left);
        self.envelopes.retain(|envelope| match envelope.stored {
            Some(number) if number > read_through => {
                left.add(&envelope.content);
                *newest_left = number.seq.max(*newest_left);
                false
            }
            _ => true,
        });
    }
}
