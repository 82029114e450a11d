//! What a turn sends, worked out before its commit.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Answer, Envelope, Letter, ReplyTo};
use crate::core::delivery::post::{Admission, Post};
use crate::core::storage::commit::Commit;
use crate::core::storage::row::{MessageNumber, Row, RowKey, StoredRequest, StoredTimer};
use crate::core::turn::effects::{Content, Outgoing};
use crate::core::turn::errors::{CallError, HostError};
use crate::messaging::correlation::Request;
use crate::messaging::router::{Router, Sender};
use crate::messaging::trace;

/// What is to be done, in order, when a commit is taken.
#[derive(Debug, Default)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
}

/// One thing that is to be done.
#[derive(Debug)]
pub(crate) enum Step {
    /// A message is put into its receiver's mailbox.
    Deliver(Envelope, Admission),
    /// A message becomes a dead letter, since its receiver's mailbox is full.
    Refuse(Envelope),
    /// A message is to be sent later: the timer's id, and when by the system's clock.
    SetTimer(u64, u64, Envelope),
    /// A message is not to be sent later.
    CancelTimer(u64),
    /// A request is opened, and its message delivered.
    Request(Request, Envelope),
    /// A request is given up.
    CancelRequest(u64),
    /// A subscription begins.
    Subscribe(String),
    /// A subscription ends.
    Unsubscribe(String),
}

/// A commit that was taken, and whose it was.
#[derive(Debug, Clone, Copy)]
pub struct Depends<'a> {
    /// Whose turn it was.
    pub from: &'a ComponentId,
    /// Its number, or zero.
    pub seq: u64,
    /// The last commit that its turn depends on.
    pub horizon: u64,
}

impl Depends<'_> {
    /// A message that was planned, when its commit is taken.
    pub(crate) fn complete(self, mut envelope: Envelope) -> Envelope {
        complete(&mut envelope, self.seq, self.horizon);
        envelope
    }
}

/// Gives a message the number of its commit, now that it has one.
pub(crate) fn complete(envelope: &mut Envelope, seq: u64, horizon: u64) {
    envelope.horizon = horizon;
    if let Some(number) = &mut envelope.stored {
        *number = MessageNumber {
            seq,
            index: number.index,
        };
    }
}

/// Works out what turns send. Nothing is done yet, and no table is changed.
pub(crate) struct Planner<'a, P> {
    pub(crate) router: &'a Router,
    pub(crate) post: &'a P,
    pub(crate) sender: Sender<'a>,
    pub(crate) commit: &'a mut Commit,
    pub(crate) plan: Plan,
}

impl<'a, P: Post> Planner<'a, P> {
    /// Begins to plan what `sender` sends, as part of `commit`.
    pub(crate) fn new(
        router: &'a Router,
        post: &'a P,
        sender: Sender<'a>,
        commit: &'a mut Commit,
    ) -> Self {
        Self {
            router,
            post,
            sender,
            commit,
            plan: Plan::default(),
        }
    }

    /// Plans one thing that a turn asked for.
    pub(crate) fn add(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Send { to, content } => self.deliver(to, content, Admission::Promised),
            Outgoing::SendAfter {
                timer,
                delay_ms,
                to,
                content,
            } => self.set_timer(timer, delay_ms, to, content),
            Outgoing::CancelTimer { timer } => {
                self.remove_own(RowKey::Timer(timer));
                self.plan.steps.push(Step::CancelTimer(timer));
            }
            Outgoing::Request {
                correlation,
                timeout_ms,
                to,
                content,
            } => self.request(correlation, timeout_ms, to, content),
            Outgoing::CancelRequest { correlation } => {
                self.remove_own(RowKey::Request(correlation));
                self.plan.steps.push(Step::CancelRequest(correlation));
            }
            Outgoing::Publish { topic, content } => {
                let audience = self.router.audience(self.post, &topic);
                self.publish(&audience, &content);
            }
            Outgoing::Subscribe { pattern } => {
                self.put_own(RowKey::Subscription(pattern.clone()), || Row::Subscription);
                self.plan.steps.push(Step::Subscribe(pattern));
            }
            Outgoing::Unsubscribe { pattern } => {
                self.remove_own(RowKey::Subscription(pattern.clone()));
                self.plan.steps.push(Step::Unsubscribe(pattern));
            }
        }
    }

    /// Plans a message to each of those who hear of a topic. It is a dead letter where too much
    /// waits on disk.
    pub(crate) fn publish(&mut self, audience: &[ComponentId], content: &Content) {
        for to in audience {
            if self.post.is_durable(to) && !self.post.has_room_for(to, content.bytes()) {
                let envelope = self.tell(to.clone(), content.clone());
                self.plan.steps.push(Step::Refuse(envelope));
            } else {
                self.deliver(to.clone(), content.clone(), Admission::Asked);
            }
        }
    }

    /// Plans a reply, if its request is still open. It is not from now on.
    pub(crate) fn answer(&mut self, reply: ReplyTo) {
        if let Some(reply) = self.router.claim(reply) {
            let trace_parent = self.sender.trace_parent.cloned();
            let envelope = plan_reply(self.post, reply, trace_parent, self.commit);
            let step = Step::Deliver(envelope, Admission::Promised);
            self.plan.steps.push(step);
        }
    }

    fn deliver(&mut self, to: ComponentId, content: Content, admission: Admission) {
        let mut envelope = self.tell(to, content);
        self.store(&mut envelope, None);
        self.plan.steps.push(Step::Deliver(envelope, admission));
    }

    fn set_timer(&mut self, timer: u64, delay_ms: u32, to: ComponentId, content: Content) {
        let envelope = self.tell(to, content);
        let at = self.sender.at;
        let due_unix_ms = at.unix_ms.saturating_add(delay_ms.into());
        self.put_own(RowKey::Timer(timer), || {
            Row::Timer(Box::new(StoredTimer {
                due_unix_ms,
                message: envelope.to_stored(None),
            }))
        });
        let due_ms = at.clock_ms.saturating_add(delay_ms.into());
        self.plan
            .steps
            .push(Step::SetTimer(timer, due_ms, envelope));
    }

    fn request(&mut self, correlation: u64, timeout_ms: u32, to: ComponentId, content: Content) {
        let at = self.sender.at;
        let deadline_ms = at.clock_ms.saturating_add(timeout_ms.into());
        let deadline_unix_ms = at.unix_ms.saturating_add(timeout_ms.into());
        let request = Request {
            requester: self.sender.from.clone(),
            correlation,
            target: to.clone(),
            deadline_ms,
        };
        let stored = StoredRequest {
            target: to.clone(),
            deadline_unix_ms,
        };
        self.put_own(RowKey::Request(correlation), || Row::Request(stored));
        let Content { kind, payload } = content;
        let message = ComponentMessage::new(self.sender.from.clone(), to, kind, payload)
            .with_correlation(correlation);
        let mut envelope = Envelope {
            answer: Answer::Callback,
            trace_parent: self.sender.child(),
            deadline_ms: Some(deadline_ms),
            ..Envelope::tell(message)
        };
        self.store(&mut envelope, Some(deadline_unix_ms));
        self.plan.steps.push(Step::Request(request, envelope));
    }

    /// A message that expects no reply, as part of the sender's trace.
    fn tell(&self, to: ComponentId, content: Content) -> Envelope {
        let Content { kind, payload } = content;
        let message = ComponentMessage::new(self.sender.from.clone(), to, kind, payload);
        Envelope {
            trace_parent: self.sender.child(),
            ..Envelope::tell(message)
        }
    }

    /// Has the commit put a message on disk, if its receiver is durable.
    fn store(&mut self, envelope: &mut Envelope, deadline_unix_ms: Option<u64>) {
        if self.post.is_durable(envelope.to()) {
            let stored = envelope.to_stored(deadline_unix_ms);
            envelope.stored = Some(self.commit.put_message(stored));
        }
    }

    fn put_own(&mut self, key: RowKey, row: impl FnOnce() -> Row) {
        if self.post.is_durable(self.sender.from) {
            self.commit.put(self.sender.from, key, row());
        }
    }

    fn remove_own(&mut self, key: RowKey) {
        if self.post.is_durable(self.sender.from) {
            self.commit.remove(self.sender.from, key);
        }
    }
}

/// A reply on its way, and its rows if the requester is durable: the request ends with it. Where
/// too much waits for the requester already, it is told that in place of the reply's content.
pub(crate) fn plan_reply(
    post: &impl Post,
    mut reply: ReplyTo,
    trace_parent: Option<Arc<str>>,
    commit: &mut Commit,
) -> Envelope {
    let correlation = reply.reply.correlation;
    if let Ok(Some(payload)) = &reply.reply.outcome
        && !post.has_room_for(&reply.to, payload.len() as u64)
    {
        reply.reply.outcome = Err(CallError::Host(HostError::MailboxFull));
    }
    let mut envelope = Envelope {
        trace_parent,
        ..Envelope::new(Letter::Reply(reply))
    };
    if post.is_durable(envelope.to()) {
        commit.remove(envelope.to(), RowKey::Request(correlation));
        envelope.stored = Some(commit.put_message(envelope.to_stored(None)));
    }
    envelope
}

impl Sender<'_> {
    /// What a message is part of that this turn sends.
    fn child(&self) -> Option<Arc<str>> {
        let parent = self.trace_parent?;
        trace::child(parent, rand::random()).map(Arc::from)
    }
}
