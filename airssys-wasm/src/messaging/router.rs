//! Carries out what turns send: now, later, to many, and as requests.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

// Layer 2: Third-party crate imports
use serde::Serialize;
use tokio::sync::Notify;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::{Envelope, ReplyTo};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::storage::commit::Commit;
use crate::core::storage::row::RowKey;
use crate::core::time::Moment;
use crate::core::turn::call::Reply;
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::surroundings::Opening;
use crate::messaging::alarms::Alarms;
use crate::messaging::correlation::{Correlations, Request};
use crate::messaging::plan::{Depends, Plan, Step, complete, plan_reply};
use crate::messaging::too_many::TooMany;
use crate::messaging::topics::Topics;
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
    pub at: Moment,
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
    /// Carries out what was planned, in order, when the commit that it is part of is taken.
    pub fn carry_out(&self, post: &impl Post, plan: Plan, committed: Depends<'_>) {
        for step in plan.steps {
            self.carry_out_one(post, step, committed);
        }
    }

    fn carry_out_one(&self, post: &impl Post, step: Step, committed: Depends<'_>) {
        match step {
            Step::Deliver(envelope, admission) => {
                let sent = post.deliver(committed.complete(envelope), admission);
                bury_refused(post, sent);
            }
            Step::Refuse(envelope) => {
                let envelope = Box::new(committed.complete(envelope));
                let reason = Refusal::MailboxFull;
                post.bury_undelivered(Refused { envelope, reason });
            }
            Step::SetTimer(timer, due_ms, envelope) => {
                let set = self.set_timer(timer, due_ms, committed.complete(envelope));
                if let Err(refused) = set {
                    remove_row(post, committed.from, RowKey::Timer(timer));
                    post.bury_undelivered(refused);
                }
            }
            Step::CancelTimer(timer) => lock(&self.alarms).cancel(committed.from, timer),
            Step::Request(request, envelope) => {
                self.request(post, request, committed.complete(envelope));
            }
            Step::CancelRequest(correlation) => {
                lock(&self.correlations).cancel(committed.from, correlation);
            }
            Step::Subscribe(pattern) => self.subscribe(post, committed.from, &pattern),
            Step::Unsubscribe(pattern) => {
                let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
                topics.unsubscribe(&pattern, committed.from);
            }
        }
    }

    /// Who has subscribed to a topic, by address.
    pub fn subscribers(&self, topic: &str) -> Vec<ComponentId> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.matching(topic)
    }

    /// Who has subscribed to a topic and may hear of it at this moment, by address.
    pub(crate) fn audience(&self, post: &impl Post, topic: &str) -> Vec<ComponentId> {
        let mut subscribers = self.subscribers(topic);
        subscribers.retain(|actor| post.may_hear(actor, topic));
        subscribers
    }

    /// Ends a request with its reply, and says whether it was open. From then on the reply
    /// is the only one.
    pub(crate) fn claim(&self, reply: ReplyTo) -> Option<ReplyTo> {
        let ReplyTo { to, reply, .. } = reply;
        lock(&self.correlations).answer(&to, reply.correlation, reply.outcome)
    }

    /// Takes up what was open when the system ended: a message to be sent later.
    pub fn restore_timer(
        &self,
        timer: u64,
        due_ms: u64,
        envelope: Envelope,
    ) -> Result<(), Refused> {
        self.set_timer(timer, due_ms, envelope)
    }

    /// Takes up a request that was open when the system ended.
    pub fn restore_request(&self, request: Request) -> Result<(), TooMany> {
        lock(&self.correlations).open(request)
    }

    /// Takes up a subscription that there was when the system ended.
    pub fn restore_subscription(&self, actor: &ComponentId, pattern: &str) -> Result<(), TooMany> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.subscribe(pattern, actor).map(drop)
    }

    fn subscribe(&self, post: &impl Post, actor: &ComponentId, pattern: &str) {
        if let Err(error) = self.restore_subscription(actor, pattern) {
            tracing::warn!(target: "airssys", %actor, pattern, %error, "not subscribed");
            remove_row(post, actor, RowKey::Subscription(pattern.to_owned()));
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

    fn request(&self, post: &impl Post, request: Request, envelope: Envelope) {
        let requester = request.requester.clone();
        let target = request.target.clone();
        let (correlation, deadline_ms) = (request.correlation, request.deadline_ms);
        let trace_parent = envelope.trace_parent.clone();
        let mut correlations = lock(&self.correlations);
        let first_ms = correlations.next_deadline();
        let opened = correlations.open(request);
        drop(correlations);
        let refused = match opened {
            Ok(()) => {
                self.notice(first_ms, deadline_ms);
                let sent = post.deliver(envelope, Admission::Promised);
                sent.err()
                    .map(|refused| (refused.reason, refused.envelope.stored))
            }
            Err(_too_many) => Some((Refusal::TooMany, envelope.stored)),
        };
        let Some((refusal, stored)) = refused else {
            return;
        };
        if let Some(number) = stored {
            remove_row(post, &target, RowKey::Message(number));
        }
        let is_open = lock(&self.correlations).cancel(&requester, correlation);
        if !is_open && refusal != Refusal::TooMany {
            // It has timed out this very moment, and that was its answer.
            return;
        }
        let outcome = Err(CallError::Host(HostError::from(refusal)));
        let reply = ReplyTo {
            to: requester,
            from: target,
            reply: Reply {
                correlation,
                outcome,
            },
        };
        bring(post, reply, trace_parent);
    }

    /// Sends what is due, and ends the requests whose time is over.
    pub fn tick(&self, post: &impl Post, now_ms: u64) {
        for _ in 0..MAX_DUE_AT_ONCE {
            let due = lock(&self.alarms).pop_due(now_ms);
            let Some((timer, envelope)) = due else {
                break;
            };
            send_due(post, timer, envelope);
        }
        for _ in 0..MAX_DUE_AT_ONCE {
            let expired = lock(&self.correlations).pop_expired(now_ms);
            let Some(reply) = expired else {
                break;
            };
            bring(post, reply, None);
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

    /// How many timers, requests or subscriptions an actor has open; `None` if it has
    /// subscribed to this pattern already.
    pub fn open_of(&self, actor: &ComponentId, opening: Opening<'_>) -> Option<usize> {
        match opening {
            Opening::Timer => Some(lock(&self.alarms).len_of(actor)),
            Opening::Request => Some(lock(&self.correlations).len_of(actor)),
            Opening::Subscription(pattern) => {
                let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
                topics.len_without(actor, pattern)
            }
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

/// Brings a reply to whoever requested it. It was promised a place by the request.
fn bring(post: &impl Post, reply: ReplyTo, trace_parent: Option<Arc<str>>) {
    let mut commit = Commit::default();
    let envelope = plan_reply(post, reply, trace_parent, &mut commit);
    hand_over(post, envelope, commit, Admission::Promised);
}

/// Sends a message whose time has come. It is a dead letter where too much waits on disk, also
/// for who set the timer: each turn may set many, which would else pile up there.
fn send_due(post: &impl Post, timer: u64, mut envelope: Envelope) {
    let mut commit = Commit::default();
    let owner = envelope.content.from();
    if post.is_durable(owner) {
        commit.remove(owner, RowKey::Timer(timer));
    }
    if post.is_durable(envelope.to()) {
        let bytes = envelope.content.bytes() as u64;
        if !post.has_room_for(envelope.to(), bytes) {
            let is_kept = !commit.is_empty();
            let reason = Refusal::MailboxFull;
            // The letter first, so that the process may end between the two and nothing is lost.
            post.bury_undelivered(Refused {
                envelope: Box::new(envelope),
                reason,
            });
            if is_kept {
                post.commit(commit);
            }
            return;
        }
        envelope.stored = Some(commit.put_message(envelope.to_stored(None)));
    }
    hand_over(post, envelope, commit, Admission::Asked);
}

/// Commits what puts a message into its receiver's hands, and does so.
fn hand_over(post: &impl Post, mut envelope: Envelope, commit: Commit, admission: Admission) {
    if !commit.is_empty() {
        let Some(seq) = post.commit(commit) else {
            return;
        };
        complete(&mut envelope, seq, seq);
    }
    bury_refused(post, post.deliver(envelope, admission));
}

fn remove_row(post: &impl Post, actor: &ComponentId, key: RowKey) {
    if post.is_durable(actor) {
        post.commit(Commit::removing(actor, key));
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
    use crate::core::delivery::envelope::Letter;
    use crate::core::turn::call::CallOutcome;
    use crate::core::turn::effects::{Content, Outgoing};
    use crate::messaging::plan::Planner;

    /// Keeps what it is handed, and refuses what is for `nobody` or, unless it was
    /// promised a place, for `full`.
    #[derive(Default)]
    struct Desk {
        delivered: Mutex<Vec<Envelope>>,
        buried: Mutex<Vec<(String, Refusal)>>,
        /// The rows of each commit.
        commits: Mutex<Vec<Vec<String>>>,
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

        fn is_durable(&self, actor: &ComponentId) -> bool {
            actor.instance().starts_with("durable")
        }

        fn may_hear(&self, actor: &ComponentId, _topic: &str) -> bool {
            actor.instance() != "revoked"
        }

        fn has_room_for(&self, actor: &ComponentId, _bytes: u64) -> bool {
            !actor.instance().ends_with("behind")
        }

        fn commit(&self, commit: Commit) -> Option<u64> {
            let mut commits = lock(&self.commits);
            let rows = commit.rows.iter().map(|row| {
                let sign = if row.row.is_some() { '+' } else { '-' };
                format!("{sign}{} {:?}", row.actor.instance(), row.key)
            });
            commits.push(rows.collect());
            Some(commits.len() as u64)
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
        send_from("me", router, desk, now_ms, outgoing);
    }

    fn send_from(from: &str, router: &Router, desk: &Desk, now_ms: u64, outgoing: Vec<Outgoing>) {
        let from = id(from);
        let sender = Sender {
            from: &from,
            trace_parent: None,
            at: at(now_ms),
        };
        release(router, desk, sender, outgoing);
    }

    fn at(clock_ms: u64) -> Moment {
        Moment {
            clock_ms,
            unix_ms: 1_000_000 + clock_ms,
        }
    }

    /// Plans, commits and carries out.
    fn release(router: &Router, desk: &Desk, sender: Sender<'_>, outgoing: Vec<Outgoing>) {
        let mut commit = Commit::default();
        let mut planner = Planner::new(router, desk, sender, &mut commit);
        outgoing.into_iter().for_each(|one| planner.add(one));
        let plan = planner.plan;
        let seq = match commit.is_empty() {
            true => 0,
            false => desk.commit(commit).unwrap(),
        };
        let committed = Depends {
            from: sender.from,
            seq,
            horizon: seq,
        };
        router.carry_out(desk, plan, committed);
    }

    /// Plans, commits and brings a reply.
    fn reply(router: &Router, desk: &Desk, reply: ReplyTo) {
        let from = reply.from.clone();
        let sender = Sender {
            from: &from,
            trace_parent: None,
            at: at(0),
        };
        let mut commit = Commit::default();
        let mut planner = Planner::new(router, desk, sender, &mut commit);
        planner.answer(reply);
        let plan = planner.plan;
        let seq = match commit.is_empty() {
            true => 0,
            false => desk.commit(commit).unwrap(),
        };
        let committed = Depends {
            from: &from,
            seq,
            horizon: seq,
        };
        router.carry_out(desk, plan, committed);
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

        reply(&router, &desk, answer(1, "yes"));
        reply(&router, &desk, answer(1, "again"));
        reply(&router, &desk, answer(3, "late"));
        let replies = desk.take();
        assert_eq!(replies.len(), 1);
        assert!(replies[0].starts_with("me: reply #1 Ok"), "{replies:?}");

        router.tick(&desk, 150);
        reply(&router, &desk, answer(2, "late"));
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
            ("revoked", ">"),
        ] {
            let from = id(from);
            let sender = Sender {
                from: &from,
                trace_parent: None,
                at: at(0),
            };
            let pattern = pattern.to_owned();
            release(
                &router,
                &desk,
                sender,
                vec![Outgoing::Subscribe { pattern }],
            );
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
            at: at(0),
        };
        release(
            &router,
            &desk,
            sender,
            vec![Outgoing::Unsubscribe { pattern }],
        );
        send(&router, &desk, 0, vec![publish()]);
        assert_eq!(desk.take(), ["x: news #0"]);
    }

    #[test]
    fn what_is_published_to_one_who_is_far_behind_on_disk_is_refused() {
        let (router, desk) = (Router::default(), Desk::default());
        for from in ["durable", "durable-behind", "behind"] {
            router.restore_subscription(&id(from), "a.*").unwrap();
        }
        let publish = Outgoing::Publish {
            topic: "a.b".into(),
            content: content("news"),
        };
        send(&router, &desk, 0, vec![publish]);
        assert_eq!(desk.take(), ["behind: news #0", "durable: news #0"]);
        let refused = [("durable-behind".into(), Refusal::MailboxFull)];
        assert_eq!(*lock(&desk.buried), refused);
    }

    #[test]
    fn a_timer_for_one_who_is_far_behind_on_disk_is_refused() {
        let (router, desk) = (Router::default(), Desk::default());
        let later = |timer, to| Outgoing::SendAfter {
            timer,
            delay_ms: 10,
            to: id(to),
            content: content("late"),
        };
        let to = ["durable-behind", "behind", "durable"];
        for from in ["durable-behind", "me"] {
            let all = (1..).zip(to).map(|(timer, to)| later(timer, to));
            send_from(from, &router, &desk, 0, all.collect());
        }
        lock(&desk.commits).clear();
        router.tick(&desk, 10);
        let sent = ["behind: late #0", "durable: late #0"];
        assert_eq!(desk.take(), [sent, sent].concat());
        let refused = ("durable-behind".to_owned(), Refusal::MailboxFull);
        assert_eq!(*lock(&desk.buried), [refused.clone(), refused]);
        let commits = lock(&desk.commits).concat();
        let removed = commits
            .iter()
            .filter(|row| row.starts_with("-durable-behind"));
        assert_eq!(removed.count(), 3, "the timers are gone: {commits:?}");
        let mut stored = commits.iter().filter(|row| row.starts_with('+'));
        assert_eq!(stored.clone().count(), 2, "{commits:?}");
        assert!(stored.all(|row| row.starts_with("+durable ")));
        assert_eq!(router.open().timers, 0);
    }

    #[test]
    fn a_reply_has_no_content_for_one_for_whom_too_much_waits() {
        let desk = Desk::default();
        let reply = |to: &str, outcome: CallOutcome| {
            let reply = ReplyTo {
                to: id(to),
                from: id("you"),
                reply: Reply {
                    correlation: 1,
                    outcome,
                },
            };
            let planned = plan_reply(&desk, reply, None, &mut Commit::default());
            match planned.content {
                Letter::Reply(reply) => reply.reply.outcome,
                Letter::Message(message) => panic!("{message:?}"),
            }
        };
        let large = || Ok(Some(MessagePayload::new("large")));
        let full = Err(CallError::Host(HostError::MailboxFull));
        for to in ["behind", "durable-behind"] {
            assert_eq!(reply(to, large()), full);
            assert_eq!(reply(to, Ok(None)), Ok(None));
        }
        assert_eq!(reply("me", large()), large());
    }

    #[test]
    fn what_is_sent_belongs_to_the_trace_of_its_turn() {
        let (router, desk) = (Router::default(), Desk::default());
        let parent: Arc<str> = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        let me = id("me");
        let sender = Sender {
            from: &me,
            trace_parent: Some(&parent),
            at: at(0),
        };
        let one = Outgoing::Send {
            to: id("you"),
            content: content("k"),
        };
        release(&router, &desk, sender, vec![one]);
        let sent = lock(&desk.delivered)[0].trace_parent.clone().unwrap();
        assert_eq!(sent[..36], parent[..36], "the same trace");
        assert_ne!(sent, parent, "another span");
    }
}
