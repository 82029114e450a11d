//! Writing entries to the files of a log.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::security::audit::{Action, AuditEntry, Decision, Operation};
use crate::security::audit::error::AuditError;
use crate::security::audit::folder::{Folder, LockedFolder, name_of};
use crate::security::audit::forwards::{Forwards, Piece};
use crate::security::audit::head::Head;
use crate::security::audit::line::{Line, write};
use crate::security::audit::mark::Mark;
use crate::security::audit::opening::{Current, open};
use crate::security::audit::settings::AuditSettings;

/// At most so many bytes, and one line, are written at once.
const MAX_BATCH_BYTES: usize = 1 << 20;

/// Writes entries to the files of a log. Whatever fails can be tried again.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    settings: AuditSettings,
    /// Not there after the folder was removed from outside.
    locked: Option<LockedFolder>,
    /// The file that is written to, if there is one yet.
    current: Option<Current>,
    /// What the head has to say.
    head: Head,
    /// Whether it says something else.
    is_head_old: bool,
    /// Whether the file that was written to was removed from outside.
    is_gone: bool,
}

/// Lines that are not on disk yet.
struct Batch {
    text: Vec<u8>,
    last: Mark,
    entries: usize,
}

impl Writer {
    /// Takes a folder, and finds the end of the log in it. Also returns how many bytes were
    /// cut off there, which a crash had left.
    ///
    /// # Errors
    ///
    /// When another process has the folder, the log was edited or cut at its end, or the
    /// disk fails.
    pub(crate) fn open(path: &Path, settings: AuditSettings) -> Result<(Self, u64), AuditError> {
        let locked = LockedFolder::open(path)?;
        let opened = open(&locked.folder)?;
        let writer = Self {
            path: path.into(),
            settings,
            locked: Some(locked),
            current: opened.current,
            head: opened.head,
            is_head_old: false,
            is_gone: false,
        };
        Ok((writer, opened.cut_bytes))
    }

    /// The last entry that is on disk.
    pub(crate) fn last(&self) -> Mark {
        self.head.last
    }

    /// Has entries on disk, and takes away those that are.
    ///
    /// # Errors
    ///
    /// When the disk fails. Those that are left are not on disk.
    pub(crate) fn write(&mut self, waiting: &mut VecDeque<AuditEntry>) -> Result<(), AuditError> {
        self.take_place()?;
        if self.is_head_old {
            self.replace_head()?;
        }
        while let Some(first) = waiting.front() {
            if self.is_gone {
                let lost = gone(first.at_ms, self.head.last.seq);
                waiting.push_front(lost);
                self.is_gone = false;
            }
            let batch = self.batch(waiting);
            if batch.entries == 0 {
                self.rotate()?;
                continue;
            }
            self.append(&batch.text)?;
            self.head.last = batch.last;
            self.is_head_old = true;
            drop(waiting.drain(..batch.entries));
            self.replace_head()?;
        }
        Ok(())
    }

    /// As many entries as fit into the file. None if it is full, or there is none yet.
    fn batch(&self, waiting: &VecDeque<AuditEntry>) -> Batch {
        let mut batch = Batch {
            text: Vec::new(),
            last: self.head.last,
            entries: 0,
        };
        let Some(current) = &self.current else {
            return batch;
        };
        let space = self.settings.file_bytes.saturating_sub(current.bytes);
        for entry in waiting {
            let begin = batch.text.len();
            let last = write(&mut batch.text, batch.last, entry);
            if batch.text.len() as u64 > space {
                batch.text.truncate(begin);
                break;
            }
            batch.last = last;
            batch.entries += 1;
            if batch.text.len() >= MAX_BATCH_BYTES {
                break;
            }
        }
        batch
    }

    fn append(&mut self, text: &[u8]) -> Result<(), AuditError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let mut append = || {
            if current.is_torn {
                current.file.set_len(current.bytes)?;
            }
            current.is_torn = true;
            current.file.write_all_at(text, current.bytes)?;
            current.file.sync_data()
        };
        append().map_err(|source| AuditError::io(&self.path, source))?;
        current.is_torn = false;
        current.bytes += text.len() as u64;
        Ok(())
    }

    fn folder(&self) -> Result<&Folder, AuditError> {
        let gone = || AuditError::io(&self.path, ErrorKind::NotFound.into());
        Ok(&self.locked.as_ref().ok_or_else(gone)?.folder)
    }

    fn replace_head(&mut self) -> Result<(), AuditError> {
        let replaced = self.folder()?.replace_head(&self.head);
        replaced.map_err(|source| AuditError::io(&self.path, source))?;
        self.is_head_old = false;
        Ok(())
    }

    /// Begins the next file, and lets the oldest go.
    fn rotate(&mut self) -> Result<(), AuditError> {
        let first_seq = self.head.last.seq.saturating_add(1);
        let file = self.folder()?.create(first_seq);
        let file = file.map_err(|source| AuditError::io(&self.path, source))?;
        self.current = Some(Current {
            first_seq,
            file,
            bytes: 0,
            is_torn: false,
        });
        self.forget_oldest()
    }

    fn forget_oldest(&mut self) -> Result<(), AuditError> {
        let files = self.folder()?.files();
        let files = files.map_err(|source| AuditError::io(&self.path, source))?;
        let (surplus, kept) = files.split_at(files.len().saturating_sub(self.settings.files));
        let (false, Some(first_kept)) = (surplus.is_empty(), kept.first()) else {
            return Ok(());
        };
        self.head.behind = Mark {
            seq: first_kept.saturating_sub(1),
            hash: self.prev_of(*first_kept),
        };
        // It is on disk before they go: what is missing then was meant to be.
        self.replace_head()?;
        let folder = self.folder()?;
        let failed = |source| AuditError::io(&self.path, source);
        folder.sync().map_err(failed)?;
        for first_seq in surplus {
            folder.remove(*first_seq).map_err(failed)?;
        }
        Ok(())
    }

    /// What the first entry of a file continues. If that cannot be read, the file is damaged,
    /// and no hash would be right.
    fn prev_of(&self, first_seq: u64) -> Digest {
        if first_seq == self.head.last.seq.saturating_add(1) {
            return self.head.last.hash;
        }
        let file = self.folder().map(|folder| folder.open_file(first_seq));
        let Ok(Ok(file)) = file else {
            return Mark::BEGINNING.hash;
        };
        let prev = match Forwards::new(file).next() {
            Ok(Piece::Line(line)) => Line::parse(line).map(|line| line.prev),
            _ => None,
        };
        prev.unwrap_or(Mark::BEGINNING.hash)
    }

    /// Sees to it that the folder, its lock and the file are still those that were opened:
    /// what goes to a removed file is lost, though no write fails.
    fn take_place(&mut self) -> Result<(), AuditError> {
        if let Some(locked) = &self.locked
            && !is_same(&locked.lock, &locked.lock_path())?
        {
            self.locked = None;
        }
        if self.locked.is_none() {
            self.locked = Some(LockedFolder::open(&self.path)?);
            self.is_head_old = true;
        }
        let folder = self.folder()?;
        if let Some(current) = &self.current
            && !is_same(&current.file, &folder.file(&name_of(current.first_seq)))?
        {
            self.current = None;
            self.is_gone = true;
        }
        Ok(())
    }
}

/// Whether a path still leads to an open file.
fn is_same(file: &File, path: &Path) -> Result<bool, AuditError> {
    let compare = || {
        let (open, found) = (file.metadata()?, fs::symlink_metadata(path)?);
        Ok((open.dev(), open.ino()) == (found.dev(), found.ino()))
    };
    match compare() {
        Ok(is_same) => Ok(is_same),
        Err(error) if is_missing(&error) => Ok(false),
        Err(source) => Err(AuditError::io(path, source)),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Entries that were there, and are not any more.
fn gone(at_ms: u64, last_seq: u64) -> AuditEntry {
    AuditEntry {
        why: format!(
            "the file with entry {last_seq} was removed from outside, and what else it had"
        ),
        ..lost(at_ms, 1)
    }
}

/// So many entries that are not there.
pub(crate) fn lost(at_ms: u64, count: u64) -> AuditEntry {
    AuditEntry {
        count,
        ..AuditEntry::new(at_ms, Action::Operate(Operation::Lost), Decision::Denied)
    }
}
