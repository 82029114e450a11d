//! What waits for an actor, here and on disk.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::task::Waker;

// Layer 3: Internal module imports
use crate::component::waiting::{ENVELOPE_BYTES, Share};
use crate::core::delivery::envelope::Envelope;
use crate::core::limits::Limits;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::row::MessageNumber;

/// The messages of a mailbox: those that are here, and what is known of those on disk.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) envelopes: VecDeque<Envelope>,
    /// What was asked before anybody knew that more is on disk than is read at once. It
    /// comes after that.
    pub(crate) asked: VecDeque<Envelope>,
    /// Drained by the actor, and perhaps not handled yet.
    pub(crate) in_hand: usize,
    /// The bytes of the envelopes, of those that were set aside, and of those in hand.
    bytes: u64,
    bytes_asked: u64,
    bytes_in_hand: u64,
    pub(crate) waker: Option<Waker>,
    pub(crate) is_closed: bool,
    pub(crate) rest: Rest,
    /// The messages that were left on disk since it was last read, and the last commit of
    /// one of them.
    left: Backlog,
    newest_left: u64,
    /// The last message that was read from disk. Whoever committed it, or one before it,
    /// may be about to offer it yet.
    pub(crate) read_through: MessageNumber,
    /// What of this is counted among what waits for all actors of the component.
    share: Share,
}

/// How much may wait in memory for one actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// How many messages.
    pub messages: usize,
    /// How many bytes, of payloads and kinds. The message that reaches it is taken.
    pub bytes: u64,
}

impl Capacity {
    /// What the limits of a component allow.
    pub(crate) fn of(limits: &Limits) -> Self {
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
    /// One in which nothing waits, of an actor that may have messages on disk or not.
    pub(crate) fn new(rest: Rest, share: Share) -> Self {
        Self {
            envelopes: VecDeque::new(),
            asked: VecDeque::new(),
            in_hand: 0,
            bytes: 0,
            bytes_asked: 0,
            bytes_in_hand: 0,
            waker: None,
            is_closed: false,
            rest,
            left: Backlog::default(),
            newest_left: 0,
            read_through: MessageNumber::ZERO,
            share,
        }
    }

    /// The messages that are here, those in hand included.
    pub(crate) fn len(&self) -> usize {
        self.envelopes.len() + self.asked.len() + self.in_hand
    }

    /// The bytes of what they were made of.
    #[inline]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes + self.bytes_asked + self.bytes_in_hand
    }

    /// The bytes that all of them take up.
    #[inline]
    fn held(&self) -> u64 {
        self.bytes() + self.len() as u64 * ENVELOPE_BYTES
    }

    /// What waits on disk alone, as far as is known.
    pub(crate) fn left(&self) -> Backlog {
        self.left
    }

    /// Whether as much waits as may, so that none of so many bytes may come: for this actor, or
    /// for all of its component.
    #[inline]
    pub(crate) fn is_full(&self, capacity: Capacity, bytes: u64) -> bool {
        self.len() >= capacity.messages || self.is_full_of_bytes(capacity, bytes)
    }

    /// The same for a message that is not counted as one.
    #[inline]
    pub(crate) fn is_full_of_bytes(&self, capacity: Capacity, bytes: u64) -> bool {
        let held = self.held().saturating_add(bytes);
        self.bytes() >= capacity.bytes
            || !self.share.has_room_for(held.saturating_add(ENVELOPE_BYTES))
    }

    /// Whether one more of so many bytes may come that is not on disk.
    #[inline]
    pub(crate) fn has_space(&self, capacity: Capacity, bytes: u64) -> bool {
        !self.is_full(capacity, bytes) && self.rest != Rest::OnDisk
    }

    /// One more message of so many bytes comes.
    #[inline]
    pub(crate) fn push(&mut self, envelope: Envelope, bytes: u64) {
        self.bytes += bytes;
        self.envelopes.push_back(envelope);
        self.share.hold(self.held());
    }

    /// The actor has handled what it had in hand, and takes what there is.
    #[inline]
    pub(crate) fn hand_over(&mut self, batch: &mut VecDeque<Envelope>) {
        std::mem::swap(&mut self.envelopes, batch);
        self.in_hand = batch.len();
        self.bytes_in_hand = std::mem::take(&mut self.bytes);
        self.share.hold(self.held());
    }

    /// The actor has handled what it had in hand.
    pub(crate) fn empty_hand(&mut self) {
        (self.in_hand, self.bytes_in_hand) = (0, 0);
        self.share.hold(self.held());
    }

    /// Nothing more comes. Returns what is here.
    pub(crate) fn close(&mut self) -> VecDeque<Envelope> {
        self.is_closed = true;
        let mut here = std::mem::take(&mut self.envelopes);
        here.append(&mut self.asked);
        (self.bytes, self.bytes_asked) = (0, 0);
        self.empty_hand();
        here
    }

    /// So many more wait on disk, as far as is known.
    pub(crate) fn expect_on_disk(&mut self, backlog: Backlog) {
        self.left.add_all(backlog);
        self.share.leave_on_disk(self.left);
    }

    /// What is on disk does not wait for this actor any more.
    pub(crate) fn forget_on_disk(&mut self) {
        self.left = Backlog::default();
        self.share.leave_on_disk(self.left);
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
        if self.has_space(capacity, envelope.content.bytes() as u64) {
            return false;
        }
        self.left.add(&envelope.content);
        self.share.leave_on_disk(self.left);
        self.newest_left = number.seq.max(self.newest_left);
        if self.rest == Rest::Here {
            self.rest = Rest::OnDisk;
        }
        true
    }

    /// Takes in what was read from disk, before everything that came since.
    pub(crate) fn take_in(&mut self, page: PageRead) {
        // What was offered meanwhile is among what was read, or comes after it.
        let left = &mut self.left;
        self.envelopes.retain(|envelope| {
            let is_new = envelope.stored.is_none_or(|it| it.seq > page.as_of);
            if !is_new {
                left.add(&envelope.content);
            }
            is_new
        });
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
        (self.bytes, self.bytes_asked) = (bytes_of(&self.envelopes), bytes_of(&self.asked));
        self.share.hold(self.held());
        self.share.leave_on_disk(self.left);
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

fn bytes_of(envelopes: &VecDeque<Envelope>) -> u64 {
    let bytes = envelopes.iter().map(|it| it.content.bytes() as u64);
    bytes.sum()
}
