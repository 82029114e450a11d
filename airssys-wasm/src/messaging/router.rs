//! Carries out what turns send: now, later, to many, and as requests.

// Layer 1: Standard library imports
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
use crate::core::turn::call::Reply;
use crate::core::turn::effects::{Content, Outgoing};
use crate::core::turn::errors::{CallError, HostError};
use crate::messaging::alarms::Alarms;
use crate::messaging::correlation::{Correlations, Request};
use crate::messaging::topics::Topics;
use crate::messaging::trace;
use crate::messaging::waits::Waits;

/// How many messages are sent in one go when their time has come. What is left is sent
/// when others have run.
const MAX_DUE_AT_ONCE: usize = 1_024;

/// Carries out what turns send.
///
/// Times are milliseconds on the system's clock, which is passed in.
#[derive(Debug, Default)]
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
                let set = self.set_timer(timer, due_ms, sender.tell(to, content));
                bury_refused(post, set);
            }
            Outgoing::CancelTimer { timer } => lock(&self.alarms).cancel(sender.from, timer),
            Outgoing::Request {
                correlation,
                timeout_ms,
                to,
                content,
            } => {
                let request = Request {
                    requester: sender.from.clone(),
                    correlation,
                    target: to,
                    deadline_ms: sender.now_ms.saturating_add(timeout_ms.into()),
                };
                self.request(post, sender, request, content);
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

    fn set_timer(&self, id: u64, due_ms: u64, envelope: Envelope) -> Result<(), Refused> {
        let mut alarms = lock(&self.alarms);
        let first_ms = alarms.next_due();
        alarms.insert(id, due_ms, envelope)?;
        drop(alarms);
        self.notice(first_ms, due_ms);
        Ok(())
    }

    fn request(&self, post: &impl Post, sender: Sender<'_>, request: Request, content: Content) {
        let (correlation, deadline_ms) = (request.correlation, request.deadline_ms);
        let target = request.target.clone();
        let mut correlations = lock(&self.correlations);
        let first_ms = correlations.next_deadline();
        let opened = correlations.open(request);
        drop(correlations);
        let sent = match opened {
            Ok(()) => {
                self.notice(first_ms, deadline_ms);
                let Content { kind, payload } = content;
                let message =
                    ComponentMessage::new(sender.from.clone(), target.clone(), kind, payload)
                        .with_correlation(correlation);
                let envelope = Envelope {
                    content: Letter::Message(message),
                    answer: Answer::Callback,
                    trace_parent: sender.child(),
                    deadline_ms: Some(deadline_ms),
                };
                let sent = post.deliver(envelope, Admission::Promised);
                sent.map_err(|refused| refused.reason)
            }
            Err(_too_many) => Err(Refusal::TooMany),
        };
        let Err(refusal) = sent else {
            return;
        };
        let is_open = lock(&self.correlations).cancel(sender.from, correlation);
        if !is_open && refusal != Refusal::TooMany {
            // It has timed out this very moment, and that was its answer.
            return;
        }
        let outcome = Err(CallError::Host(HostError::from(refusal)));
        let reply = ReplyTo {
            to: sender.from.clone(),
            from: target,
            reply: Reply {
                correlation,
                outcome,
            },
        };
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
        for _ in 0..MAX_DUE_AT_ONCE {
            let due = lock(&self.alarms).pop_due(now_ms);
            let Some(envelope) = due else {
                break;
            };
            bury_refused(post, post.deliver(envelope, Admission::Asked));
        }
        for _ in 0..MAX_DUE_AT_ONCE {
            let expired = lock(&self.correlations).pop_expired(now_ms);
            let Some(reply) = expired else {
                break;
            };
            self.bring(post, reply, None);
        }
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<u64> {
        let timer_ms = lock(&self.alarms).next_due();
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
            timers: lock(&self.alarms).len(),
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
            trace_parent: self.child(),
            ..Envelope::tell(message)
        }
    }

    /// What a message is part of that this turn sends.
    fn child(&self) -> Option<Arc<str>> {
        let parent = self.trace_parent?;
        trace::child(parent, rand::random()).map(Arc::from)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::MessagePayload;

    /// Keeps what it is handed, and refuses what is for `nobody` or, unless it was
    /// promised a place, for `full`.
    #[derive(Default)]
    struct Desk {
        delivered: Mutex<Vec<Envelope>>,
        buried: Mutex<Vec<(String, Refusal)>>,
    }

    impl Post for Desk {
        fn deliver(&self, envelope: Envelope, admission: Admission) -> Result<(), Refused> {
            let refuse = |envelope: Envelope, reason| {
                let envelope = Box::new(envelope);
                Err(Refused { envelope, reason })
            };
            match envelope.to().instance() {
                "nobody" => refuse(envelope, Refusal::UnknownTarget),
                "full" if admission == Admission::Asked => refuse(envelope, Refusal::MailboxFull),
                _ => {
                    lock(&self.delivered).push(envelope);
                    Ok(())
                }
            }
        }

        fn bury_undelivered(&self, refused: Refused) {
            let to = refused.envelope.to().instance().to_owned();
            lock(&self.buried).push((to, refused.reason));
        }
    }

    impl Desk {
        /// `to: what`, of what was delivered since this was last asked.
        fn take(&self) -> Vec<String> {
            let delivered = std::mem::take(&mut *lock(&self.delivered));
            let line = |envelope: Envelope| match envelope.content {
                Letter::Message(message) => format!(
                    "{}: {} #{}",
                    message.to().instance(),
                    message.message_type(),
                    message.correlation()
                ),
                Letter::Reply(ReplyTo { to, reply, .. }) => {
                    format!(
                        "{}: reply #{} {:?}",
                        to.instance(),
                        reply.correlation,
                        reply.outcome
                    )
                }
            };
            delivered.into_iter().map(line).collect()
        }
    }

    fn id(instance: &str) -> ComponentId {
        ComponentId::new("a", "b", instance)
    }

    fn content(kind: &str) -> Content {
        Content {
            kind: kind.into(),
            payload: MessagePayload::empty(),
        }
    }

    fn request(correlation: u64, to: &str, timeout_ms: u32) -> Outgoing {
        Outgoing::Request {
            correlation,
            timeout_ms,
            to: id(to),
            content: content("q"),
        }
    }

    /// What `me` sends at a time.
    fn send(router: &Router, desk: &Desk, now_ms: u64, outgoing: Vec<Outgoing>) {
        let me = id("me");
        let sender = Sender {
            from: &me,
            trace_parent: None,
            now_ms,
        };
        router.release(desk, sender, outgoing);
    }

    fn answer(correlation: u64, text: &str) -> ReplyTo {
        ReplyTo {
            to: id("me"),
            from: id("you"),
            reply: Reply {
                correlation,
                outcome: Ok(Some(text.into())),
            },
        }
    }

    #[test]
    fn a_timer_sends_once_when_it_is_due_unless_it_was_cancelled() {
        let (router, desk) = (Router::default(), Desk::default());
        let later = |timer, delay_ms, to| Outgoing::SendAfter {
            timer,
            delay_ms,
            to: id(to),
            content: content("late"),
        };
        let all = vec![
            later(1, 30, "you"),
            later(2, 10, "you"),
            later(3, 20, "full"),
        ];
        send(&router, &desk, 100, all);
        send(
            &router,
            &desk,
            105,
            vec![Outgoing::CancelTimer { timer: 1 }],
        );
        assert_eq!(router.next_due(), Some(110));
        router.tick(&desk, 109);
        assert!(desk.take().is_empty());
        router.tick(&desk, 500);
        router.tick(&desk, 500);
        assert_eq!(desk.take(), ["you: late #0"]);
        assert_eq!(*lock(&desk.buried), [("full".into(), Refusal::MailboxFull)]);
        assert_eq!((router.next_due(), router.open().timers), (None, 0));
    }

    #[test]
    fn a_request_is_answered_or_times_out_once() {
        let (router, desk) = (Router::default(), Desk::default());
        let all = vec![
            request(1, "you", 50),
            request(2, "you", 50),
            request(3, "you", 50),
        ];
        send(&router, &desk, 100, all);
        assert_eq!(desk.take(), ["you: q #1", "you: q #2", "you: q #3"]);
        send(
            &router,
            &desk,
            101,
            vec![Outgoing::CancelRequest { correlation: 3 }],
        );

        router.answer(&desk, answer(1, "yes"), None);
        router.answer(&desk, answer(1, "again"), None);
        router.answer(&desk, answer(3, "late"), None);
        let replies = desk.take();
        assert_eq!(replies.len(), 1);
        assert!(replies[0].starts_with("me: reply #1 Ok"), "{replies:?}");

        router.tick(&desk, 150);
        router.answer(&desk, answer(2, "late"), None);
        router.tick(&desk, 1_000);
        assert_eq!(desk.take(), ["me: reply #2 Err(Host(Timeout))"]);
        let open = router.open();
        assert_eq!((open.requests, open.late_replies), (0, 3));
    }

    #[test]
    fn a_request_that_cannot_be_delivered_is_answered_at_once() {
        let (router, desk) = (Router::default(), Desk::default());
        send(&router, &desk, 0, vec![request(7, "nobody", 1_000)]);
        assert_eq!(desk.take(), ["me: reply #7 Err(Host(NotFound))"]);
        router.tick(&desk, 5_000);
        assert!(desk.take().is_empty());
    }

    #[test]
    fn what_is_published_reaches_each_subscriber_once() {
        let (router, desk) = (Router::default(), Desk::default());
        for (from, pattern) in [
            ("x", "a.*"),
            ("x", "a.>"),
            ("y", "a.b"),
            ("z", "b.>"),
            ("full", ">"),
        ] {
            let from = id(from);
            let sender = Sender {
                from: &from,
                trace_parent: None,
                now_ms: 0,
            };
            let pattern = pattern.to_owned();
            router.release(&desk, sender, vec![Outgoing::Subscribe { pattern }]);
        }
        let publish = || Outgoing::Publish {
            topic: "a.b".into(),
            content: content("news"),
        };
        send(&router, &desk, 0, vec![publish()]);
        assert_eq!(desk.take(), ["x: news #0", "y: news #0"]);
        assert_eq!(*lock(&desk.buried), [("full".into(), Refusal::MailboxFull)]);
        let pattern = "a.b".to_owned();
        let y = id("y");
        let sender = Sender {
            from: &y,
            trace_parent: None,
            now_ms: 0,
        };
        router.release(&desk, sender, vec![Outgoing::Unsubscribe { pattern }]);
        send(&router, &desk, 0, vec![publish()]);
        assert_eq!(desk.take(), ["x: news #0"]);
    }

    #[test]
    fn what_is_sent_belongs_to_the_trace_of_its_turn() {
        let (router, desk) = (Router::default(), Desk::default());
        let parent: Arc<str> = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        let me = id("me");
        let sender = Sender {
            from: &me,
            trace_parent: Some(&parent),
            now_ms: 0,
        };
        let one = Outgoing::Send {
            to: id("you"),
            content: content("k"),
        };
        router.release(&desk, sender, vec![one]);
        let sent = lock(&desk.delivered)[0].trace_parent.clone().unwrap();
        assert_eq!(sent[..36], parent[..36], "the same trace");
        assert_ne!(sent, parent, "another span");
    }
}
