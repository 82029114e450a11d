//! `messaging`: what a turn sends is recorded, and leaves if the turn succeeds.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::{Limit, Limits};
use crate::core::security::capability::Capability;
use crate::core::turn::effects::Content;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::Notes;
use crate::core::turn::outbox::{Outbox, parse_target};
use crate::core::turn::surroundings::Opening;
use crate::runtime::bindings::messaging::{Host, HostError as GuestError};
use crate::runtime::rate::Rate;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// What `messaging` works on.
pub(crate) struct MessagingView<'a> {
    settings: &'a InstanceSettings,
    outbox: &'a mut Outbox,
    notes: &'a mut Notes,
    sending: &'a Rate,
}

impl<'a> MessagingView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            outbox: &mut state.recorder.outbox,
            notes: &mut state.recorder.notes,
            sending: &state.sending,
        }
    }

    /// Records something, if there is somebody to carry it out.
    fn record<T>(
        &mut self,
        record: impl FnOnce(&mut Outbox, &Limits) -> Result<T, HostError>,
    ) -> Result<T, GuestError> {
        self.settings.surroundings.attended()?;
        Ok(record(self.outbox, &self.settings.limits)?)
    }

    /// Records a message to one receiver.
    fn record_to<T>(
        &mut self,
        capability: Capability,
        target: &str,
        content: Content,
        record: impl FnOnce(&mut Outbox, &Limits, ComponentId, Content) -> Result<T, HostError>,
    ) -> Result<T, GuestError> {
        self.settings.surroundings.attended()?;
        let mut sender = Sender {
            settings: self.settings,
            notes: self.notes,
            sending: self.sending,
        };
        let to = sender.resolve(capability, target, &content)?;
        Ok(record(self.outbox, &self.settings.limits, to, content)?)
    }

    /// Counts what is published once for each actor that hears of it.
    fn admit_publication(&mut self, topic: &str, content: &Content) -> Result<(), HostError> {
        let limits = &self.settings.limits;
        HostError::check_size(Limit::KindBytes, limits.kind_bytes, topic.len())?;
        let copies = self.settings.surroundings.audience(topic);
        let allowed = limits.messages_per_s;
        self.sending
            .check_many(Limit::MessagesPerS, allowed, copies)?;
        self.outbox.admit_published(limits, copies, content)
    }

    /// Refuses to open more than may be open at once. Says whether it is one more.
    fn admit_opening(&mut self, opening: Opening<'_>) -> Result<bool, HostError> {
        let (settings, opened) = (self.settings, self.outbox.opened);
        let limits = &settings.limits;
        let (limit, allowed, recorded) = match opening {
            Opening::Timer => (Limit::Timers, limits.timers, opened.timers),
            Opening::Request => (Limit::Requests, limits.requests, opened.requests),
            Opening::Subscription(_) => {
                let allowed = limits.subscriptions;
                (Limit::Subscriptions, allowed, opened.subscriptions)
            }
        };
        let open = settings.surroundings.open(&settings.address, opening);
        let found = open.map_or(Ok(()), |open| {
            let wanted = open.saturating_add(recorded).saturating_add(1);
            HostError::check_quota(limit, allowed, wanted)
        });
        let told = settings.surroundings.recall(found);
        self.notes.asked(&told);
        told.map(|()| open.is_some())
    }
}

/// What has to be asked before a message is recorded.
struct Sender<'a> {
    settings: &'a InstanceSettings,
    notes: &'a mut Notes,
    sending: &'a Rate,
}

impl Sender<'_> {
    /// Reads an address, and refuses one that may not or cannot be sent to, or not so soon.
    fn resolve(
        &mut self,
        capability: Capability,
        target: &str,
        content: &Content,
    ) -> Result<ComponentId, HostError> {
        let to = parse_target(target)?;
        let settings = self.settings;
        settings.permit_in_turn(self.notes, capability, to.as_str())?;
        let in_time = self.check_rate();
        let admitted = in_time.and_then(|()| {
            let surroundings = &settings.surroundings;
            surroundings.admit(&settings.address, &to, content.bytes())
        });
        self.notes.asked(&admitted);
        admitted.map(|()| to)
    }

    #[inline]
    fn check_rate(&self) -> Result<(), HostError> {
        let allowed = self.settings.limits.messages_per_s;
        self.sending.check(Limit::MessagesPerS, allowed)
    }
}

impl Host for MessagingView<'_> {
    fn my_address(&mut self) -> String {
        self.settings.address.to_string()
    }

    fn send(&mut self, target: String, kind: String, payload: Vec<u8>) -> Result<(), GuestError> {
        let content = Content::new(kind, payload);
        self.record_to(Capability::Send, &target, content, Outbox::send)
    }

    fn broadcast(
        &mut self,
        targets: Vec<String>,
        kind: String,
        payload: Vec<u8>,
    ) -> Result<(), GuestError> {
        self.settings.surroundings.attended()?;
        let content = Content::new(kind, payload);
        let limits = &self.settings.limits;
        let mut sender = Sender {
            settings: self.settings,
            notes: self.notes,
            sending: self.sending,
        };
        let receivers = targets
            .iter()
            .map(|target| sender.resolve(Capability::Send, target, &content));
        Ok(self.outbox.broadcast(limits, receivers, &content)?)
    }

    fn send_after(
        &mut self,
        delay_ms: u32,
        target: String,
        kind: String,
        payload: Vec<u8>,
    ) -> Result<u64, GuestError> {
        let content = Content::new(kind, payload);
        self.settings.surroundings.attended()?;
        self.admit_opening(Opening::Timer)?;
        let record = |outbox: &mut Outbox, limits: &Limits, to, content| {
            outbox.send_after(limits, delay_ms, to, content)
        };
        self.record_to(Capability::Timers, &target, content, record)
    }

    fn cancel_timer(&mut self, timer: u64) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.cancel_timer(limits, timer))
    }

    fn request(
        &mut self,
        target: String,
        kind: String,
        payload: Vec<u8>,
        timeout_ms: u32,
    ) -> Result<u64, GuestError> {
        let content = Content::new(kind, payload);
        self.settings.surroundings.attended()?;
        self.admit_opening(Opening::Request)?;
        let record = |outbox: &mut Outbox, limits: &Limits, to, content| {
            outbox.request(limits, to, content, timeout_ms)
        };
        self.record_to(Capability::Call, &target, content, record)
    }

    fn cancel_request(&mut self, correlation: u64) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.cancel_request(limits, correlation))
    }

    fn publish(&mut self, topic: String, kind: String, payload: Vec<u8>) -> Result<(), GuestError> {
        self.settings.surroundings.attended()?;
        let settings = self.settings;
        settings.permit_in_turn(self.notes, Capability::Publish, &topic)?;
        let content = Content::new(kind, payload);
        let found = self.admit_publication(&topic, &content);
        let told = settings.surroundings.recall(found);
        self.notes.asked(&told);
        told?;
        self.record(|outbox, limits| outbox.publish(limits, topic, content))
    }

    fn subscribe(&mut self, pattern: String) -> Result<(), GuestError> {
        self.settings.surroundings.attended()?;
        let settings = self.settings;
        settings.permit_in_turn(self.notes, Capability::Subscribe, &pattern)?;
        let is_new = self.admit_opening(Opening::Subscription(&pattern))?;
        self.record(|outbox, limits| {
            outbox.subscribe(limits, pattern)?;
            outbox.opened.subscriptions += u64::from(is_new);
            Ok(())
        })
    }

    fn unsubscribe(&mut self, pattern: String) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.unsubscribe(limits, pattern))
    }
}
