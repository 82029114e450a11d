//! What becomes true at once, or not at all.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::row::{MessageNumber, Row, RowKey, StoredMessage};

/// The rows that one commit changes. They may belong to several actors.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Rows that are put (`Some`) or removed (`None`), in order: of one that is named twice
    /// the last counts.
    pub rows: Vec<RowWrite>,
    /// By how much each component's state grows.
    pub growth: Option<(ComponentId, Growth)>,
}

/// One row, put or removed.
#[derive(Debug, Clone)]
pub struct RowWrite {
    /// Whose row it is.
    pub actor: ComponentId,
    /// Its name among those of the actor. A message that is put carries its place in the
    /// commit; see [`MessageNumber::new`](crate::core::storage::row::MessageNumber::new).
    pub key: RowKey,
    /// What it says from now on, or nothing.
    pub row: Option<Row>,
}

/// By how much the state of a component, or of an actor, changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Bytes of keys and values.
    pub bytes: i64,
    /// Keys.
    pub keys: i64,
}

impl Commit {
    /// A commit that removes one row.
    pub fn removing(actor: &ComponentId, key: RowKey) -> Self {
        let mut commit = Self::default();
        commit.remove(actor, key);
        commit
    }

    /// Puts a row.
    pub fn put(&mut self, actor: &ComponentId, key: RowKey, row: Row) {
        self.write(actor, key, Some(row));
    }

    /// Removes a row.
    pub fn remove(&mut self, actor: &ComponentId, key: RowKey) {
        self.write(actor, key, None);
    }

    /// Puts or removes a row.
    pub fn write(&mut self, actor: &ComponentId, key: RowKey, row: Option<Row>) {
        self.rows.push(RowWrite {
            actor: actor.clone(),
            key,
            row,
        });
    }

    /// Puts a message, and returns its number, which is complete when the commit is taken.
    pub fn put_message(&mut self, message: StoredMessage) -> MessageNumber {
        let number = MessageNumber::new(self.rows.len() as u32);
        let to = message.letter.to().clone();
        let row = Row::Message(Box::new(message));
        self.put(&to, RowKey::Message(number), row);
        number
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
