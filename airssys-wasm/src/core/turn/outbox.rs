//! What a turn sends: recorded in order, within the turn's limits.

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::component::topic::{check_pattern, check_topic};
use crate::core::limits::{Limit, Limits};
use crate::core::turn::effects::{Content, Outgoing};
use crate::core::turn::errors::HostError;

/// How many ids one turn may hand out: they are the turn's number times this, plus
/// a count. It is above any sensible [`Limits::turn_sends`], which is capped to it.
const IDS_PER_TURN: u64 = 1 << 20;

/// The messages, timers and subscriptions that a turn has recorded so far.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    outgoing: Vec<Outgoing>,
    payload_bytes: u64,
    published: Published,
    first_id: u64,
    ids: u64,
    pub(crate) opened: Opened,
}

/// What becomes of everything that a turn publishes, as far as that is known in the turn. It is
/// counted for itself: who subscribed is no matter of the turn, and may be others when the turn is
/// run again.
#[derive(Debug, Clone, Copy, Default)]
struct Published {
    messages: u64,
    bytes: u64,
}

/// How many things that outlive a turn it has recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) timers: u64,
    pub(crate) requests: u64,
    pub(crate) subscriptions: u64,
}

impl Outbox {
    /// Begins a new turn. What was recorded and not taken is dropped.
    #[inline]
    pub(crate) fn begin(&mut self, turn: u64) {
        self.outgoing.clear();
        self.payload_bytes = 0;
        self.published = Published::default();
        self.first_id = turn.wrapping_mul(IDS_PER_TURN);
        self.ids = 0;
        self.opened = Opened::default();
    }

    /// Takes what was recorded.
    #[inline]
    pub(crate) fn take(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing)
    }

    pub(crate) fn send(
        &mut self,
        limits: &Limits,
        to: ComponentId,
        content: Content,
    ) -> Result<(), HostError> {
        self.admit(limits, 1, Some(&content))?;
        self.outgoing.push(Outgoing::Send { to, content });
        Ok(())
    }

    pub(crate) fn broadcast(
        &mut self,
        limits: &Limits,
        targets: impl ExactSizeIterator<Item = Result<ComponentId, HostError>>,
        content: &Content,
    ) -> Result<(), HostError> {
        // The limits come first, so that nobody has millions of addresses looked up.
        self.admit(limits, targets.len() as u64, Some(content))?;
        let receivers = targets.collect::<Result<Vec<_>, _>>()?;
        self.outgoing
            .extend(receivers.into_iter().map(|to| Outgoing::Send {
                to,
                content: content.clone(),
            }));
        Ok(())
    }

    pub(crate) fn send_after(
        &mut self,
        limits: &Limits,
        delay_ms: u32,
        to: ComponentId,
        content: Content,
    ) -> Result<u64, HostError> {
        self.admit(limits, 1, Some(&content))?;
        let timer = self.next_id();
        self.opened.timers += 1;
        self.outgoing.push(Outgoing::SendAfter {
            timer,
            delay_ms,
            to,
            content,
        });
        Ok(timer)
    }

    pub(crate) fn request(
        &mut self,
        limits: &Limits,
        to: ComponentId,
        content: Content,
        timeout_ms: u32,
    ) -> Result<u64, HostError> {
        self.admit(limits, 1, Some(&content))?;
        let correlation = self.next_id();
        self.opened.requests += 1;
        self.outgoing.push(Outgoing::Request {
            correlation,
            timeout_ms,
            to,
            content,
        });
        Ok(correlation)
    }

    /// Admits so many copies of what is published, as many messages and bytes as a turn may send.
    pub(crate) fn admit_published(
        &mut self,
        limits: &Limits,
        copies: u64,
        content: &Content,
    ) -> Result<(), HostError> {
        let messages = self.published.messages.saturating_add(copies);
        HostError::check_quota(Limit::TurnSends, limits.turn_sends, messages)?;
        let added = copies.saturating_mul(content.payload.len() as u64);
        let bytes = self.published.bytes.saturating_add(added);
        HostError::check_quota(Limit::TurnSendBytes, limits.turn_send_bytes, bytes)?;
        self.published = Published { messages, bytes };
        Ok(())
    }

    pub(crate) fn publish(
        &mut self,
        limits: &Limits,
        topic: String,
        content: Content,
    ) -> Result<(), HostError> {
        HostError::check_size(Limit::KindBytes, limits.kind_bytes, topic.len())?;
        check_topic(&topic).map_err(|e| HostError::Invalid(e.to_string()))?;
        self.admit(limits, 1, Some(&content))?;
        self.outgoing.push(Outgoing::Publish { topic, content });
        Ok(())
    }

    pub(crate) fn subscribe(&mut self, limits: &Limits, pattern: String) -> Result<(), HostError> {
        self.admit_pattern(limits, &pattern)?;
        self.outgoing.push(Outgoing::Subscribe { pattern });
        Ok(())
    }

    pub(crate) fn unsubscribe(
        &mut self,
        limits: &Limits,
        pattern: String,
    ) -> Result<(), HostError> {
        self.admit_pattern(limits, &pattern)?;
        self.outgoing.push(Outgoing::Unsubscribe { pattern });
        Ok(())
    }

    pub(crate) fn cancel_timer(&mut self, limits: &Limits, timer: u64) -> Result<(), HostError> {
        self.admit(limits, 1, None)?;
        self.outgoing.push(Outgoing::CancelTimer { timer });
        Ok(())
    }

    pub(crate) fn cancel_request(
        &mut self,
        limits: &Limits,
        correlation: u64,
    ) -> Result<(), HostError> {
        self.admit(limits, 1, None)?;
        self.outgoing.push(Outgoing::CancelRequest { correlation });
        Ok(())
    }

    fn admit_pattern(&mut self, limits: &Limits, pattern: &str) -> Result<(), HostError> {
        HostError::check_size(Limit::KindBytes, limits.kind_bytes, pattern.len())?;
        check_pattern(pattern).map_err(|e| HostError::Invalid(e.to_string()))?;
        self.admit(limits, 1, None)
    }

    /// Checks `copies` of `content` against every limit before anything is recorded.
    fn admit(
        &mut self,
        limits: &Limits,
        copies: u64,
        content: Option<&Content>,
    ) -> Result<(), HostError> {
        let sends = (self.outgoing.len() as u64).saturating_add(copies);
        let allowed = limits.turn_sends.min(IDS_PER_TURN - 1);
        HostError::check_quota(Limit::TurnSends, allowed, sends)?;
        let Some(content) = content else {
            return Ok(());
        };
        check_content(limits, content)?;
        let added = copies.saturating_mul(content.payload.len() as u64);
        let bytes = self.payload_bytes.saturating_add(added);
        HostError::check_quota(Limit::TurnSendBytes, limits.turn_send_bytes, bytes)?;
        self.payload_bytes = bytes;
        Ok(())
    }

    /// Ids begin with 1, since a correlation of zero means that there is none.
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.first_id.wrapping_add(self.ids)
    }
}

/// Reads the address of a receiver that a guest wrote.
pub(crate) fn parse_target(target: &str) -> Result<ComponentId, HostError> {
    parse_address("target", target)
}

/// Reads an address that a guest wrote, for what it calls so.
pub(crate) fn parse_address(what: &str, address: &str) -> Result<ComponentId, HostError> {
    address
        .parse()
        .map_err(|e| HostError::Invalid(format!("{what}: {e}")))
}

/// Checks the size of a kind and of a payload.
pub(crate) fn check_content(limits: &Limits, content: &Content) -> Result<(), HostError> {
    HostError::check_size(Limit::KindBytes, limits.kind_bytes, content.kind.len())?;
    HostError::check_size(
        Limit::MessageBytes,
        limits.message_bytes,
        content.payload.len(),
    )
}

impl Content {
    /// A message out of what a guest passed.
    pub(crate) fn new(kind: String, payload: Vec<u8>) -> Self {
        Self {
            kind,
            payload: MessagePayload::from(payload),
        }
    }

    /// The bytes that it is made of.
    pub(crate) fn bytes(&self) -> u64 {
        (self.kind.len() + self.payload.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::LimitExceeded;

    fn id() -> ComponentId {
        ComponentId::new("a", "b", "c")
    }

    fn content(bytes: usize) -> Content {
        Content::new("k".into(), vec![0; bytes])
    }

    #[test]
    fn each_limit_refuses_with_its_name_and_records_nothing() {
        let limits = Limits {
            turn_sends: 2,
            turn_send_bytes: 10,
            message_bytes: 8,
            kind_bytes: 4,
            ..Limits::default()
        };
        let mut outbox = Outbox::default();
        let too_large = |limit, allowed, observed| {
            Err(HostError::TooLarge(LimitExceeded {
                limit,
                allowed,
                observed,
            }))
        };
        assert_eq!(
            outbox.send(&limits, id(), content(9)),
            too_large(Limit::MessageBytes, 8, 9)
        );
        assert_eq!(
            outbox.send(&limits, id(), Content::new("kinds".into(), vec![])),
            too_large(Limit::KindBytes, 4, 5)
        );
        assert_eq!(
            outbox.publish(&limits, "a.b.c".into(), content(0)),
            too_large(Limit::KindBytes, 4, 5)
        );
        assert!(outbox.take().is_empty());

        outbox.send(&limits, id(), content(8)).unwrap();
        assert_eq!(
            outbox.send(&limits, id(), content(3)),
            Err(HostError::QuotaExceeded(LimitExceeded {
                limit: Limit::TurnSendBytes,
                allowed: 10,
                observed: 11,
            }))
        );
        outbox.cancel_timer(&limits, 7).unwrap();
        assert_eq!(
            outbox.cancel_request(&limits, 7),
            Err(HostError::QuotaExceeded(LimitExceeded {
                limit: Limit::TurnSends,
                allowed: 2,
                observed: 3,
            }))
        );
        assert_eq!(outbox.take().len(), 2);
    }

    #[test]
    fn a_broadcast_is_recorded_whole_or_not_at_all() {
        let limits = Limits {
            turn_sends: 3,
            ..Limits::default()
        };
        let mut outbox = Outbox::default();
        let targets = |names: &'static [&str]| names.iter().map(|name| parse_target(name));

        let one_wrong = targets(&["a/b/c", "a/b", "a/b/d"]);
        assert!(outbox.broadcast(&limits, one_wrong, &content(1)).is_err());
        let too_many = targets(&["a/b/c"; 4]);
        assert!(outbox.broadcast(&limits, too_many, &content(1)).is_err());
        assert!(outbox.take().is_empty());

        let good = targets(&["a/b/c", "a/b/d"]);
        outbox.broadcast(&limits, good, &content(1)).unwrap();
        assert_eq!(outbox.take().len(), 2);
    }

    #[test]
    fn ids_never_repeat_over_turns_and_never_are_zero() {
        let limits = Limits::default();
        let mut outbox = Outbox::default();
        let mut seen = std::collections::HashSet::new();
        for turn in 0..3 {
            outbox.begin(turn);
            for _ in 0..limits.turn_sends / 2 {
                let timer = outbox.send_after(&limits, 1, id(), content(0)).unwrap();
                let request = outbox.request(&limits, id(), content(0), 1).unwrap();
                assert!(timer != 0 && request != 0);
                assert!(seen.insert(timer) && seen.insert(request));
            }
        }
    }
}
