//! Checking the data of a system.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::storage::commit::Growth;
use crate::core::storage::row::{Row, RowKey};
use crate::storage::codec::error::CodecError;
use crate::storage::codec::key::decode_key;
use crate::storage::codec::row::decode_row;
use crate::storage::codec::usage::{decode_component, decode_usage};
use crate::storage::data_folder::{DataFolder, FORMAT_VERSION};
use crate::storage::disk::disk::Disk;
use crate::storage::disk::overlaid::Overlaid;
use crate::storage::log::frame::decode;
use crate::storage::log::recovery::TABLES_FILE;
use crate::storage::path_text::write_path;
use crate::storage::tables::table::{RawWrite, Table};
use crate::storage::tables::tables::{DEFAULT_CACHE_BYTES, Tables};
use crate::storage::wal::error::WalError;
use crate::storage::wal::wal::Wal;
use crate::system::data::backup::bytes_of;
use crate::system::data::error::DataError;

/// The most problems that are told. More are counted.
pub const MAX_PROBLEMS: usize = 100;

/// What was found in a data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The folder.
    #[serde(serialize_with = "write_path")]
    pub folder: PathBuf,
    /// The version of its format.
    pub format: u32,
    /// How many bytes it takes up on disk.
    pub bytes: u64,
    /// The number of the last commit that is in it.
    pub seq: u64,
    /// How many rows there are of each kind, those that are in the log alone included.
    pub rows: Vec<RowCount>,
    /// How many changes to rows are in the log alone.
    pub in_log: u64,
    /// What the actors of each component keep.
    pub components: Vec<ComponentState>,
    /// What is wrong, at most [`MAX_PROBLEMS`].
    pub problems: Vec<String>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// The rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowCount {
    /// Of which kind: the name of the table that they are in.
    pub kind: &'static str,
    /// How many.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// What the actors of a component keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentState {
    /// The component.
    pub name: String,
    /// Keys of all its actors.
    pub keys: u64,
    /// Bytes of these keys and their values.
    pub bytes: u64,
}

/// What the log says that the tables do not.
type Unapplied = BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>;

/// What is counted while rows are looked at.
#[derive(Default)]
struct Counting {
    found: Verification,
    /// What the rows of state add up to.
    sums: BTreeMap<String, Growth>,
    /// What the rows of usage say.
    usage: BTreeMap<String, Growth>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    fn note(&mut self, problem: impl Display) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem.to_string());
        }
    }
}

/// Looks at everything in a folder, and changes nothing.
pub(crate) fn verify(folder: &DataFolder) -> Result<Verification, DataError> {
    let mut counting = Counting::default();
    let found = &mut counting.found;
    found.folder = folder.path().into();
    found.format = FORMAT_VERSION;
    found.bytes = bytes_of(folder.path())?;
    match counting.look_at(&Overlaid::new(folder.path())) {
        Err(DataError::Damaged(problem)) => counting.found.note(problem),
        looked => looked?,
    }
    Ok(counting.end())
}

impl Counting {
    /// Looks at everything, up to a problem that hides the rest.
    fn look_at(&mut self, disk: &Overlaid) -> Result<(), DataError> {
        let file = match disk.open(TABLES_FILE) {
            Err(error) if error.kind() == ErrorKind::NotFound => disk.create(TABLES_FILE),
            opened => opened,
        };
        let file = file.map_err(|e| DataError::io(&self.found.folder, e))?;
        let mut tables = Tables::open(file, DEFAULT_CACHE_BYTES)?;
        tables.check()?;
        let unapplied = self.read_log(&tables)?;
        for table in Table::ALL {
            if table != Table::Meta {
                self.count(&tables, table, &unapplied)?;
            }
        }
        Ok(())
    }

    fn read_log(&mut self, tables: &Tables) -> Result<Unapplied, DataError> {
        let applied = tables.applied()?;
        let (mut unapplied, mut last) = (Unapplied::new(), applied);
        let disk = Overlaid::new(&self.found.folder);
        let read = Wal::open(disk, applied, |seq, payload| {
            let reason = |e: &dyn Display| WalError::Replay {
                seq,
                reason: e.to_string(),
            };
            for RawWrite { table, key, value } in decode(payload).map_err(|e| reason(&e))? {
                unapplied.insert((table, key), value);
            }
            last = seq;
            Ok(())
        });
        drop(read?);
        self.found.seq = last;
        self.found.in_log = unapplied.len() as u64;
        Ok(unapplied)
    }

    /// Looks at all rows of a table, as the log says that they are.
    fn count(
        &mut self,
        tables: &Tables,
        table: Table,
        unapplied: &Unapplied,
    ) -> Result<(), DataError> {
        self.found.rows.push(RowCount {
            kind: table.name(),
            rows: 0,
            bytes: 0,
        });
        let own = unapplied.range((table, Vec::new())..);
        let own = own.take_while(|((other, _), _)| *other == table);
        let changed: BTreeMap<&[u8], _> = own
            .map(|((_, key), value)| (key.as_slice(), value))
            .collect();
        tables.visit(table, &[], None, |key, value| {
            if !changed.contains_key(key) {
                self.row(table, key, value);
            }
            ControlFlow::Continue(())
        })?;
        for (key, value) in changed {
            if let Some(value) = value {
                self.row(table, key, value);
            }
        }
        Ok(())
    }

    fn row(&mut self, table: Table, key: &[u8], value: &[u8]) {
        if let Some(count) = self.found.rows.last_mut() {
            count.rows += 1;
            count.bytes += (key.len() + value.len()) as u64;
        }
        if let Err(problem) = self.look(table, key, value) {
            self.found.note(problem);
        }
    }

    fn look(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), CodecError> {
        if table == Table::Usage {
            let component = decode_component(key)?.to_owned();
            self.usage.insert(component, decode_usage(value)?);
            return Ok(());
        }
        let (actor, named) = decode_key(table, key)?;
        match (named, decode_row(table, value)?) {
            (RowKey::State(text), Row::Value(value)) => {
                let sum = self.sums.entry(actor.component().to_owned()).or_default();
                sum.keys += 1;
                sum.bytes += (text.len() + value.len()) as i64;
            }
            (RowKey::Message(_), Row::Message(message)) => {
                check_receiver(table, key, &actor, message.letter.to())?;
            }
            (RowKey::DeadLetter(_), Row::DeadLetter(dead)) => {
                check_receiver(table, key, &actor, dead.letter.to())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares what was counted.
    fn end(mut self) -> Verification {
        let is_whole = self.found.rows.len() + 1 == Table::ALL.len();
        let nothing = Growth::default();
        let names: BTreeSet<_> = self.sums.keys().chain(self.usage.keys()).collect();
        for name in names {
            let sum = self.sums.get(name).unwrap_or(&nothing);
            let noted = self.usage.get(name).unwrap_or(&nothing);
            if is_whole && sum != noted {
                self.found.note(format!(
                    "`{name}` keeps {} keys of {} bytes, and {} keys of {} bytes were counted",
                    sum.keys, sum.bytes, noted.keys, noted.bytes
                ));
            }
            self.found.components.push(ComponentState {
                name: name.clone(),
                keys: sum.keys as u64,
                bytes: sum.bytes as u64,
            });
        }
        self.found
    }
}

/// A message lies with the actor that it is for.
fn check_receiver(
    table: Table,
    key: &[u8],
    actor: &ComponentId,
    to: &ComponentId,
) -> Result<(), CodecError> {
    match actor == to {
        true => Ok(()),
        false => Err(CodecError::key(
            table,
            key,
            format!("the message is for `{to}`"),
        )),
    }
}
