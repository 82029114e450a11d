//! The bounded queue before an actor.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

// Layer 2: Third-party crate imports
use tokio::sync::Notify;

// Layer 3: Internal module imports
use crate::component::queue::{Capacity, PageRead, Queue, Rest};
use crate::core::delivery::envelope::Envelope;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::row::MessageNumber;

/// An actor's messages, first in, first out, and the system's signals to it.
///
/// It is bounded, in messages and in bytes: an offer to a full mailbox gives the message back,
/// unless the message is on disk as well; then it waits there. What the actor has drained and
/// not handled yet counts as waiting, so that draining in batches makes it no larger. Signals
/// overtake messages, and sending one twice is sending it once.
///
/// Messages on disk are in the order of their numbers, and so are those of them that are
/// here:
///
/// ```text
///                   page read, and nothing missed since
///   Unknown ───────────────────────────────▶ Here ◀──────────────┐
///      │                                       │ full            │ page read, and nothing
///      │ page read, and there is more          ▼                 │ missed since
///      └──────────────────────────────────▶ OnDisk ──────────────┘
/// ```
#[derive(Debug)]
pub struct Mailbox {
    capacity: Capacity,
    queue: Mutex<Queue>,
    /// The signals that wait, as bits, where the actor can see them between two turns
    /// without taking the lock.
    signals: AtomicU8,
    space: Notify,
}

/// What the system wants of an actor. The most pressing has the lowest bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Signal {
    /// End for good: the actor was stopped.
    Stop = 1,
    /// End for good: the actor's supervisor gave it up.
    GiveUp = 2,
    /// End for good: the system ends.
    End = 4,
    /// Drop the instance and begin anew from the committed state.
    Restart = 8,
    /// Look for another version.
    Switch = 16,
    /// Get an instance, although there is no message yet.
    Start = 32,
    /// Be passivated, if there is nothing to do.
    Passivate = 64,
}

const SIGNALS: [Signal; 7] = [
    Signal::Stop,
    Signal::GiveUp,
    Signal::End,
    Signal::Restart,
    Signal::Switch,
    Signal::Start,
    Signal::Passivate,
];

/// What an actor finds when it looks into its mailbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A signal.
    Signal(Signal),
    /// Messages, which are now in the batch.
    Messages,
    /// There may be messages on disk that are not here, and none that are before them.
    OnDisk,
}

/// An envelope that was not taken, given back.
#[derive(Debug)]
pub enum NotTaken {
    /// The mailbox is full.
    Full(Box<Envelope>),
    /// The actor behind it is gone.
    Closed(Box<Envelope>),
}

impl Mailbox {
    /// A mailbox in which at most so much waits.
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            queue: Mutex::default(),
            signals: AtomicU8::new(0),
            space: Notify::new(),
        }
    }

    /// A mailbox for an actor that may have messages on disk.
    pub(crate) fn of_durable(capacity: Capacity) -> Self {
        let mailbox = Self::new(capacity);
        mailbox.lock().rest = Rest::Unknown;
        mailbox
    }

    /// So many more messages wait on disk, as far as is known.
    pub(crate) fn expect_on_disk(&self, backlog: Backlog) {
        self.lock().left.add_all(backlog);
    }

    /// Puts a message in, or gives it back. One that is on disk is not given back for lack
    /// of room.
    ///
    /// # Errors
    ///
    /// When the mailbox is full or closed, with the message.
    #[inline]
    pub fn offer(&self, envelope: Envelope) -> Result<(), NotTaken> {
        let bytes = envelope.content.bytes();
        let mut queue = self.lock();
        if !queue.is_closed && queue.is_left(&envelope, self.capacity) {
            return Ok(());
        }
        if !queue.is_closed && !queue.has_space(self.capacity) {
            return Err(NotTaken::Full(Box::new(envelope)));
        }
        push(queue, envelope, bytes)
    }

    /// Puts in a message that was admitted before, even if the mailbox is full by now.
    ///
    /// # Errors
    ///
    /// When the mailbox is closed, with the message.
    pub fn put(&self, envelope: Envelope) -> Result<(), NotTaken> {
        if envelope.stored.is_some() {
            return self.offer(envelope);
        }
        let bytes = envelope.content.bytes();
        push(self.lock(), envelope, bytes)
    }

    /// Takes in what was read from disk, before everything that came since.
    pub(crate) fn catch_up(&self, page: PageRead) {
        let mut queue = self.lock();
        queue.take_in(page);
        if queue.has_space(self.capacity) {
            self.space.notify_waiters();
        }
    }

    /// The last message that was read from disk.
    pub(crate) fn read_through(&self) -> MessageNumber {
        self.lock().read_through
    }

    /// What waits on disk alone, as far as is known.
    pub fn on_disk(&self) -> Backlog {
        self.lock().left
    }

    /// Whether a message would be taken now, or the mailbox is closed and nobody should
    /// wait for it.
    pub fn has_space(&self) -> bool {
        let queue = self.lock();
        queue.is_closed || queue.has_space(self.capacity)
    }

    /// Waits until there may be space. Senders that wait for it are not served in the
    /// order they came; each keeps the order of its own messages by waiting.
    pub async fn space(&self) {
        let space = self.space.notified();
        if !self.has_space() {
            space.await;
        }
    }

    /// The messages that wait, those in hand included.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no messages wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the messages that wait here, those in hand included.
    pub(crate) fn bytes(&self) -> u64 {
        let queue = self.lock();
        queue.bytes + queue.bytes_in_hand
    }

    /// Whether no messages wait but those in hand.
    pub(crate) fn is_idle(&self) -> bool {
        let queue = self.lock();
        queue.envelopes.is_empty() && queue.rest == Rest::Here
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.signals.fetch_or(signal as u8, Ordering::Release);
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the most pressing signal.
    #[inline]
    pub(crate) fn take_signal(&self) -> Option<Signal> {
        if self.signals.load(Ordering::Acquire) == 0 {
            return None;
        }
        SIGNALS.into_iter().find(|signal| {
            let bit = *signal as u8;
            self.signals.fetch_and(!bit, Ordering::AcqRel) & bit != 0
        })
    }

    /// Waits for a signal or for messages, and takes all that there are. The batch is
    /// empty when this is called.
    pub(crate) async fn next(&self, batch: &mut VecDeque<Envelope>) -> Found {
        poll_fn(|cx| self.poll_next(cx, batch)).await
    }

    /// Waits for a signal and leaves the messages.
    pub(crate) async fn next_signal(&self) -> Signal {
        poll_fn(|cx| {
            let mut queue = self.lock();
            match self.take_signal() {
                Some(signal) => Poll::Ready(signal),
                None => wait(&mut queue, cx),
            }
        })
        .await
    }

    fn poll_next(&self, cx: &mut Context<'_>, batch: &mut VecDeque<Envelope>) -> Poll<Found> {
        let mut queue = self.lock();
        // Under the lock, or a signal might come between looking and waiting.
        if let Some(signal) = self.take_signal() {
            return Poll::Ready(Found::Signal(signal));
        }
        if queue.rest == Rest::Unknown || (queue.rest != Rest::Here && queue.envelopes.is_empty()) {
            (queue.in_hand, queue.bytes_in_hand) = (0, 0);
            return Poll::Ready(Found::OnDisk);
        }
        let was_full = queue.is_full(self.capacity);
        std::mem::swap(&mut queue.envelopes, batch);
        queue.in_hand = batch.len();
        queue.bytes_in_hand = std::mem::take(&mut queue.bytes);
        if was_full {
            self.space.notify_waiters();
        }
        if batch.is_empty() {
            return wait(&mut queue, cx);
        }
        Poll::Ready(Found::Messages)
    }

    /// Closes the mailbox if no messages wait. The actor has none in hand when it asks.
    pub(crate) fn close_if_empty(&self) -> bool {
        let mut queue = self.lock();
        if !queue.envelopes.is_empty() || queue.rest != Rest::Here {
            return false;
        }
        queue.is_closed = true;
        drop(queue);
        self.space.notify_waiters();
        true
    }

    /// Closes the mailbox, and takes what waits.
    pub(crate) fn close(&self) -> VecDeque<Envelope> {
        let mut queue = self.lock();
        queue.is_closed = true;
        let mut left = std::mem::take(&mut queue.envelopes);
        left.append(&mut queue.asked);
        drop(queue);
        self.space.notify_waiters();
        left
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[inline]
fn push(
    mut queue: MutexGuard<'_, Queue>,
    envelope: Envelope,
    bytes: usize,
) -> Result<(), NotTaken> {
    if queue.is_closed {
        return Err(NotTaken::Closed(Box::new(envelope)));
    }
    queue.bytes += bytes as u64;
    queue.envelopes.push_back(envelope);
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
    Ok(())
}

fn wait<T>(queue: &mut Queue, cx: &Context<'_>) -> Poll<T> {
    match &mut queue.waker {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::id::ComponentId;
    use crate::core::component::message::ComponentMessage;
    use crate::core::delivery::envelope::Letter;
    use crate::core::storage::row::MessageNumber;
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    fn numbered(number: u32) -> Envelope {
        let [from, to] = ["from", "to"].map(|name| ComponentId::new("a", "b", name));
        let payload = number.to_be_bytes().to_vec().into();
        Envelope::tell(ComponentMessage::new(from, to, "n".into(), payload))
    }

    fn number(envelope: &Envelope) -> u32 {
        let Letter::Message(message) = &envelope.content else {
            panic!("only messages were put in");
        };
        u32::from_be_bytes(message.payload().as_bytes().try_into().unwrap())
    }

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Alarm(AtomicU8);

    impl Wake for Alarm {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many bytes one of the messages here counts for.
    const BYTES: u64 = 5;

    fn of_messages(messages: usize) -> Capacity {
        Capacity {
            messages,
            bytes: u64::MAX,
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Offer,
        Put,
        Drain,
        Signal(Signal),
        TakeSignal,
        Close,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => Just(Step::Offer),
            2 => Just(Step::Put),
            4 => Just(Step::Drain),
            3 => proptest::sample::select(&SIGNALS[..]).prop_map(Step::Signal),
            2 => Just(Step::TakeSignal),
            1 => Just(Step::Close),
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn it_is_a_bounded_queue_that_signals_overtake(
            steps in steps(), messages in 1_usize..6, bytes in 1_u64..30,
        ) {
            let mailbox = Mailbox::new(Capacity { messages, bytes });
            let alarm = Arc::new(Alarm::default());
            let waker = Waker::from(Arc::clone(&alarm));
            let mut cx = Context::from_waker(&waker);
            // The model: what waits, what is in hand, which signals wait, whether it is closed.
            let (mut waiting, mut in_hand) = (VecDeque::new(), 0);
            let mut signals: Vec<Signal> = Vec::new();
            let (mut is_closed, mut is_parked, mut next, mut woken) = (false, false, 0, 0);
            for step in steps {
                match step {
                    Step::Offer | Step::Put => {
                        next += 1;
                        let count = waiting.len() + in_hand;
                        let is_full = count >= messages || count as u64 * BYTES >= bytes;
                        prop_assert_eq!(mailbox.has_space(), is_closed || !is_full);
                        let taken = match step {
                            Step::Offer => mailbox.offer(numbered(next)),
                            _ => mailbox.put(numbered(next)),
                        };
                        match taken {
                            Ok(()) => {
                                prop_assert!(!is_closed && (!is_full || matches!(step, Step::Put)));
                                waiting.push_back(next);
                                woken += u8::from(std::mem::take(&mut is_parked));
                            }
                            Err(NotTaken::Full(envelope)) => {
                                prop_assert!(is_full && !is_closed);
                                prop_assert_eq!(number(&envelope), next, "it is given back");
                            }
                            Err(NotTaken::Closed(envelope)) => {
                                prop_assert!(is_closed);
                                prop_assert_eq!(number(&envelope), next, "it is given back");
                            }
                        }
                    }
                    Step::Drain => {
                        let mut batch = VecDeque::new();
                        match mailbox.poll_next(&mut cx, &mut batch) {
                            Poll::Ready(Found::Signal(signal)) => {
                                prop_assert_eq!(signals.remove(0), signal);
                                prop_assert!(batch.is_empty());
                            }
                            Poll::Ready(Found::OnDisk) => prop_assert!(false, "nothing is on disk"),
                            Poll::Ready(Found::Messages) => {
                                prop_assert!(signals.is_empty());
                                let numbers: VecDeque<u32> = batch.iter().map(number).collect();
                                prop_assert!(!numbers.is_empty());
                                prop_assert_eq!(&numbers, &waiting, "in order, and all of them");
                                in_hand = waiting.len();
                                waiting.clear();
                            }
                            Poll::Pending => {
                                prop_assert!(signals.is_empty() && waiting.is_empty());
                                (in_hand, is_parked) = (0, true);
                            }
                        }
                    }
                    Step::Signal(signal) => {
                        mailbox.signal(signal);
                        if !signals.contains(&signal) {
                            signals.push(signal);
                            signals.sort_by_key(|signal| *signal as u8);
                        }
                        woken += u8::from(std::mem::take(&mut is_parked));
                    }
                    Step::TakeSignal => {
                        let expected = (!signals.is_empty()).then(|| signals.remove(0));
                        prop_assert_eq!(mailbox.take_signal(), expected);
                    }
                    Step::Close => {
                        prop_assert_eq!(mailbox.close_if_empty(), waiting.is_empty());
                        is_closed |= waiting.is_empty();
                    }
                }
                prop_assert_eq!(mailbox.len(), waiting.len() + in_hand);
                prop_assert_eq!(alarm.0.load(Ordering::Relaxed), woken, "woken when it was parked");
            }
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_space_gets_it_when_the_batch_is_done() {
        let mailbox = Mailbox::new(of_messages(1));
        mailbox.offer(numbered(1)).unwrap();
        let waiting = async {
            mailbox.space().await;
            mailbox.offer(numbered(2)).unwrap();
        };
        let handling = async {
            let mut batch = VecDeque::new();
            for expected in 1..=2 {
                assert_eq!(mailbox.next(&mut batch).await, Found::Messages);
                assert!(!mailbox.has_space(), "one is in hand");
                assert_eq!(
                    batch.drain(..).map(|it| number(&it)).collect::<Vec<_>>(),
                    [expected]
                );
            }
        };
        tokio::join!(waiting, handling);
    }

    /// What happens to a durable actor's mailbox, whose messages are on disk too.
    #[derive(Debug, Clone)]
    enum Happening {
        /// One of the senders commits a message.
        Commit(usize),
        /// One of the senders offers the oldest message that it has committed and not
        /// offered.
        Offer(usize),
        /// The actor looks into its mailbox; it reads a page if it is told to.
        Look(usize),
        /// The actor handles messages, one or more, which are then not on disk any more.
        Handle(usize),
        /// Somebody asks, and is refused if there is no room.
        Ask,
    }

    fn happenings() -> impl Strategy<Value = Vec<Happening>> {
        let happening = prop_oneof![
            4 => (0..2_usize).prop_map(Happening::Commit),
            4 => (0..2_usize).prop_map(Happening::Offer),
            3 => (1..4_usize).prop_map(Happening::Look),
            3 => (1..5_usize).prop_map(Happening::Handle),
            1 => Just(Happening::Ask),
        ];
        proptest::collection::vec(happening, 0..120)
    }

    /// A durable actor, its mailbox, its disk and two senders.
    struct Durable {
        mailbox: Mailbox,
        cx: Context<'static>,
        /// What is on disk for the actor.
        disk: std::collections::BTreeMap<MessageNumber, usize>,
        /// What each sender has committed and not offered.
        unoffered: [VecDeque<MessageNumber>; 2],
        batch: VecDeque<Envelope>,
        handled: Vec<(MessageNumber, usize)>,
        asked: (usize, usize),
        seq: u64,
        /// The last message that was on disk when the actor began.
        began_with: u64,
    }

    impl Durable {
        fn new(capacity: usize, on_disk: u64) -> Self {
            let number = |seq| MessageNumber { seq, index: 0 };
            Self {
                mailbox: Mailbox::of_durable(of_messages(capacity)),
                cx: Context::from_waker(Waker::noop()),
                disk: (1..=on_disk).map(|seq| (number(seq), 0)).collect(),
                unoffered: Default::default(),
                batch: VecDeque::new(),
                handled: Vec::new(),
                asked: (0, 0),
                seq: on_disk,
                began_with: on_disk,
            }
        }

        fn commit(&mut self, sender: usize) {
            self.seq += 1;
            let number = MessageNumber {
                seq: self.seq,
                index: 0,
            };
            self.disk.insert(number, sender);
            self.unoffered[sender].push_back(number);
        }

        fn offer(&mut self, sender: usize) {
            if let Some(number) = self.unoffered[sender].pop_front() {
                self.mailbox.offer(stored(number)).unwrap();
            }
        }

        fn ask(&mut self) {
            if self.mailbox.offer(numbered(0)).is_ok() {
                self.asked.0 += 1;
            }
        }

        fn look(&mut self, page: usize) {
            if !self.batch.is_empty() {
                return;
            }
            if let Poll::Ready(Found::OnDisk) =
                self.mailbox.poll_next(&mut self.cx, &mut self.batch)
            {
                let after = self.mailbox.read_through();
                let beyond = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
                let numbers: Vec<_> = self.disk.range(beyond).map(|(number, _)| *number).collect();
                self.mailbox.catch_up(PageRead {
                    envelopes: numbers.iter().take(page).map(|it| stored(*it)).collect(),
                    has_more: numbers.len() > page,
                    as_of: self.seq,
                });
            }
        }

        fn handle(&mut self, count: usize) {
            for envelope in self.batch.drain(..count.min(self.batch.len())) {
                match envelope.stored {
                    Some(number) => {
                        let sender = self.disk.remove(&number).expect("handled once");
                        self.handled.push((number, sender));
                    }
                    None => {
                        self.asked.1 += 1;
                        let first = self.disk.keys().next();
                        let first = first.map_or(u64::MAX, |number| number.seq);
                        assert!(first > self.began_with, "it is before what waited");
                    }
                }
            }
        }
    }

    fn stored(number: MessageNumber) -> Envelope {
        Envelope {
            stored: Some(number),
            ..numbered(1)
        }
    }

    proptest! {
        #[test]
        fn messages_on_disk_are_handled_once_and_in_the_order_of_their_sender(
            happenings in happenings(), capacity in 1..5_usize, on_disk in 0..20_u64,
        ) {
            let mut actor = Durable::new(capacity, on_disk);
            for happening in happenings {
                match happening {
                    Happening::Commit(sender) => actor.commit(sender),
                    Happening::Offer(sender) => actor.offer(sender),
                    Happening::Look(page) => actor.look(page.min(capacity)),
                    Happening::Handle(count) => actor.handle(count),
                    Happening::Ask => actor.ask(),
                }
                prop_assert!(actor.mailbox.lock().envelopes.len() <= 2 * capacity, "bounded");
            }
            // In the end everything is offered and handled.
            for sender in 0..2 {
                while !actor.unoffered[sender].is_empty() {
                    actor.offer(sender);
                }
            }
            for _ in 0..500 {
                actor.look(2.min(capacity));
                actor.handle(usize::MAX);
            }
            prop_assert!(actor.disk.is_empty(), "left on disk: {:?}", actor.disk);
            prop_assert_eq!(actor.handled.len() as u64, actor.seq);
            prop_assert_eq!(actor.asked.0, actor.asked.1);
            for sender in 0..2 {
                let of_sender = actor.handled.iter().filter(|(_, from)| *from == sender);
                prop_assert!(of_sender.is_sorted_by_key(|(number, _)| *number));
            }
            prop_assert!(actor.mailbox.is_idle());
        }
    }
}
