//! `messaging`: what a turn sends is recorded, and leaves if the turn succeeds.

// Layer 3: Internal module imports
use crate::core::limits::Limits;
use crate::core::turn::effects::Content;
use crate::core::turn::errors::HostError;
use crate::core::turn::outbox::Outbox;
use crate::runtime::bindings::messaging::{Host, HostError as GuestError};
use crate::runtime::settings::{Delivery, InstanceSettings};
use crate::runtime::state::StoreState;

/// What `messaging` works on.
pub(crate) struct MessagingView<'a> {
    settings: &'a InstanceSettings,
    outbox: &'a mut Outbox,
}

impl<'a> MessagingView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            outbox: &mut state.recorder.outbox,
        }
    }

    /// Records something, if there is somebody to carry it out.
    fn record<T>(
        &mut self,
        record: impl FnOnce(&mut Outbox, &Limits) -> Result<T, HostError>,
    ) -> Result<T, GuestError> {
        match self.settings.delivery {
            Delivery::Recorded => Ok(record(self.outbox, &self.settings.limits)?),
            Delivery::Nobody => Err(GuestError::Unavailable(
                "this host runs components by themselves and delivers no messages".into(),
            )),
        }
    }
}

impl Host for MessagingView<'_> {
    fn my_address(&mut self) -> String {
        self.settings.address.to_string()
    }

    fn send(&mut self, target: String, kind: String, payload: Vec<u8>) -> Result<(), GuestError> {
        self.record(|outbox, limits| outbox.send(limits, &target, Content::new(kind, payload)))
    }

    fn broadcast(
        &mut self,
        targets: Vec<String>,
        kind: String,
        payload: Vec<u8>,
    ) -> Result<(), GuestError> {
        let content = Content::new(kind, payload);
        self.record(|outbox, limits| outbox.broadcast(limits, &targets, &content))
    }

    fn send_after(
        &mut self,
        delay_ms: u32,
        target: String,
        kind: String,
        payload: Vec<u8>,
    ) -> Result<u64, GuestError> {
        let content = Content::new(kind, payload);
        self.record(|outbox, limits| outbox.send_after(limits, delay_ms, &target, content))
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
        self.record(|outbox, limits| outbox.request(limits, &target, content, timeout_ms))
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
