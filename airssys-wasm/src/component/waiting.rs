//! What waits for all actors of a component.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Layer 2: Third-party crate imports
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Envelope;
use crate::core::storage::backlog::Backlog;

/// In which steps the memory of a mailbox is counted. One that holds less than the first is not
/// counted, so that a message in and out of it touches nothing that others touch.
pub(crate) const STEP_BYTES: u64 = 64 << 10;

/// What a message takes besides what it was made of, so that empty ones count too.
pub(crate) const ENVELOPE_BYTES: u64 = size_of::<Envelope>() as u64;

/// What waits for all actors of one component that are live: in memory, in steps, and on disk
/// alone.
///
/// Each mailbox settles its [`Share`] when that changes, and gives it back when it closes.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// How many bytes may be in memory.
    allowed: u64,
    in_memory: AtomicU64,
    on_disk_messages: AtomicU64,
    on_disk_bytes: AtomicU64,
    /// Told when there is room again: in memory, or perhaps on disk.
    freed: Notify,
}

/// What one mailbox has counted. It is given back by being dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Arc<Waiting>,
    in_memory: u64,
    on_disk: Backlog,
}

impl Waiting {
    /// Nothing waits, and so many bytes may in memory.
    pub(crate) fn new(allowed: u64) -> Self {
        Self {
            allowed,
            in_memory: AtomicU64::new(0),
            on_disk_messages: AtomicU64::new(0),
            on_disk_bytes: AtomicU64::new(0),
            freed: Notify::new(),
        }
    }

    /// Whether a message may come that would have a mailbox hold so many bytes. There always is
    /// room for little, so that actors can be told things while others have taken all there is.
    #[inline]
    pub(crate) fn has_room_for(&self, held: u64) -> bool {
        held < STEP_BYTES || self.in_memory() < self.allowed
    }

    /// Whether a message of so many bytes may come to a mailbox that is empty.
    pub(crate) fn has_room_for_first(&self, bytes: u64) -> bool {
        self.has_room_for(bytes.saturating_add(ENVELOPE_BYTES))
    }

    /// The bytes that are counted in memory.
    #[inline]
    pub(crate) fn in_memory(&self) -> u64 {
        self.in_memory.load(Ordering::Relaxed)
    }

    /// What waits on disk alone, as far as is known.
    pub(crate) fn on_disk(&self) -> Backlog {
        Backlog {
            messages: self.on_disk_messages.load(Ordering::Relaxed),
            bytes: self.on_disk_bytes.load(Ordering::Relaxed),
        }
    }

    /// Waits until there may be room that there was not when this was called.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    fn release_memory(&self, bytes: u64) {
        let before = self.in_memory.fetch_sub(bytes, Ordering::Relaxed);
        if before >= self.allowed && before - bytes < self.allowed {
            self.freed.notify_waiters();
        }
    }
}

impl Share {
    /// The share of a mailbox in which nothing waits.
    pub(crate) fn of(waiting: Arc<Waiting>) -> Self {
        Self {
            of: waiting,
            in_memory: 0,
            on_disk: Backlog::default(),
        }
    }

    /// Whether a message may come that would have this mailbox hold so many bytes.
    #[inline]
    pub(crate) fn has_room_for(&self, held: u64) -> bool {
        self.of.has_room_for(held)
    }

    /// The mailbox holds so many bytes by now.
    #[inline]
    pub(crate) fn hold(&mut self, held: u64) {
        let counted = held - held % STEP_BYTES;
        if counted != self.in_memory {
            self.count(counted);
        }
    }

    fn count(&mut self, counted: u64) {
        let before = std::mem::replace(&mut self.in_memory, counted);
        if counted > before {
            let more = counted - before;
            self.of.in_memory.fetch_add(more, Ordering::Relaxed);
        } else {
            self.of.release_memory(before - counted);
        }
    }

    /// So much waits on disk alone by now.
    pub(crate) fn leave_on_disk(&mut self, left: Backlog) {
        let before = std::mem::replace(&mut self.on_disk, left);
        let of = &self.of;
        change(&of.on_disk_messages, before.messages, left.messages);
        change(&of.on_disk_bytes, before.bytes, left.bytes);
        // Who waits may wait for this part of it or for all: it looks again, once for a page.
        if left.messages < before.messages || left.bytes < before.bytes {
            of.freed.notify_waiters();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hold(0);
        self.leave_on_disk(Backlog::default());
    }
}

fn change(total: &AtomicU64, before: u64, now: u64) {
    if now > before {
        total.fetch_add(now - before, Ordering::Relaxed);
    } else if now < before {
        total.fetch_sub(before - now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    fn backlog(messages: u64) -> Backlog {
        Backlog {
            messages,
            bytes: messages * 10,
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Hold(usize, u64),
        Leave(usize, u64),
        Drop(usize),
    }

    const SHARES: usize = 4;

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..SHARES, 0..5 * STEP_BYTES).prop_map(|(it, held)| Step::Hold(it, held)),
            3 => (0..SHARES, 0_u64..50).prop_map(|(it, left)| Step::Leave(it, left)),
            1 => (0..SHARES).prop_map(Step::Drop),
        ]
    }

    proptest! {
        #[test]
        fn it_is_the_sum_of_all_shares(steps in prop::collection::vec(step(), 0..60)) {
            let waiting = Arc::new(Waiting::new(6 * STEP_BYTES));
            let share = || Share::of(Arc::clone(&waiting));
            let mut shares: Vec<Share> = (0..SHARES).map(|_| share()).collect();
            let mut model = [(0_u64, 0_u64); SHARES];
            for step in steps {
                match step {
                    Step::Hold(it, held) => {
                        shares[it].hold(held);
                        model[it].0 = held / STEP_BYTES * STEP_BYTES;
                    }
                    Step::Leave(it, left) => {
                        shares[it].leave_on_disk(backlog(left));
                        model[it].1 = left;
                    }
                    Step::Drop(it) => {
                        shares[it] = share();
                        model[it] = (0, 0);
                    }
                }
                let held: u64 = model.iter().map(|it| it.0).sum();
                prop_assert_eq!(waiting.in_memory(), held);
                let left: u64 = model.iter().map(|it| it.1).sum();
                prop_assert_eq!(waiting.on_disk(), backlog(left));
                let is_used_up = held >= 6 * STEP_BYTES;
                prop_assert_eq!(waiting.has_room_for(STEP_BYTES), !is_used_up);
                prop_assert!(waiting.has_room_for(STEP_BYTES - 1), "little always may");
            }
            drop(shares);
            prop_assert_eq!((waiting.in_memory(), waiting.on_disk()), (0, backlog(0)));
        }
    }

    fn is_told(freed: Pin<&mut Notified<'_>>) -> bool {
        freed
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn whoever_waits_is_told_when_it_falls_below_what_is_allowed_and_of_each_page() {
        let waiting = Arc::new(Waiting::new(2 * STEP_BYTES));
        let [mut one, mut other] = [0, 1].map(|_| Share::of(Arc::clone(&waiting)));
        one.hold(3 * STEP_BYTES);
        other.hold(STEP_BYTES);
        let mut freed = pin!(waiting.freed());
        one.hold(STEP_BYTES);
        assert!(!is_told(freed.as_mut()), "none is free yet");
        drop(other);
        assert!(is_told(freed));
        let mut freed = pin!(waiting.freed());
        one.leave_on_disk(backlog(5));
        assert!(!is_told(freed.as_mut()));
        one.leave_on_disk(backlog(4));
        assert!(is_told(freed));
    }
}
