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
use crate::core::storage::store::{Committed, Store};
use crate::core::turn::effects::Content;
use crate::messaging::plan::{Depends, Planner, complete};
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
    if let Err(reason) = node.admit(&to) {
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
    let failed = |error| {
        node.halt(&error);
        PublishError::Refused(Refusal::StoreFailed)
    };
    let audience = node.router.audience(node, topic);
    let mut last = 0;
    for some in audience.chunks(at_once(content)) {
        let mut commit = Commit::default();
        let sender = node.outside(trace_parent);
        let mut planner = Planner::new(&node.router, node, sender, &mut commit);
        planner.publish(some, content);
        let plan = planner.plan;
        let committed = node.store.append_when_room(commit).await.map_err(failed)?;
        last = committed.seq().max(last);
        let depends = Depends {
            from: &node.host,
            seq: committed.seq(),
            horizon: committed.seq(),
        };
        node.router.carry_out(node, plan, depends);
    }
    node.store.durable(last).await.map_err(failed)?;
    Ok(audience.len())
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
