//! The data of a system that does not run.

// Layer 1: Standard library imports
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::limits::Limits;
use crate::core::security::audit::Operation;
use crate::core::storage::store::Committed;
use crate::core::time::unix_ms;
use crate::security::audit::log::AuditLog;
use crate::security::audit::settings::AuditSettings;
use crate::storage::data_folder::DataFolder;
use crate::storage::log::log::CommitLog;
use crate::storage::log::settings::LogSettings;
use crate::system::auditing::{Deed, FOLDER};
use crate::system::data::actor_state::ActorState;
use crate::system::data::backup::{Backup, copy};
use crate::system::data::compaction::{Compaction, compact, measured};
use crate::system::data::error::DataError;
use crate::system::data::state_reader::StateReader;
use crate::system::data::transfer::{Import, Plan, read_state};
use crate::system::data::verification::{Verification, verify};
use crate::system::data::waiting::wait_for;

/// What is read of an import at once.
const PIECE_BYTES: usize = 64 << 10;

/// A data folder that no system uses, for as long as this is kept. Everything here blocks
/// the thread until the disk has done it.
///
/// What is copied, exported and imported is written into the audit log, if it is in the folder
/// as it is by default. Where it cannot be, say since it was edited, nothing is done.
#[derive(Debug)]
pub struct StoppedData {
    folder: DataFolder,
}

impl StoppedData {
    /// Takes a folder with data, so that no system uses it.
    ///
    /// # Errors
    ///
    /// When a system uses it, there is no data in it, or it is of another release.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataError> {
        let folder = DataFolder::open_existing(path)?;
        Ok(Self { folder })
    }

    /// Reads everything, and tells what there is and what is wrong. The data is not changed,
    /// and what a crash left unfinished is judged as the next start would mend it. It takes
    /// as long as reading everything twice.
    ///
    /// # Errors
    ///
    /// When the disk fails. Damage is no error here, but what is asked for.
    pub fn verify(&self) -> Result<Verification, DataError> {
        verify(&self.folder)
    }

    /// Has the data take as little room as it can. It takes as long as writing everything.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the data is damaged. Nothing is lost then.
    pub fn compact(&self) -> Result<Compaction, DataError> {
        measured(&self.folder, || {
            self.with_log(|_log| Ok(()))?;
            compact(&self.folder)
        })
    }

    /// Copies the data to a new folder, as
    /// [`System::backup`](crate::system::handle::System::backup) does.
    ///
    /// # Errors
    ///
    /// As that.
    pub fn backup(&self, to: &Path) -> Result<Backup, DataError> {
        let deed = Deed::of(Operation::Backup).with(to.display());
        self.audited(deed, || {
            self.with_log(|log| {
                wait_for(log.checkpoint())?;
                copy(log, to)
            })
        })
    }

    /// What an actor keeps.
    ///
    /// # Errors
    ///
    /// When nothing is kept of it, the disk fails, or the data is damaged.
    pub fn export(&self, actor: &ComponentId) -> Result<ActorState, DataError> {
        let deed = Deed::of(Operation::Export).on_actor(actor);
        self.audited(deed, || self.with_log(|log| read_state(log, actor)))
    }

    /// Replaces everything that an actor keeps by what lines of JSON say, as
    /// [`ActorState::into_lines`] writes them. Messages that wait for it are left alone.
    ///
    /// The limits of its component are not known here, and told.
    ///
    /// # Errors
    ///
    /// When the lines are wrong, or cannot be read, or the disk fails. Nothing has changed
    /// then, unless the disk failed at the very end.
    pub fn import(
        &self,
        actor: &ComponentId,
        limits: &Limits,
        lines: impl Read,
    ) -> Result<Import, DataError> {
        let deed = Deed::of(Operation::Import).on_actor(actor);
        self.audited(deed, || {
            let state = read_lines(actor, limits, lines)?;
            self.with_log(|log| {
                let plan = Plan::of(log, state)?;
                let seq = log.append(plan.commit)?.seq();
                wait_for(log.durable(seq))?;
                Ok(plan.import)
            })
        })
    }

    /// Does something, and writes down how that ended. No file of the audit log is full here,
    /// since it is not known how many the system keeps.
    fn audited<T>(
        &self,
        deed: Deed,
        work: impl FnOnce() -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let now_ms = || unix_ms(SystemTime::now());
        let folder = self.folder.path().join(FOLDER);
        if !folder.is_dir() {
            return work();
        }
        let settings = AuditSettings {
            file_bytes: u64::MAX,
            ..AuditSettings::default()
        };
        let audit = AuditLog::open(&folder, settings, now_ms())?;
        let ended = work();
        audit.note(deed.ended(now_ms(), &ended));
        audit.close()?;
        ended
    }

    /// Opens the log, and closes it when something was done: everything is in the tables
    /// then.
    fn with_log<T>(
        &self,
        work: impl FnOnce(&CommitLog) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let (log, _recovered) = CommitLog::open(self.folder.disk()?, LogSettings::default())?;
        let done = work(&log)?;
        wait_for(log.close())?;
        Ok(done)
    }
}

fn read_lines(
    actor: &ComponentId,
    limits: &Limits,
    mut lines: impl Read,
) -> Result<ActorState, DataError> {
    let mut reader = StateReader::new(actor.clone(), limits.clone());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = lines.read(&mut piece);
        match read.map_err(|e| DataError::io(Path::new("the lines"), e))? {
            0 => return Ok(reader.finish()?),
            count => reader.push(&piece[..count])?,
        }
    }
}
