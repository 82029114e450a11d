//! Messages from outside that await no reply.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::{Envelope, Letter};
use crate::core::delivery::post::{Admission, Post};
use crate::core::delivery::refusal::{Refusal, Refused};
use crate::core::limits::Limits;
use crate::core::storage::commit::Commit;
use crate::core::storage::durability::Durability;
use crate::core::storage::row::{MessageNumber, RowKey};
use crate::core::storage::store::{Committed, Store, StoreError};
use crate::core::turn::effects::Content;
use crate::messaging::plan::{Depends, Planner, complete};
use crate::messaging::router::{Router, Sender};
use crate::system::asking::check_id;
use crate::system::error::{PublishError, SendError};
use crate::system::node::Node;

/// Sends a message. One to a durable actor is on disk when this returns.
pub(crate) async fn send(
    node: &Arc<Node>,
    message: ComponentMessage,
    trace_parent: Option<Arc<str>>,
) -> Result<(), SendError> {
    if let Err(reason) = node.is_open().and_then(|()| check_id(&message)) {
        return Err(not_sent(message, reason));
    }
    let to = message.to().clone();
    let mut envelope = Envelope {
        trace_parent,
        ..Envelope::tell(message)
    };
    if !node.is_durable(&to) {
        return node.deliver(envelope, Admission::Asked).map_err(given_back);
    }
    if node.store.room().await.is_err() {
        return Err(refuse(envelope, Refusal::StoreFailed));
    }
    if let Err(reason) = node.admit(&to, envelope.content.bytes() as u64) {
        return Err(refuse(envelope, reason));
    }
    let mut commit = Commit::default();
    envelope.stored = Some(commit.put_message(envelope.to_stored(None)));
    let Some(seq) = Post::commit(node, commit) else {
        return Err(refuse(envelope, Refusal::StoreFailed));
    };
    complete(&mut envelope, seq, seq);
    let (copy, number) = (envelope.content.clone(), envelope.stored);
    if let Err(refused) = node.deliver(envelope, Admission::Asked) {
        take_back(node, &to, number);
        return Err(given_back(refused));
    }
    wait_for(node, &to, seq)
        .await
        .map_err(|reason| refuse(Envelope::new(copy), reason))
}

/// Sends a message to all who subscribed to a topic, and returns how many there are. What
/// is for durable actors is on disk when this returns.
pub(crate) async fn publish(
    node: &Arc<Node>,
    topic: &str,
    content: &Content,
    trace_parent: Option<&Arc<str>>,
) -> Result<usize, PublishError> {
    let publication = Publication {
        store: &node.store,
        post: node,
        router: &node.router,
        sender: node.outside(trace_parent),
        topic,
        content,
    };
    publication.send().await.map_err(|error| {
        node.halt(&error);
        PublishError::Refused(Refusal::StoreFailed)
    })
}

/// What is published from outside, and by whom.
struct Publication<'a, S, P> {
    store: &'a S,
    post: &'a P,
    router: &'a Router,
    sender: Sender<'a>,
    topic: &'a str,
    content: &'a Content,
}

impl<S: Store, P: Post> Publication<'_, S, P> {
    /// Sends it to all who may hear of it, so many at once, and returns how many there are. Who
    /// may, and for whom too much waits, is looked at when there is room on disk: one may wait
    /// long for that.
    async fn send(self) -> Result<usize, StoreError> {
        let (mut receivers, mut last) = (0, 0);
        let subscribers = self.router.subscribers(self.topic);
        for some in subscribers.chunks(at_once(self.content)) {
            if some.iter().any(|actor| self.post.is_durable(actor)) {
                self.store.room().await?;
            }
            let may_hear = |actor: &&ComponentId| self.post.may_hear(actor, self.topic);
            let audience: Vec<_> = some.iter().filter(may_hear).cloned().collect();
            receivers += audience.len();
            let mut commit = Commit::default();
            let mut planner = Planner::new(self.router, self.post, self.sender, &mut commit);
            planner.publish(&audience, self.content);
            let plan = planner.plan;
            let committed = self.store.append_when_room(commit).await?;
            last = committed.seq().max(last);
            let depends = Depends {
                from: self.sender.from,
                seq: committed.seq(),
                horizon: committed.seq(),
            };
            self.router.carry_out(self.post, plan, depends);
        }
        self.store.durable(last).await?;
        Ok(receivers)
    }
}

/// How many copies of what is published are put into one commit: as much as a turn may send.
fn at_once(content: &Content) -> usize {
    let limits = Limits::default();
    let fitting = limits.turn_send_bytes / (content.payload.len() as u64).max(1);
    fitting.clamp(1, limits.turn_sends) as usize
}

/// Waits until the disk has a message, unless its receiver's component does not ask for it.
async fn wait_for(node: &Arc<Node>, to: &ComponentId, seq: u64) -> Result<(), Refusal> {
    if node.durability(to) == Durability::Relaxed {
        return Ok(());
    }
    let durable = node.store.durable(seq).await;
    durable.map_err(|error| {
        node.halt(&error);
        Refusal::StoreFailed
    })
}

/// A message that was put on disk and could not be delivered does not stay there.
fn take_back(node: &Arc<Node>, to: &ComponentId, number: Option<MessageNumber>) {
    if let Some(number) = number {
        Post::commit(node, Commit::removing(to, RowKey::Message(number)));
    }
}

fn refuse(envelope: Envelope, reason: Refusal) -> SendError {
    given_back(Refused {
        envelope: Box::new(envelope),
        reason,
    })
}

fn not_sent(message: ComponentMessage, reason: Refusal) -> SendError {
    SendError {
        message: Box::new(message),
        reason,
    }
}

fn given_back(refused: Refused) -> SendError {
    let Refused { envelope, reason } = refused;
    match envelope.content {
        Letter::Message(message) => not_sent(message, reason),
        // Only messages are sent here.
        Letter::Reply(reply) => {
            let nothing =
                ComponentMessage::new(reply.from, reply.to, String::new(), Vec::new().into());
            not_sent(nothing, reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::store::{ActorRecord, MessagePage, PageLimit};
    use crate::core::time::Moment;
    use crate::core::turn::call::CallOutcome;
    use std::future::ready;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A disk on which there is room after a while, and what has become of its actors in that
    /// time: all are durable.
    #[derive(Default)]
    struct Slow {
        /// How often there was room.
        rooms: AtomicU64,
        delivered: Mutex<Vec<ComponentId>>,
        buried: Mutex<Vec<ComponentId>>,
    }

    impl Slow {
        fn rooms(&self) -> u64 {
            self.rooms.load(Ordering::Relaxed)
        }
    }

    struct Number(u64);

    impl Committed for Number {
        fn seq(&self) -> u64 {
            self.0
        }
    }

    impl Store for Slow {
        type Committed = Number;

        fn append(&self, _commit: Commit) -> Result<Number, StoreError> {
            Ok(Number(self.rooms()))
        }

        fn room(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
            self.rooms.fetch_add(1, Ordering::Relaxed);
            ready(Ok(()))
        }

        fn append_when_room(
            &self,
            commit: Commit,
        ) -> impl Future<Output = Result<Number, StoreError>> + Send {
            ready(self.append(commit))
        }

        fn durable(&self, _seq: u64) -> impl Future<Output = Result<(), StoreError>> + Send {
            ready(Ok(()))
        }

        fn load(&self, _actor: &ComponentId, _: Durability) -> Result<ActorRecord, StoreError> {
            Ok(ActorRecord::default())
        }

        fn passivate(
            &self,
            _actor: &ComponentId,
            _kept: Durability,
            _record: ActorRecord,
        ) -> Result<(), StoreError> {
            Ok(())
        }

        fn messages(
            &self,
            _actor: &ComponentId,
            _after: MessageNumber,
            _limit: PageLimit,
        ) -> Result<MessagePage, StoreError> {
            Ok(MessagePage::default())
        }

        fn answer(
            &self,
            _actor: &ComponentId,
            _periods: [u64; 2],
            _id: &Arc<str>,
        ) -> Result<Option<CallOutcome>, StoreError> {
            Ok(None)
        }
    }

    impl Post for Slow {
        fn deliver(&self, envelope: Envelope, _admission: Admission) -> Result<(), Refused> {
            self.delivered.lock().unwrap().push(envelope.to().clone());
            Ok(())
        }

        fn bury_undelivered(&self, refused: Refused) {
            let to = refused.envelope.to().clone();
            self.buried.lock().unwrap().push(to);
        }

        fn is_durable(&self, _actor: &ComponentId) -> bool {
            true
        }

        fn may_hear(&self, actor: &ComponentId, _topic: &str) -> bool {
            actor.instance() != "revoked" || self.rooms() < 2
        }

        fn has_room_for(&self, actor: &ComponentId, _bytes: u64) -> bool {
            actor.instance() != "behind" || self.rooms() < 1
        }

        fn commit(&self, _commit: Commit) -> Option<u64> {
            Some(0)
        }
    }

    #[tokio::test]
    async fn who_hears_of_it_is_looked_at_when_there_is_room() {
        let (slow, router) = (Slow::default(), Router::default());
        let id = |instance: &str| ComponentId::new("test", "reader", instance);
        for instance in ["behind", "one", "revoked", "two"] {
            router.restore_subscription(&id(instance), "a.*").unwrap();
        }
        // One at a time.
        let large = vec![0; Limits::default().turn_send_bytes as usize];
        let content = Content {
            kind: String::new(),
            payload: large.into(),
        };
        let host = id("host");
        let publication = Publication {
            store: &slow,
            post: &slow,
            router: &router,
            sender: Sender {
                from: &host,
                trace_parent: None,
                at: Moment {
                    clock_ms: 0,
                    unix_ms: 0,
                },
            },
            topic: "a.b",
            content: &content,
        };
        assert_eq!(publication.send().await.unwrap(), 3);
        assert_eq!(*slow.buried.lock().unwrap(), [id("behind")]);
        assert_eq!(*slow.delivered.lock().unwrap(), [id("one"), id("two")]);
    }
}
