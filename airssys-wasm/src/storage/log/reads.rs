//! What was committed, as it is now.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Growth;
use crate::core::storage::keyspace::Keyspace;
use crate::core::storage::row::{MessageNumber, Row, RowKey};
use crate::core::storage::store::StoreError;
use crate::core::turn::call::CallOutcome;
use crate::storage::codec::error::CodecError;
use crate::storage::codec::key::{decode_key, encode_key, prefix_of};
use crate::storage::codec::row::decode_row;
use crate::storage::log::error::{CopyError, OpenError};
use crate::storage::log::kept::Kept;
use crate::storage::log::log::CommitLog;
use crate::storage::log::overlay::Overlay;
use crate::storage::log::shared::Shared;
use crate::storage::log::state::State;
use crate::storage::tables::snapshot::Snapshot;
use crate::storage::tables::table::Table;
use crate::storage::tables::tables::Tables;

/// After an address, this is beyond all keys of the actor, and before those of any other.
const BEYOND_ACTOR: u8 = 1;

/// What the overlay says of rows: what they say, or that they were removed.
pub(super) type Changes = BTreeMap<RowKey, Option<Row>>;

impl CommitLog {
    /// What is kept of an actor, at one moment. It costs a pass over its keys.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn load(&self, actor: &ComponentId) -> Result<Kept, StoreError> {
        let range = (
            Bound::Included(RowKey::Record),
            Bound::Excluded(RowKey::Message(MessageNumber::ZERO)),
        );
        let shared = self.shared();
        let (tables, (changes, horizon)) = shared.view(|state| {
            let changes = changes_until(&state.overlay, actor, range.clone(), usize::MAX);
            let horizon = match state.overlay.is_unlogged(actor) {
                true => state.appended,
                false => 0,
            };
            (changes, horizon)
        })?;
        let (table, key) = encode_key(actor, &RowKey::Record);
        let record = shared.trust(tables.get(table, &key))?;
        let record = record.map(|value| decode_row(table, &value));
        let mut record = shared.trust(record.transpose())?;
        let mut entries: BTreeMap<String, Bytes> = BTreeMap::new();
        let prefix = prefix_of(actor, Table::States);
        shared.visit(&tables, (Table::States, &prefix, None), |key, value| {
            if let (_, RowKey::State(key)) = decode_key(Table::States, key)? {
                entries.insert(key, Bytes::copy_from_slice(value));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for change in changes {
            match change {
                (RowKey::Record, changed) => record = changed,
                (RowKey::State(key), Some(Row::Value(value))) => {
                    entries.insert(key, value);
                }
                (RowKey::State(key), None) => {
                    entries.remove(&key);
                }
                _ => return Err(self.mismatch(actor)),
            }
        }
        let stamp = match record {
            Some(Row::Record(stamp)) => Some(stamp),
            None => None,
            Some(_) => return Err(self.mismatch(actor)),
        };
        Ok(Kept {
            stamp,
            keys: Keyspace::from_entries(entries),
            horizon,
        })
    }

    /// What a message from outside with this id was answered in one of two periods.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn answer(
        &self,
        actor: &ComponentId,
        periods: [u64; 2],
        id: &Arc<str>,
    ) -> Result<Option<CallOutcome>, StoreError> {
        for period in periods {
            match self.row(actor, &RowKey::Answer(period, id.clone()))? {
                None => {}
                Some(Row::Answer(outcome)) => return Ok(Some(*outcome)),
                Some(_) => return Err(self.mismatch(actor)),
            }
        }
        Ok(None)
    }

    /// The value of a key of an actor, and the last commit that it may depend on.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn value(
        &self,
        actor: &ComponentId,
        key: &str,
    ) -> Result<(Option<Bytes>, u64), StoreError> {
        let value = match self.row(actor, &RowKey::State(key.to_owned()))? {
            None => None,
            Some(Row::Value(value)) => Some(value),
            Some(_) => return Err(self.mismatch(actor)),
        };
        // Looked at after the value, so that what was seen is not later than this.
        let state = self.shared().lock();
        let horizon = match state.overlay.is_unlogged(actor) {
            true => state.appended,
            false => 0,
        };
        Ok((value, horizon))
    }

    /// Whether an actor has kept anything of its turns.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn has_record(&self, actor: &ComponentId) -> Result<bool, StoreError> {
        Ok(self.row(actor, &RowKey::Record)?.is_some())
    }

    /// Answers of periods before this one, the oldest first, at most `limit`: those in the
    /// tables. Younger ones get there.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn expired_answers(
        &self,
        before_period: u64,
        limit: usize,
    ) -> Result<Vec<(ComponentId, RowKey)>, StoreError> {
        let shared = self.shared();
        let tables = shared.view(|_| ())?.0;
        let mut expired = Vec::new();
        if limit == 0 {
            return Ok(expired);
        }
        shared.visit(&tables, (Table::Answers, &[], None), |key, _| {
            let (actor, key) = decode_key(Table::Answers, key)?;
            let is_expired = matches!(key, RowKey::Answer(period, _) if period < before_period);
            if !is_expired {
                return Ok(ControlFlow::Break(()));
            }
            if shared.lock().overlay.get(&actor, &key).is_none() {
                expired.push((actor, key));
            }
            Ok(match expired.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })?;
        Ok(expired)
    }

    /// How much a component keeps.
    pub(crate) fn usage(&self, component: &str) -> Growth {
        self.shared().lock().usage.of(component)
    }

    /// Actors whose address begins with `prefix` and comes after `after`, and of which
    /// anything is kept, in order, at most `limit`. It costs a pass over all that was
    /// committed lately, and two reads for each actor.
    ///
    /// # Errors
    ///
    /// When the log has failed, or does now.
    pub(crate) fn actors(
        &self,
        prefix: &str,
        after: Option<&ComponentId>,
        limit: usize,
    ) -> Result<Vec<ComponentId>, StoreError> {
        let shared = self.shared();
        let (tables, mut lately) = shared.view(|state| state.overlay.actors(prefix))?;
        let mut after = after.cloned();
        let mut found = Vec::new();
        while found.len() < limit {
            let stored = shared.next_stored(&tables, prefix, after.as_ref())?;
            let changed = lately.range(beyond(after.as_ref())).next().cloned();
            let Some(actor) = stored.into_iter().chain(changed).min() else {
                break;
            };
            if !lately.remove(&actor) || !self.load(&actor)?.is_nothing() {
                found.push(actor.clone());
            }
            after = Some(actor);
        }
        Ok(found)
    }

    /// Copies what is in the tables to new ones, while the log goes on. They are as after
    /// some commit that is not earlier than the last [`checkpoint`](Self::checkpoint). It
    /// takes as long as the disk.
    ///
    /// # Errors
    ///
    /// When the log has failed, the tables cannot be read, or `target` cannot be written.
    pub(crate) fn snapshot_to(&self, target: &Tables) -> Result<(), CopyError> {
        let tables = self.shared().view(|_| ())?.0;
        Ok(tables.copy_to(target)?)
    }

    /// What a row says.
    fn row(&self, actor: &ComponentId, key: &RowKey) -> Result<Option<Row>, StoreError> {
        let shared = self.shared();
        let look = |state: &State| {
            let slot = state.overlay.get(actor, key);
            slot.map(|slot| slot.row().cloned())
        };
        // What was committed lately is here, and the tables need not be asked.
        let state = shared.lock();
        state.check()?;
        if let Some(row) = look(&state) {
            return Ok(row);
        }
        drop(state);
        let (tables, changed) = shared.view(look)?;
        if let Some(row) = changed {
            return Ok(row);
        }
        let (table, key) = encode_key(actor, key);
        let value = shared.trust(tables.get(table, &key))?;
        let row = value.map(|value| decode_row(table, &value));
        shared.trust(row.transpose())
    }

    /// A row is not what its key says: the data is damaged.
    pub(super) fn mismatch(&self, actor: &ComponentId) -> StoreError {
        let actor = actor.to_string();
        let damaged = Err::<Infallible, _>(OpenError::Mismatch { actor });
        match self.shared().trust(damaged) {
            Err(stopped) => stopped,
        }
    }
}

impl Shared {
    /// The tables, and what `look` sees in the overlay over them: together all that was
    /// appended up to one moment, and nothing else.
    pub(super) fn view<T>(&self, look: impl Fn(&State) -> T) -> Result<(Snapshot, T), StoreError> {
        self.view_while(look, || ())
    }

    /// The same; something happens between the two looks.
    fn view_while<T>(
        &self,
        look: impl Fn(&State) -> T,
        mut happen: impl FnMut(),
    ) -> Result<(Snapshot, T), StoreError> {
        loop {
            let dropped = self.lock().layers_dropped;
            let tables = self.trust(self.tables()?.snapshot())?;
            happen();
            let state = self.lock();
            state.check()?;
            // Had a layer been dropped meanwhile, it might be in neither.
            if state.layers_dropped == dropped {
                return Ok((tables, look(&state)));
            }
        }
    }

    /// Shows entries of a table until `see` has seen enough.
    pub(super) fn visit(
        &self,
        tables: &Snapshot,
        range: (Table, &[u8], Option<&[u8]>),
        mut see: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, CodecError>,
    ) -> Result<(), StoreError> {
        let (table, prefix, after) = range;
        let mut seen = Ok(());
        let visited = tables.visit(table, prefix, after, |key, value| {
            see(key, value).unwrap_or_else(|error| {
                seen = Err(error);
                ControlFlow::Break(())
            })
        });
        self.trust(visited)?;
        self.trust(seen)
    }

    /// The next actor after `after` that has a record or a key in the tables.
    fn next_stored(
        &self,
        tables: &Snapshot,
        prefix: &str,
        after: Option<&ComponentId>,
    ) -> Result<Option<ComponentId>, StoreError> {
        let after = after.map(|actor| [actor.as_str().as_bytes(), &[BEYOND_ACTOR]].concat());
        let mut first: Option<ComponentId> = None;
        for table in [Table::Records, Table::States] {
            let range = (table, prefix.as_bytes(), after.as_deref());
            self.visit(tables, range, |key, _| {
                let (actor, _) = decode_key(table, key)?;
                first = Some(first.take().map_or(actor.clone(), |first| first.min(actor)));
                Ok(ControlFlow::Break(()))
            })?;
        }
        Ok(first)
    }

    /// Fails the log if its disk does not give what it has to.
    fn trust<T, E: Display>(&self, read: Result<T, E>) -> Result<T, StoreError> {
        read.map_err(|error| {
            self.fail(&error);
            StoreError::Stopped(error.to_string())
        })
    }
}

/// What the overlay says of an actor's rows in a range, up to so many that are there.
pub(super) fn changes_until(
    overlay: &Overlay,
    actor: &ComponentId,
    range: impl RangeBounds<RowKey> + Clone,
    wanted: usize,
) -> Changes {
    let (mut changes, mut there) = (Changes::new(), 0);
    for (key, slot) in overlay.range(actor, range) {
        changes.insert(key.clone(), slot.row().cloned());
        there += usize::from(slot.row().is_some());
        if there == wanted {
            break;
        }
    }
    changes
}

/// All actors after one.
fn beyond(after: Option<&ComponentId>) -> (Bound<&ComponentId>, Bound<&ComponentId>) {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    (start, Bound::Unbounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::storage::commit::Commit;
    use crate::core::storage::row::ActorStamp;
    use crate::storage::disk::faulty::FaultyDisk;
    use crate::storage::log::model::actor;
    use crate::storage::log::settings::LogSettings;
    use tokio::runtime::Builder;

    #[test]
    fn what_goes_to_the_tables_during_a_look_is_seen() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let (log, _) = CommitLog::open(FaultyDisk::new(1), LogSettings::default()).unwrap();
        let mut commit = Commit::default();
        commit.put(
            &actor(0),
            RowKey::Record,
            Row::Record(ActorStamp::default()),
        );
        drop(log.append(commit).unwrap());
        let (mut looks, key) = (0, RowKey::Record);
        let checkpoint = || {
            looks += 1;
            runtime.block_on(log.checkpoint()).unwrap();
        };
        let look = |state: &State| state.overlay.get(&actor(0), &key).is_some();
        let (tables, is_in_overlay) = log.shared().view_while(look, checkpoint).unwrap();
        let (table, key) = encode_key(&actor(0), &key);
        let is_in_tables = tables.get(table, &key).unwrap().is_some();
        assert_eq!((is_in_overlay, is_in_tables, looks), (false, true, 2));
    }
}
