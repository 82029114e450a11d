//! The messages that wait for an actor, read some at a time.

// Layer 1: Standard library imports
use std::ops::{Bound, ControlFlow};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::row::{MessageNumber, Row, RowKey};
use crate::core::storage::store::{MessagePage, PageLimit, StoreError};
use crate::storage::codec::key::{decode_key, encode_key, prefix_of};
use crate::storage::codec::row::decode_row;
use crate::storage::log::log::CommitLog;
use crate::storage::log::reads::changes_until;

impl CommitLog {
    /// The messages after `after` that wait for an actor, in order, up to `limit`. It
    /// costs a pass over them, and over those that were removed lately.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn messages(
        &self,
        actor: &ComponentId,
        after: MessageNumber,
        limit: PageLimit,
    ) -> Result<MessagePage, StoreError> {
        let shared = self.shared();
        let first = RowKey::Message(after);
        let range = (
            Bound::Excluded(first.clone()),
            Bound::Excluded(RowKey::Timer(0)),
        );
        // One more tells whether there are more.
        let wanted = limit.messages.saturating_add(1);
        let (tables, (changes, as_of)) = shared.view(|state| {
            let changes = changes_until(&state.overlay, actor, range.clone(), wanted);
            (changes, state.appended)
        })?;
        let mut found = changes.clone();
        let (table, key) = encode_key(actor, &first);
        let (mut unchanged, mut unchanged_bytes) = (0, 0);
        let prefix = prefix_of(actor, table);
        shared.visit(&tables, (table, &prefix, Some(&key)), |key, value| {
            let (_, key) = decode_key(table, key)?;
            if !changes.contains_key(&key) {
                let row = decode_row(table, value)?;
                unchanged_bytes += message_bytes(&row);
                found.insert(key, Some(row));
                unchanged += 1;
            }
            Ok(match unchanged < wanted && unchanged_bytes < limit.bytes {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })?;
        // What was found is complete up to where reading ended, and so is the page: with as
        // much as it may have it ends there, or before.
        let mut page = MessagePage {
            as_of,
            has_more: unchanged_bytes >= limit.bytes,
            ..MessagePage::default()
        };
        let mut bytes = 0;
        for row in found {
            match row {
                (_, None) => {}
                (RowKey::Message(_), Some(Row::Message(_)))
                    if page.messages.len() >= limit.messages || bytes >= limit.bytes =>
                {
                    page.has_more = true;
                    break;
                }
                (RowKey::Message(number), Some(Row::Message(message))) => {
                    bytes += message.letter.bytes() as u64;
                    page.messages.push((number, *message));
                }
                _ => return Err(self.mismatch(actor)),
            }
        }
        Ok(page)
    }
}

/// The bytes that a message is made of.
fn message_bytes(row: &Row) -> u64 {
    match row {
        Row::Message(message) => message.letter.bytes() as u64,
        _ => 0,
    }
}
