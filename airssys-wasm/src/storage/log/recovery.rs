//! What is known at the start of what was committed before.

// Layer 1: Standard library imports
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use hashbrown::HashMap;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::row::{Row, RowKey, StoredRequest, StoredTimer};
use crate::storage::codec::error::CodecError;
use crate::storage::codec::key::{decode_key, table_of};
use crate::storage::codec::row::decode_row;
use crate::storage::codec::usage::{decode_component, decode_usage};
use crate::storage::disk::disk::Disk;
use crate::storage::log::batch::Batch;
use crate::storage::log::error::OpenError;
use crate::storage::log::frame::decode;
use crate::storage::log::settings::LogSettings;
use crate::storage::log::usage::Usage;
use crate::storage::tables::table::{RawWrite, Table};
use crate::storage::tables::tables::Tables;
use crate::storage::wal::error::WalError;
use crate::storage::wal::wal::Wal;

/// The file that the tables are in.
pub(crate) const TABLES_FILE: &str = "tables.redb";

/// What a system has to know of what was committed before it started. Of actors' state
/// nothing is read.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Messages to be sent later: whose, the timer's id, and what.
    pub(crate) timers: Vec<(ComponentId, u64, StoredTimer)>,
    /// Requests that wait for a reply: whose, the correlation, and what.
    pub(crate) requests: Vec<(ComponentId, u64, StoredRequest)>,
    /// Patterns of topics that actors subscribed to.
    pub(crate) subscriptions: Vec<(ComponentId, String)>,
    /// Messages that were given up: whose, and which, in the order of their numbers.
    pub(crate) dead_letters: Vec<(ComponentId, u64, Arc<DeadLetter>)>,
    /// What waits for each actor for which something does.
    pub(crate) backlog: HashMap<ComponentId, Backlog>,
}

/// Tables and log of a data folder, read together.
#[derive(Debug)]
pub(crate) struct Opened<D: Disk> {
    pub(crate) tables: Tables,
    pub(crate) wal: Wal<D>,
    /// What is in the log and not in the tables.
    pub(crate) unapplied: Batch,
    pub(crate) usage: Usage,
    /// The last frame that is in the tables.
    pub(crate) applied: u64,
    /// A number that no commit exceeded.
    pub(crate) last: u64,
}

impl<D: Disk> Opened<D> {
    /// Opens the tables and reads the part of the log that they do not have.
    ///
    /// # Errors
    ///
    /// When the disk fails, or what is on it cannot be read.
    pub(crate) fn open(disk: D, settings: &LogSettings) -> Result<Self, OpenError> {
        let tables = open_tables(&disk, settings)?;
        let applied = tables.applied()?;
        let mut usage = Usage::default();
        for_each_row(&tables, Table::Usage, |key, value| {
            usage.restore(decode_component(key)?, decode_usage(value)?);
            Ok(())
        })?;
        let (mut unapplied, mut after) = (Batch::default(), applied);
        let wal = Wal::open_sized(disk, settings.sizes, applied, |seq, payload| {
            let replayed = replay(&mut unapplied, &mut usage, after, payload);
            unapplied.extend_to(seq, 0);
            after = seq;
            replayed.map_err(|reason| WalError::Replay { seq, reason })
        })?;
        Ok(Self {
            tables,
            wal,
            unapplied,
            usage,
            applied,
            last: after,
        })
    }

    /// Reads what a system has to know. It costs a pass over all rows but those of state,
    /// records and answers.
    ///
    /// # Errors
    ///
    /// When the disk fails, or a row cannot be read.
    pub(crate) fn recovered(&mut self) -> Result<Recovered, OpenError> {
        let mut recovered = Recovered::default();
        let tables = [
            Table::Messages,
            Table::Timers,
            Table::Requests,
            Table::Subscriptions,
            Table::DeadLetters,
        ];
        for table in tables {
            for_each_row(&self.tables, table, |key, value| {
                let (actor, key) = decode_key(table, key)?;
                if let RowKey::Message(number) = &key {
                    self.last = self.last.max(number.seq);
                }
                let rows = self.unapplied.rows_of(&actor);
                if rows.is_some_and(|rows| rows.contains_key(&key)) {
                    return Ok(());
                }
                recovered.add(actor, key, decode_row(table, value)?)
            })?;
        }
        for (actor, key, row) in self.unapplied.rows() {
            if let Some(row) = row
                && tables.contains(&table_of(key))
            {
                recovered.add(actor.clone(), key.clone(), row.clone())?;
            }
        }
        recovered.dead_letters.sort_unstable_by_key(|dead| dead.1);
        Ok(recovered)
    }
}

impl Recovered {
    fn add(&mut self, actor: ComponentId, key: RowKey, row: Row) -> Result<(), OpenError> {
        match (key, row) {
            (RowKey::Message(_), Row::Message(message)) => {
                let backlog = self.backlog.entry(actor).or_default();
                backlog.add(&message.letter);
            }
            (RowKey::Timer(id), Row::Timer(timer)) => self.timers.push((actor, id, *timer)),
            (RowKey::Request(id), Row::Request(request)) => {
                self.requests.push((actor, id, request));
            }
            (RowKey::Subscription(pattern), Row::Subscription) => {
                self.subscriptions.push((actor, pattern));
            }
            (RowKey::DeadLetter(id), Row::DeadLetter(dead)) => {
                self.dead_letters.push((actor, id, dead));
            }
            _ => {
                let actor = actor.to_string();
                return Err(OpenError::Mismatch { actor });
            }
        }
        Ok(())
    }
}

fn open_tables<D: Disk>(disk: &D, settings: &LogSettings) -> Result<Tables, OpenError> {
    let failed = |source| OpenError::File {
        file: TABLES_FILE,
        source,
    };
    let file = match disk.open(TABLES_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = disk.create(TABLES_FILE).map_err(failed)?;
            disk.sync().map_err(failed)?;
            file
        }
        opened => opened.map_err(failed)?,
    };
    Ok(Tables::open(file, settings.cache_bytes)?)
}

/// Adds a frame to what is unapplied.
fn replay(
    unapplied: &mut Batch,
    usage: &mut Usage,
    after: u64,
    payload: &[u8],
) -> Result<(), String> {
    for write in decode(payload).map_err(|e| e.to_string())? {
        replay_row(unapplied, usage, after, &write).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn replay_row(
    unapplied: &mut Batch,
    usage: &mut Usage,
    after: u64,
    write: &RawWrite,
) -> Result<(), CodecError> {
    let RawWrite { table, key, value } = write;
    if *table != Table::Usage {
        let (actor, key) = decode_key(*table, key)?;
        let row = value.as_ref().map(|value| decode_row(*table, value));
        unapplied.restore(after, actor, key, row.transpose()?);
    } else if let Some(value) = value {
        let (component, sum) = (decode_component(key)?, decode_usage(value)?);
        usage.restore(component, sum);
        unapplied.set_usage(component.into(), sum);
    }
    Ok(())
}

/// Goes through all rows of a table, in order.
fn for_each_row(
    tables: &Tables,
    table: Table,
    mut look: impl FnMut(&[u8], &[u8]) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let mut looked = Ok(());
    tables.visit(table, &[], None, |key, value| {
        looked = look(key, value);
        match looked {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    looked
}
