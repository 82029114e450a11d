//! Carries out what turns send: now, later, to many, and as requests.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

// Layer 2: Third-party crate imports
use serde::Serialize;
use tokio::sync::Notify;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Answer, Envelope, Letter, ReplyTo};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::turn::call::{CallOutcome, Reply};
use crate::core::turn::effects::{Content, Outgoing};
use crate::core::turn::errors::{CallError, HostError};
use crate::messaging::correlation::{Correlations, Request};
use crate::messaging::timers::{TimerKey, Timers};
use crate::messaging::topics::Topics;
use crate::messaging::trace;
use crate::messaging::waits::Waits;

/// The most timers that a system keeps. Each takes about 300 bytes and its payload.
pub const MAX_TIMERS: usize = 1_000_000;

/// Carries out what turns send.
///
/// Times are milliseconds on the system's clock, which is passed in.
#[derive(Debug)]
pub struct Router {
    alarms: Mutex<Alarms>,
    correlations: Mutex<Correlations>,
    topics: RwLock<Topics>,
    waits: Mutex<Waits>,
    /// Told when something is due earlier than before.
    earlier: Notify,
}

/// Who sends, when, and as part of which trace.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The actor whose turn it was.
    pub from: &'a ComponentId,
    /// The W3C `traceparent` of the turn.
    pub trace_parent: Option<&'a Arc<str>>,
    /// The time.
    pub now_ms: u64,
}

/// What the router has open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Timers that are not due yet.
    pub timers: usize,
    /// Requests without a reply.
    pub requests: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Replies that came after their request had ended, ever.
    pub late_replies: u64,
}

/// Messages that are sent later, and which of them an actor can still cancel.
#[derive(Debug)]
struct Alarms {
    timers: Timers<Alarm>,
    by_id: HashMap<(ComponentId, u64), TimerKey>,
}

#[derive(Debug)]
struct Alarm {
    id: u64,
    envelope: Envelope,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            alarms: Mutex::new(Alarms {
                timers: Timers::new(MAX_TIMERS),
                by_id: HashMap::new(),
            }),
            correlations: Mutex::default(),
            topics: RwLock::default(),
            waits: Mutex::default(),
            earlier: Notify::new(),
        }
    }
}

impl Router {
    /// Carries out everything that a turn sent, in order.
    pub fn release(&self, post: &impl Post, sender: Sender<'_>, outgoing: Vec<Outgoing>) {
        for one in outgoing {
            self.release_one(post, sender, one);
        }
    }

    fn release_one(&self, post: &impl Post, sender: Sender<'_>, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Send { to, content } => {
                let sent = post.deliver(sender.tell(to, content), Admission::Promised);
                bury_refused(post, sent);
            }
            Outgoing::SendAfter {
                timer,
                delay_ms,
                to,
                content,
            } => {
                let due_ms = sender.now_ms.saturating_add(delay_ms.into());
                let set = self.set_timer(sender.from, timer, due_ms, sender.tell(to, content));
                bury_refused(post, set);
            }
            Outgoing::CancelTimer { timer } => self.cancel_timer(sender.from, timer),
            Outgoing::Request {
                correlation,
                timeout_ms,
                to,
                content,
            } => {
                let deadline_ms = sender.now_ms.saturating_add(timeout_ms.into());
                self.request(post, sender, correlation, deadline_ms, to, content);
            }
            Outgoing::CancelRequest { correlation } => {
                lock(&self.correlations).cancel(sender.from, correlation);
            }
            Outgoing::Publish { topic, content } => {
                self.publish(post, sender, &topic, &content);
            }
            Outgoing::Subscribe { pattern } => self.subscribe(sender.from, &pattern),
            Outgoing::Unsubscribe { pattern } => {
                let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
                topics.unsubscribe(&pattern, sender.from);
            }
        }
    }

    /// Sends a message to all subscribers of a topic, and returns how many there are. For
    /// those whose mailbox is full it becomes a dead letter.
    pub fn publish(
        &self,
        post: &impl Post,
        sender: Sender<'_>,
        topic: &str,
        content: &Content,
    ) -> usize {
        let subscribers = {
            let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
            topics.matching(topic)
        };
        let count = subscribers.len();
        for to in subscribers {
            let sent = post.deliver(sender.tell(to, content.clone()), Admission::Asked);
            bury_refused(post, sent);
        }
        count
    }

    fn subscribe(&self, actor: &ComponentId, pattern: &str) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = topics.subscribe(pattern, actor) {
            tracing::warn!(target: "airssys", %actor, pattern, %error, "not subscribed");
        }
    }

    fn set_timer(
        &self,
        owner: &ComponentId,
        id: u64,
        due_ms: u64,
        envelope: Envelope,
    ) -> Result<(), Refused> {
        let mut alarms = lock(&self.alarms);
        let first_ms = alarms.timers.next_due();
        match alarms.timers.insert(due_ms, Alarm { id, envelope }) {
            Ok(key) => {
                alarms.by_id.insert((owner.clone(), id), key);
            }
            Err(full) => {
                return Err(Refused {
                    envelope: Box::new(full.item.envelope),
                    reason: Refusal::TooMany,
                });
            }
        }
        drop(alarms);
        self.notice(first_ms, due_ms);
        Ok(())
    }

    fn cancel_timer(&self, owner: &ComponentId, id: u64) {
        let mut alarms = lock(&self.alarms);
        if let Some(key) = alarms.by_id.remove(&(owner.clone(), id)) {
            alarms.timers.remove(key);
        }
    }

    fn request(
        &self,
        post: &impl Post,
        sender: Sender<'_>,
        correlation: u64,
        deadline_ms: u64,
        to: ComponentId,
        content: Content,
    ) {
        let mut envelope = sender.tell(to.clone(), content);
        envelope.answer = Answer::Callback;
        envelope.deadline_ms = Some(deadline_ms);
        if let Letter::Message(message) = envelope.content {
            envelope.content = Letter::Message(message.with_correlation(correlation));
        }
        let request = Request {
            requester: sender.from.clone(),
            correlation,
            target: to.clone(),
            deadline_ms,
        };
        let mut correlations = lock(&self.correlations);
        let first_ms = correlations.next_deadline();
        let opened = correlations.open(request);
        drop(correlations);
        let refusal = match opened {
            Ok(()) => {
                self.notice(first_ms, deadline_ms);
                match post.deliver(envelope, Admission::Promised) {
                    Ok(()) => return,
                    Err(refused) => refused.reason,
                }
            }
            Err(_too_many) => Refusal::TooMany,
        };
        let outcome: CallOutcome = Err(CallError::Host(HostError::from(refusal)));
        let reply = ReplyTo {
            to: sender.from.clone(),
            from: to,
            reply: Reply {
                correlation,
                outcome,
            },
        };
        lock(&self.correlations).cancel(sender.from, correlation);
        self.bring(post, reply, sender.trace_parent.cloned());
    }

    /// Brings the answer to a request back, unless the request has ended.
    pub fn answer(&self, post: &impl Post, reply: ReplyTo, trace_parent: Option<Arc<str>>) {
        let ReplyTo { to, reply, .. } = reply;
        let answered = lock(&self.correlations).answer(&to, reply.correlation, reply.outcome);
        if let Some(reply) = answered {
            self.bring(post, reply, trace_parent);
        }
    }

    /// Brings a reply to whoever requested it. It was promised a place by the request.
    fn bring(&self, post: &impl Post, reply: ReplyTo, trace_parent: Option<Arc<str>>) {
        let envelope = Envelope {
            content: Letter::Reply(reply),
            answer: Answer::Nobody,
            trace_parent,
            deadline_ms: None,
        };
        bury_refused(post, post.deliver(envelope, Admission::Promised));
    }

    /// Sends what is due, and ends the requests whose time is over.
    pub fn tick(&self, post: &impl Post, now_ms: u64) {
        loop {
            let mut alarms = lock(&self.alarms);
            let Some(Alarm { id, envelope }) = alarms.timers.pop_due(now_ms) else {
                break;
            };
            alarms.by_id.remove(&(envelope.content.from().clone(), id));
            drop(alarms);
            bury_refused(post, post.deliver(envelope, Admission::Asked));
        }
        loop {
            let expired = lock(&self.correlations).pop_expired(now_ms);
            let Some(reply) = expired else {
                break;
            };
            self.bring(post, reply, None);
        }
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<u64> {
        let timer_ms = lock(&self.alarms).timers.next_due();
        let deadline_ms = lock(&self.correlations).next_deadline();
        timer_ms.into_iter().chain(deadline_ms).min()
    }

    /// Waits until something is due earlier than before.
    pub async fn earlier(&self) {
        self.earlier.notified().await;
    }

    /// Begins a call inside a turn, which must be [ended](Self::end_call).
    ///
    /// # Errors
    ///
    /// [`Deadlock`](HostError::Deadlock) when the callee waits for the caller, be it
    /// through others.
    pub fn begin_call(&self, caller: &ComponentId, callee: &ComponentId) -> Result<(), HostError> {
        lock(&self.waits)
            .begin(caller, callee)
            .map_err(HostError::from)
    }

    /// Ends a call inside a turn, however it went.
    pub fn end_call(&self, caller: &ComponentId) {
        lock(&self.waits).end(caller);
    }

    /// What there is at the moment.
    pub fn open(&self) -> Open {
        let correlations = lock(&self.correlations);
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        Open {
            timers: lock(&self.alarms).timers.len(),
            requests: correlations.len(),
            late_replies: correlations.late(),
            subscriptions: topics.len(),
        }
    }

    /// The topics that an actor subscribed to.
    pub fn subscriptions_of(&self, actor: &ComponentId) -> Vec<String> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.subscriptions_of(actor).map(str::to_owned).collect()
    }

    /// Wakes whoever waits for what is due, if that is earlier now.
    fn notice(&self, first_ms: Option<u64>, due_ms: u64) {
        if first_ms.is_none_or(|first_ms| due_ms < first_ms) {
            self.earlier.notify_one();
        }
    }
}

impl Sender<'_> {
    /// A message that expects no reply, as part of the sender's trace.
    fn tell(&self, to: ComponentId, content: Content) -> Envelope {
        let Content { kind, payload } = content;
        let message = ComponentMessage::new(self.from.clone(), to, kind, payload);
        Envelope {
            trace_parent: self
                .trace_parent
                .and_then(|parent| trace::child(parent, rand::random()))
                .map(Arc::from),
            ..Envelope::tell(message)
        }
    }
}

fn bury_refused(post: &impl Post, sent: Result<(), Refused>) {
    if let Err(refused) = sent {
        post.bury_undelivered(refused);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
