//! Messages that wait on disk.

// Layer 3: Internal module imports
use crate::component::actor::Actor;
use crate::component::queue::PageRead;
use crate::component::waiting::STEP_BYTES;
use crate::component::world::World;
use crate::core::delivery::dead_letter::DeathCause;
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::row::{MessageNumber, StoredMessage};
use crate::core::storage::store::{MessagePage, PageLimit, Store, StoreError};
use crate::core::time::Moment;

/// How many messages are read at once.
const PAGE: usize = 256;

impl<W: World> Actor<W> {
    /// Reads the next messages that are on disk and not in the mailbox.
    pub(crate) fn catch_up(&self) {
        match self.page_after(self.cell.mailbox.read_through()) {
            Ok(page) => {
                let now = self.world.clock().now();
                let envelopes = page.messages.into_iter();
                self.cell.mailbox.catch_up(PageRead {
                    envelopes: envelopes
                        .map(|(number, message)| envelope(number, message, now))
                        .collect(),
                    has_more: page.has_more,
                    as_of: page.as_of,
                });
            }
            Err(error) => self.stop_reading(&error),
        }
    }

    /// Makes dead letters of the messages that are on disk.
    pub(crate) fn bury_on_disk(&self, ending: Refusal) {
        let mut after = MessageNumber::ZERO;
        loop {
            let page = match self.page_after(after) {
                Ok(page) => page,
                Err(error) => return self.stop_reading(&error),
            };
            let now = self.world.clock().now();
            for (number, message) in page.messages {
                after = number;
                let envelope = envelope(number, message, now);
                self.bury(envelope, DeathCause::Ended(ending), 0, None);
            }
            if !page.has_more {
                return;
            }
        }
    }

    fn page_after(&self, after: MessageNumber) -> Result<MessagePage, StoreError> {
        let limits = &self.deployment.settings.limits;
        // Somebody has to go on when the component has used up its memory, with little each.
        let bytes = match self.deployment.waiting.has_room_for(STEP_BYTES) {
            true => limits.mailbox_bytes,
            false => limits.mailbox_bytes.min(STEP_BYTES),
        };
        let limit = PageLimit {
            messages: usize::try_from(limits.mailbox).map_or(PAGE, |it| it.min(PAGE)),
            bytes,
        };
        self.world
            .store()
            .messages(&self.cell.address, after, limit)
    }

    /// The store has failed. There is nothing more to be read, here or anywhere.
    fn stop_reading(&self, error: &StoreError) {
        self.world.halt(error);
        self.cell.mailbox.catch_up(PageRead::default());
    }
}

/// A message that was read.
fn envelope(number: MessageNumber, message: StoredMessage, now: Moment) -> Envelope {
    let deadline = message.deadline_unix_ms;
    Envelope {
        deadline_ms: deadline.map(|unix_ms| now.clock_ms_at(unix_ms)),
        stored: Some(number),
        horizon: number.seq,
        ..Envelope::from(message)
    }
}
