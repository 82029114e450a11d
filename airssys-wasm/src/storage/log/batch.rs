//! Commits that are merged into one.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

// Layer 2: Third-party crate imports
use hashbrown::HashMap;
use hashbrown::hash_map::Entry as ActorEntry;

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::storage::commit::{Commit, Growth, RowWrite};
use crate::core::storage::row::{MessageNumber, Row, RowKey, StoredMessage};

/// About what a row takes up in memory besides its text and payload, in bytes.
const ROW_BYTES: u64 = 96;

/// About what the first row of an actor takes up besides, in bytes: room for eleven.
const ACTOR_BYTES: u64 = 1024;

/// Rows of one actor.
pub(crate) type Rows = BTreeMap<RowKey, Slot>;

/// Commits that follow each other, merged: of several writes to a row only the last is
/// here, and of a message that was put and removed in between nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    actors: HashMap<ComponentId, Rows>,
    /// The sum of all growth of each component that grew, up to the last commit.
    usage: BTreeMap<String, Growth>,
    counts: Counts,
    last: u64,
}

/// What a row says from now on.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    row: Option<Row>,
    /// Whether there was none before this batch, so that removing it leaves nothing.
    is_new: bool,
}

/// What a batch is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Commits.
    pub(crate) commits: u64,
    /// Rows that are put or removed.
    pub(crate) rows: u64,
    /// Writes to a row that was written again.
    pub(crate) coalesced: u64,
    /// Rows that were put and removed, and so are not here at all.
    pub(crate) elided: u64,
    /// About how many bytes of memory it takes.
    pub(crate) bytes: u64,
}

impl Slot {
    /// What the row says, or nothing if it is removed.
    pub(crate) fn row(&self) -> Option<&Row> {
        self.row.as_ref()
    }
}

impl Batch {
    /// Adds a commit that got this number. Messages that it puts get it too.
    pub(crate) fn merge(&mut self, seq: u64, commit: Commit) {
        self.last = seq;
        self.counts.commits += 1;
        let mut writes = commit.rows.into_iter().peekable();
        while let Some(RowWrite { actor, key, row }) = writes.next() {
            let mut rows = match self.actors.entry(actor) {
                ActorEntry::Occupied(rows) => rows,
                ActorEntry::Vacant(vacant) => {
                    self.counts.bytes += ACTOR_BYTES;
                    vacant.insert_entry(Rows::new())
                }
            };
            write(
                rows.get_mut(),
                &mut self.counts,
                number(key, seq, &row),
                row,
            );
            // Rows of one actor mostly follow each other.
            while let Some(next) = writes.next_if(|next| next.actor == *rows.key()) {
                let key = number(next.key, seq, &next.row);
                write(rows.get_mut(), &mut self.counts, key, next.row);
            }
        }
    }

    /// Adds a row that was read back, of the batch that ends with commit `seq` and follows
    /// the batch that ends with `after`.
    pub(crate) fn restore(
        &mut self,
        after: u64,
        actor: ComponentId,
        key: RowKey,
        row: Option<Row>,
    ) {
        let is_new = row.is_some()
            && match &key {
                RowKey::Message(message) => message.seq > after,
                key => is_never_reused(key),
            };
        let rows = self.actors.entry(actor).or_insert_with(|| {
            self.counts.bytes += ACTOR_BYTES;
            Rows::new()
        });
        put(rows, &mut self.counts, key, Slot { row, is_new });
    }

    /// Adds rows of an actor that are newer than those that are here.
    pub(crate) fn absorb(&mut self, actor: ComponentId, newer: Rows) {
        if newer.is_empty() {
            return;
        }
        match self.actors.entry(actor) {
            ActorEntry::Occupied(mut rows) => {
                for (key, slot) in newer {
                    put(rows.get_mut(), &mut self.counts, key, slot);
                }
            }
            ActorEntry::Vacant(vacant) => {
                self.counts.rows += newer.len() as u64;
                self.counts.bytes += ACTOR_BYTES + newer.iter().map(bytes_of).sum::<u64>();
                vacant.insert(newer);
            }
        }
    }

    /// Counts newer commits in, whose rows are absorbed, up to the one of this number.
    pub(crate) fn extend_to(&mut self, seq: u64, commits: u64) {
        self.last = seq;
        self.counts.commits += commits;
    }

    /// Says how much a component keeps after the last commit.
    pub(crate) fn set_usage(&mut self, component: String, usage: Growth) {
        self.usage.insert(component, usage);
    }

    /// Takes the rows of an actor out.
    pub(crate) fn take_rows(&mut self, actor: &ComponentId) -> Option<Rows> {
        self.actors.remove(actor)
    }

    /// Takes out how much components keep.
    pub(crate) fn take_usage(&mut self) -> BTreeMap<String, Growth> {
        std::mem::take(&mut self.usage)
    }

    /// The rows of an actor.
    pub(crate) fn rows_of(&self, actor: &ComponentId) -> Option<&Rows> {
        self.actors.get(actor).filter(|rows| !rows.is_empty())
    }

    /// All rows, in no order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&ComponentId, &RowKey, Option<&Row>)> {
        self.actors.iter().flat_map(|(actor, rows)| {
            let rows = rows.iter();
            rows.map(move |(key, slot)| (actor, key, slot.row()))
        })
    }

    /// Whose rows there are, in no order.
    pub(crate) fn actors(&self) -> impl Iterator<Item = &ComponentId> {
        self.actors.keys()
    }

    /// How much each component that grew keeps after the last commit.
    pub(crate) fn usage(&self) -> impl Iterator<Item = (&str, Growth)> {
        self.usage
            .iter()
            .map(|(component, usage)| (component.as_str(), *usage))
    }

    /// The number of the last commit, or zero.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// What it is made of.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether there is nothing to be written, whatever there was.
    pub(crate) fn is_void(&self) -> bool {
        self.counts.rows == 0 && self.usage.is_empty()
    }
}

/// Writes one row of a commit.
#[inline]
fn write(rows: &mut Rows, counts: &mut Counts, (key, is_new): (RowKey, bool), row: Option<Row>) {
    put(rows, counts, key, Slot { row, is_new });
}

/// Puts the commit's number into a message that gets it, and tells whether a row of this
/// name cannot have been before.
#[inline]
fn number(key: RowKey, seq: u64, row: &Option<Row>) -> (RowKey, bool) {
    match key {
        _ if row.is_none() => (key, false),
        RowKey::Message(MessageNumber { seq: 0, index }) => {
            (RowKey::Message(MessageNumber { seq, index }), true)
        }
        RowKey::Message(_) => (key, false),
        key => {
            let is_new = is_never_reused(&key);
            (key, is_new)
        }
    }
}

/// Whether a row of this name is put once in all time.
fn is_never_reused(key: &RowKey) -> bool {
    matches!(key, RowKey::Timer(_) | RowKey::Request(_))
}

#[inline]
fn put(rows: &mut Rows, counts: &mut Counts, key: RowKey, mut slot: Slot) {
    match rows.entry(key) {
        Entry::Vacant(vacant) => {
            counts.rows += 1;
            counts.bytes += bytes_of((vacant.key(), &slot));
            vacant.insert(slot);
        }
        Entry::Occupied(occupied) if slot.row.is_none() && occupied.get().is_new => {
            let (key, slot) = occupied.remove_entry();
            counts.rows -= 1;
            counts.bytes -= bytes_of((&key, &slot));
            counts.elided += 1;
        }
        Entry::Occupied(mut occupied) => {
            slot.is_new = occupied.get().is_new;
            counts.coalesced += 1;
            counts.bytes -= bytes_of((occupied.key(), occupied.get()));
            counts.bytes += bytes_of((occupied.key(), &slot));
            occupied.insert(slot);
        }
    }
}

fn bytes_of((key, slot): (&RowKey, &Slot)) -> u64 {
    let name = match key {
        RowKey::State(text) | RowKey::Subscription(text) => text.len(),
        RowKey::Answer(_, id) => id.len(),
        _ => 0,
    };
    ROW_BYTES + name as u64 + slot.row.as_ref().map_or(0, |row| bytes_of_row(row) as u64)
}

fn bytes_of_row(row: &Row) -> usize {
    match row {
        Row::Value(value) => value.len(),
        Row::Message(message) => size_of::<StoredMessage>() + message.letter.bytes(),
        Row::Timer(timer) => size_of::<StoredMessage>() + timer.message.letter.bytes(),
        Row::DeadLetter(dead) => size_of::<DeadLetter>() + dead.bytes(),
        Row::Answer(outcome) => match outcome.as_ref() {
            Ok(payload) => payload.as_ref().map_or(0, MessagePayload::len),
            Err(error) => error.to_string().len(),
        },
        Row::Record(_) | Row::Request(_) | Row::Subscription => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::log::model::{actor, message};

    type Written = (RowKey, Option<Row>);

    fn batch(commits: &[(u64, &[Written])]) -> Batch {
        let mut batch = Batch::default();
        for (seq, rows) in commits {
            let mut commit = Commit::default();
            for (key, row) in *rows {
                commit.write(&actor(0), key.clone(), row.clone());
            }
            batch.merge(*seq, commit);
        }
        batch
    }

    fn value(text: &'static str) -> Written {
        (RowKey::State("k".into()), Some(Row::Value(text.into())))
    }

    fn sent(seq: u64) -> Written {
        let number = MessageNumber { seq, index: 2 };
        let row = Row::Message(Box::new(message(&actor(0), 1)));
        (RowKey::Message(number), Some(row))
    }

    fn received(seq: u64) -> Written {
        (sent(seq).0, None)
    }

    fn timer(is_set: Option<()>) -> Written {
        // What the row says is of no matter here.
        (RowKey::Timer(9), is_set.map(|()| Row::Subscription))
    }

    fn said(batch: &Batch) -> Vec<String> {
        let rows = batch.rows();
        let mut said: Vec<_> = rows
            .map(|(_, key, row)| format!("{key:?} {}", row.is_some()))
            .collect();
        said.sort();
        said
    }

    #[test]
    fn the_last_write_to_a_row_counts() {
        let gone = (RowKey::State("k".into()), None);
        let batch = batch(&[(1, &[value("1")]), (2, &[gone]), (3, &[value("three")])]);
        assert_eq!(said(&batch), [r#"State("k") true"#]);
        let counts = batch.counts();
        assert_eq!((counts.commits, counts.rows, counts.coalesced), (3, 1, 2));
        assert_eq!(counts.bytes, ACTOR_BYTES + ROW_BYTES + 6);
        assert_eq!(batch.last(), 3);
    }

    #[test]
    fn what_was_put_and_removed_was_never_there() {
        let batch = batch(&[
            (1, &[sent(0), timer(Some(()))]),
            (2, &[received(1), timer(None)]),
        ]);
        assert!(batch.is_void());
        assert_eq!(said(&batch), [""; 0]);
        assert_eq!(
            (batch.counts().elided, batch.counts().bytes),
            (2, ACTOR_BYTES)
        );
    }

    #[test]
    fn what_may_have_been_before_is_removed_for_good() {
        let state = [value("1"), (RowKey::State("k".into()), None)];
        for rows in [
            // Of an earlier batch.
            vec![received(7)],
            // Of an earlier batch, and put again.
            vec![sent(7), received(7)],
            vec![timer(None), timer(Some(())), timer(None)],
            state.to_vec(),
        ] {
            let commits: Vec<_> = rows.chunks(1).map(|row| (8, row)).collect();
            let batch = batch(&commits);
            assert_eq!(said(&batch), [format!("{:?} false", rows[0].0)]);
        }
    }

    #[test]
    fn layers_are_merged_as_commits_are() {
        let mut older = batch(&[(1, &[sent(0), value("1")])]);
        let mut newer = batch(&[(2, &[received(1), value("2"), sent(0)])]);
        let rows = newer.take_rows(&actor(0)).unwrap();
        older.absorb(actor(0), rows);
        older.extend_to(2, 1);
        let together = batch(&[
            (1, &[sent(0), value("1")]),
            (2, &[received(1), value("2"), sent(0)]),
        ]);
        assert_eq!(said(&older), said(&together));
        assert_eq!(older.counts(), together.counts());
    }
}
