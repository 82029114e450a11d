//! `messaging`: what a turn sends is recorded, and leaves if the turn succeeds.

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::Limits;
use crate::core::turn::effects::Content;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::Notes;
use crate::core::turn::outbox::{Outbox, parse_target};
use crate::runtime::bindings::messaging::{Host, HostError as GuestError};
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// What `messaging` works on.
pub(crate) struct MessagingView<'a> {
    settings: &'a InstanceSettings,
    outbox: &'a mut Outbox,
    notes: &'a mut Notes,
}

impl<'a> MessagingView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            outbox: &mut state.recorder.outbox,
            notes: &mut state.recorder.notes,
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
        target: &str,
        record: impl FnOnce(&mut Outbox, &Limits, ComponentId) -> Result<T, HostError>,
    ) -> Result<T, GuestError> {
        self.settings.surroundings.attended()?;
        let to = resolve(self.settings, self.notes, target)?;
        Ok(record(self.outbox, &self.settings.limits, to)?)
    }
}

/// Reads an address, and refuses one that cannot be sent to.
fn resolve(
    settings: &InstanceSettings,
    notes: &mut Notes,
    target: &str,
) -> Result<ComponentId, HostError> {
    let to = parse_target(target)?;
    let admitted = settings.surroundings.admit(&to);
    notes.asked(&admitted);
    admitted.map(|()| to)
}

impl Host for MessagingView<'_> {
    fn my_address(&mut self) -> String {
        self.settings.address.to_string()
    }

    fn send(&mut self, target: String, kind: String, payload: Vec<u8>) -> Result<(), GuestError> {
        let content = Content::new(kind, payload);
        self.record_to(&target, |outbox, limits, to| {
            outbox.send(limits, to, content)
        })
    }

    fn broadcast(
        &mut self,
        targets: Vec<String>,
        kind: String,
        payload: Vec<u8>,
    ) -> Result<(), GuestError> {
        self.settings.surroundings.attended()?;
        let content = Content::new(kind, payload);
        let (settings, notes) = (self.settings, &mut *self.notes);
        let receivers = targets
            .iter()
            .map(|target| resolve(settings, notes, target));
        let limits = &self.settings.limits;
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
        self.record_to(&target, |outbox, limits, to| {
            outbox.send_after(limits, delay_ms, to, content)
        })
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
        self.record_to(&target, |outbox, limits, to| {
            outbox.request(limits, to, content, timeout_ms)
        })
    }

    fn cancel_request(&mut self, correlation: u64) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.cancel_request(limits, correlation))
    }

    fn publish(&mut self, topic: String, kind: String, payload: Vec<u8>) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.publish(limits, topic, Content::new(kind, payload)))
    }

    fn subscribe(&mut self, pattern: String) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.subscribe(limits, pattern))
    }

    fn unsubscribe(&mut self, pattern: String) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.unsubscribe(limits, pattern))
    }
}
