//! The bounded queue before an actor.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

// Layer 2: Third-party crate imports
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

// Layer 3: Internal module imports
use crate::component::queue::{Capacity, PageRead, Queue, Rest};
use crate::component::waiting::{Share, Waiting};
use crate::core::delivery::envelope::Envelope;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::row::MessageNumber;

/// An actor's messages, first in, first out, and the system's signals to it.
///
/// It is bounded, in messages and in bytes: an offer to a full mailbox gives the message back,
/// unless the message is on disk as well; then it waits there. It is full, too, for what would
/// have it hold much while all of its component hold as much as they may. What the actor has
/// drained and not handled yet counts as waiting, so that draining in batches makes it no larger.
/// Signals overtake messages, and sending one twice is sending it once.
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
    /// A mailbox in which at most so much waits, and for all actors of its component at most
    /// as much as may.
    pub(crate) fn new(capacity: Capacity, waiting: Arc<Waiting>) -> Self {
        Self::with(Rest::Here, capacity, waiting)
    }

    /// A mailbox for an actor that may have messages on disk.
    pub(crate) fn of_durable(capacity: Capacity, waiting: Arc<Waiting>) -> Self {
        Self::with(Rest::Unknown, capacity, waiting)
    }

    fn with(rest: Rest, capacity: Capacity, waiting: Arc<Waiting>) -> Self {
        Self {
            capacity,
            queue: Mutex::new(Queue::new(rest, Share::of(waiting))),
            signals: AtomicU8::new(0),
            space: Notify::new(),
        }
    }

    /// So many more messages wait on disk, as far as is known.
    pub(crate) fn expect_on_disk(&self, backlog: Backlog) {
        self.lock().expect_on_disk(backlog);
    }

    /// What is on disk waits for this actor no more.
    pub(crate) fn forget_on_disk(&self) {
        self.lock().forget_on_disk();
    }

    /// Puts a message in, or gives it back. One that is on disk is not given back for lack
    /// of room.
    ///
    /// # Errors
    ///
    /// When the mailbox is full or closed, with the message.
    #[inline]
    pub fn offer(&self, envelope: Envelope) -> Result<(), NotTaken> {
        let bytes = envelope.content.bytes() as u64;
        let mut queue = self.lock();
        if !queue.is_closed && queue.is_left(&envelope, self.capacity) {
            // Where others have used up the memory of all, nothing else may be here.
            wake(queue);
            return Ok(());
        }
        if !queue.is_closed && !queue.has_space(self.capacity, bytes) {
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
        let bytes = envelope.content.bytes() as u64;
        push(self.lock(), envelope, bytes)
    }

    /// Takes in what was read from disk, before everything that came since.
    pub(crate) fn catch_up(&self, page: PageRead) {
        let mut queue = self.lock();
        queue.take_in(page);
        if queue.has_space(self.capacity, 0) {
            self.space.notify_waiters();
        }
    }

    /// The last message that was read from disk.
    pub(crate) fn read_through(&self) -> MessageNumber {
        self.lock().read_through
    }

    /// What waits on disk alone, as far as is known.
    pub fn on_disk(&self) -> Backlog {
        self.lock().left()
    }

    /// Whether a message of so many bytes would be taken now, or the mailbox is closed and
    /// nobody should wait for it.
    pub fn has_space(&self, bytes: u64) -> bool {
        let queue = self.lock();
        queue.is_closed || queue.has_space(self.capacity, bytes)
    }

    /// Whether so many bytes more may wait here, however many messages do.
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        !self.lock().is_full_of_bytes(self.capacity, bytes)
    }

    /// Waits until there may be space in this mailbox that there was not when this was
    /// called. Senders that wait for it are not served in the order they came; each keeps the
    /// order of its own messages by waiting.
    ///
    /// Where its component has used up what all may have waiting, others may make space too:
    /// see [`Waiting::freed`].
    pub(crate) fn space(&self) -> Notified<'_> {
        self.space.notified()
    }

    /// The messages that wait, those in hand included.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no messages wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no messages wait but those in hand.
    pub(crate) fn is_idle(&self) -> bool {
        let queue = self.lock();
        queue.envelopes.is_empty() && queue.rest == Rest::Here
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.signals.fetch_or(signal as u8, Ordering::Release);
        wake(self.lock());
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
            queue.empty_hand();
            return Poll::Ready(Found::OnDisk);
        }
        // For the largest message: a smaller one might have been taken all the time.
        let was_full = queue.is_full(self.capacity, u64::MAX);
        queue.hand_over(batch);
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
        queue.close();
        drop(queue);
        self.space.notify_waiters();
        true
    }

    /// Closes the mailbox, and takes what waits.
    pub(crate) fn close(&self) -> VecDeque<Envelope> {
        let mut queue = self.lock();
        let here = queue.close();
        drop(queue);
        self.space.notify_waiters();
        here
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[inline]
fn push(mut queue: MutexGuard<'_, Queue>, envelope: Envelope, bytes: u64) -> Result<(), NotTaken> {
    if queue.is_closed {
        return Err(NotTaken::Closed(Box::new(envelope)));
    }
    queue.push(envelope, bytes);
    wake(queue);
    Ok(())
}

/// Has the actor look, if it waits.
#[inline]
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
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
    use crate::component::waiting::{ENVELOPE_BYTES, STEP_BYTES};
    use crate::core::component::id::ComponentId;
    use crate::core::component::message::ComponentMessage;
    use crate::core::delivery::envelope::Letter;
    use bytes::Bytes;
    use proptest::prelude::*;
    use std::task::{Wake, Waker};

    fn numbered(number: u32) -> Envelope {
        with_payload(number.to_be_bytes().to_vec().into())
    }

    /// A message with so many bytes and its kind.
    fn sized(bytes: usize) -> Envelope {
        const ZEROES: &[u8] = &[0; 2 * STEP_BYTES as usize];
        with_payload(Bytes::from_static(&ZEROES[..bytes - 1]))
    }

    fn with_payload(payload: Bytes) -> Envelope {
        let [from, to] = ["from", "to"].map(|name| ComponentId::new("a", "b", name));
        Envelope::tell(ComponentMessage::new(from, to, "n".into(), payload.into()))
    }

    /// A mailbox whose component may have as much waiting as its actors may.
    fn mailbox(capacity: Capacity) -> Mailbox {
        Mailbox::new(capacity, Arc::new(Waiting::new(u64::MAX)))
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
            let mailbox = mailbox(Capacity { messages, bytes });
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
                        prop_assert_eq!(mailbox.has_space(BYTES), is_closed || !is_full);
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
                        if waiting.is_empty() {
                            (in_hand, is_closed) = (0, true);
                        }
                    }
                }
                prop_assert_eq!(mailbox.len(), waiting.len() + in_hand);
                prop_assert_eq!(alarm.0.load(Ordering::Relaxed), woken, "woken when it was parked");
            }
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_space_gets_it_when_the_batch_is_done() {
        let mailbox = mailbox(of_messages(1));
        mailbox.offer(numbered(1)).unwrap();
        let space = mailbox.space();
        let waiting = async {
            space.await;
            mailbox.offer(numbered(2)).unwrap();
        };
        let handling = async {
            let mut batch = VecDeque::new();
            for expected in 1..=2 {
                assert_eq!(mailbox.next(&mut batch).await, Found::Messages);
                assert!(!mailbox.has_space(BYTES), "one is in hand");
                assert_eq!(
                    batch.drain(..).map(|it| number(&it)).collect::<Vec<_>>(),
                    [expected]
                );
            }
        };
        tokio::join!(waiting, handling);
    }

    #[tokio::test]
    async fn little_is_taken_when_the_component_has_used_up_its_memory() {
        const STEP: usize = STEP_BYTES as usize;
        let waiting = Arc::new(Waiting::new(STEP_BYTES));
        let capacity = of_messages(1_000);
        let new = || Mailbox::new(capacity, Arc::clone(&waiting));
        let (one, other) = (new(), new());
        one.offer(sized(STEP)).unwrap();
        assert_eq!(waiting.in_memory(), STEP_BYTES);
        // Little is taken until it is much.
        let is_full = |taken| matches!(taken, Err(NotTaken::Full(_)));
        assert!(is_full(other.offer(sized(STEP))));
        let each = 1_000 + ENVELOPE_BYTES;
        for _ in 0..(STEP_BYTES - 1) / each {
            other.offer(sized(1_000)).unwrap();
        }
        assert!(is_full(other.offer(sized(1_000))));
        assert_eq!(waiting.in_memory(), STEP_BYTES, "it is not counted");
        // What was promised a place has it, and is counted.
        other.put(sized(1_000)).unwrap();
        assert_eq!(waiting.in_memory(), 2 * STEP_BYTES);
        // What is on disk waits there.
        let durable = Mailbox::of_durable(capacity, Arc::clone(&waiting));
        let number = MessageNumber { seq: 1, index: 0 };
        let large = Envelope {
            stored: Some(number),
            ..sized(STEP)
        };
        durable.offer(large).unwrap();
        assert_eq!((durable.len(), durable.on_disk()), (0, waiting.on_disk()));
        assert_eq!(waiting.on_disk().bytes, STEP_BYTES);
        // When the first one is handled there is room for all.
        let mut batch = VecDeque::new();
        for mailbox in [&one, &other] {
            assert_eq!(mailbox.next(&mut batch).await, Found::Messages);
            assert!(is_full(new().offer(sized(STEP))), "it is in hand");
            batch.clear();
            mailbox.signal(Signal::Start);
            assert_eq!(mailbox.next(&mut batch).await, Found::Signal(Signal::Start));
            assert!(mailbox.close_if_empty());
        }
        assert_eq!(waiting.in_memory(), 0);
        new().offer(sized(STEP)).unwrap();
        assert_eq!(waiting.in_memory(), 0, "it is gone with its mailbox");
    }

    #[test]
    fn an_actor_for_which_nothing_else_waits_reads_what_was_left_on_disk() {
        let waiting = Arc::new(Waiting::new(0));
        let mailbox = Mailbox::of_durable(of_messages(10), waiting);
        let alarm = Arc::new(Alarm::default());
        let waker = Waker::from(Arc::clone(&alarm));
        let (mut cx, mut batch) = (Context::from_waker(&waker), VecDeque::new());
        assert_eq!(
            mailbox.poll_next(&mut cx, &mut batch),
            Poll::Ready(Found::OnDisk)
        );
        mailbox.catch_up(PageRead::default());
        assert_eq!(mailbox.poll_next(&mut cx, &mut batch), Poll::Pending);
        let number = MessageNumber { seq: 1, index: 0 };
        let large = Envelope {
            stored: Some(number),
            ..sized(STEP_BYTES as usize)
        };
        mailbox.offer(large).unwrap();
        assert_eq!((mailbox.len(), mailbox.on_disk().messages), (0, 1));
        assert_eq!(alarm.0.load(Ordering::Relaxed), 1, "it is to look");
        assert_eq!(
            mailbox.poll_next(&mut cx, &mut batch),
            Poll::Ready(Found::OnDisk)
        );
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

    fn happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            4 => (0..2_usize).prop_map(Happening::Commit),
            4 => (0..2_usize).prop_map(Happening::Offer),
            3 => (1..4_usize).prop_map(Happening::Look),
            3 => (1..5_usize).prop_map(Happening::Handle),
            1 => Just(Happening::Ask),
        ]
    }

    fn happenings() -> impl Strategy<Value = Vec<Happening>> {
        proptest::collection::vec(happening(), 0..120)
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
        /// What it held when it was taken.
        in_hand: u64,
        handled: Vec<(MessageNumber, usize)>,
        asked: (usize, usize),
        seq: u64,
        /// The last message that was on disk when the actor began.
        began_with: u64,
    }

    impl Durable {
        fn new(capacity: usize, on_disk: u64, waiting: &Arc<Waiting>) -> Self {
            let number = |seq| MessageNumber { seq, index: 0 };
            let mailbox = Mailbox::of_durable(of_messages(capacity), Arc::clone(waiting));
            let mut known = Backlog::default();
            (1..=on_disk).for_each(|seq| known.add(&stored(number(seq)).content));
            mailbox.expect_on_disk(known);
            Self {
                mailbox,
                cx: Context::from_waker(Waker::noop()),
                disk: (1..=on_disk).map(|seq| (number(seq), 0)).collect(),
                unoffered: Default::default(),
                batch: VecDeque::new(),
                in_hand: 0,
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
            let found = self.mailbox.poll_next(&mut self.cx, &mut self.batch);
            self.in_hand = held(&self.batch);
            if let Poll::Ready(Found::OnDisk) = found {
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

        /// What of it counts among what waits for all in memory.
        fn counted(&self) -> u64 {
            let queue = self.mailbox.lock();
            let held = held(&queue.envelopes) + held(&queue.asked) + self.in_hand;
            held / STEP_BYTES * STEP_BYTES
        }

        /// What is on disk and not here.
        fn on_disk_alone(&self) -> Backlog {
            let queue = self.mailbox.lock();
            let here = queue.envelopes.iter().chain(&self.batch);
            let here: Vec<_> = here.filter_map(|it| it.stored).collect();
            let alone = self.disk.keys().filter(|number| !here.contains(number));
            let mut left = Backlog::default();
            alone.for_each(|number| left.add(&stored(*number).content));
            left
        }

        fn happen(&mut self, happening: Happening) {
            match happening {
                Happening::Commit(sender) => self.commit(sender),
                Happening::Offer(sender) => self.offer(sender),
                Happening::Look(page) => self.look(page),
                Happening::Handle(count) => self.handle(count),
                Happening::Ask => self.ask(),
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

    /// A message on disk, one of a few sizes.
    fn stored(number: MessageNumber) -> Envelope {
        let sizes = [1, 30_000, 5, 70_000, 40_000];
        Envelope {
            stored: Some(number),
            ..sized(sizes[number.seq as usize % sizes.len()])
        }
    }

    fn held(envelopes: &VecDeque<Envelope>) -> u64 {
        let bytes = envelopes.iter().map(|it| it.content.bytes() as u64);
        bytes.sum::<u64>() + envelopes.len() as u64 * ENVELOPE_BYTES
    }

    /// What a component may have waiting in memory: some of the messages here, or all.
    fn allowed() -> impl Strategy<Value = u64> {
        proptest::sample::select(vec![0, STEP_BYTES, 3 * STEP_BYTES, u64::MAX])
    }

    proptest! {
        #[test]
        fn messages_on_disk_are_handled_once_and_in_the_order_of_their_sender(
            happenings in happenings(), capacity in 1..5_usize, on_disk in 0..20_u64,
            allowed in allowed(),
        ) {
            let waiting = Arc::new(Waiting::new(allowed));
            let mut actor = Durable::new(capacity, on_disk, &waiting);
            for happening in happenings {
                match happening {
                    Happening::Look(page) => actor.look(page.min(capacity)),
                    other => actor.happen(other),
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
            prop_assert_eq!((waiting.in_memory(), waiting.on_disk()), Default::default());
        }

        #[test]
        fn what_waits_for_all_is_what_waits_for_each(
            happenings in all_happenings(), allowed in allowed(),
        ) {
            let waiting = Arc::new(Waiting::new(allowed));
            let mut actors = [0, 3, 6].map(|on_disk| Durable::new(4, on_disk, &waiting));
            for (index, happening) in happenings {
                match happening {
                    // At once, so that it is known what waits.
                    Some(Happening::Commit(sender)) => {
                        actors[index].commit(sender);
                        actors[index].offer(sender);
                    }
                    Some(happening) => actors[index].happen(happening),
                    // It ends, and another has its address.
                    None => {
                        actors[index].mailbox.close();
                        actors[index].mailbox.forget_on_disk();
                        actors[index].in_hand = 0;
                        let others = actors.iter().map(Durable::counted);
                        prop_assert_eq!(waiting.in_memory(), others.sum::<u64>());
                        actors[index] = Durable::new(4, 2, &waiting);
                    }
                }
                let counted = actors.iter().map(Durable::counted);
                prop_assert_eq!(waiting.in_memory(), counted.sum::<u64>());
                let mut on_disk = Backlog::default();
                actors.iter().for_each(|it| on_disk.add_all(it.on_disk_alone()));
                prop_assert_eq!(waiting.on_disk(), on_disk);
            }
            drop(actors);
            prop_assert_eq!((waiting.in_memory(), waiting.on_disk()), Default::default());
        }
    }

    /// What happens to some actors, each by its number, or that one of them ends.
    fn all_happenings() -> impl Strategy<Value = Vec<(usize, Option<Happening>)>> {
        let one = proptest::option::weighted(0.95, happening());
        proptest::collection::vec((0..3_usize, one), 0..120)
    }
}
