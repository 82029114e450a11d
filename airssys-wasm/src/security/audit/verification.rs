//! Finding out whether a log was edited or cut.

// Layer 1: Standard library imports
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::security::audit::chain::Chain;
use crate::security::audit::error::{AuditError, Broken};
use crate::security::audit::folder::{Folder, HEAD, name_of};
use crate::security::audit::forwards::{Forwards, Piece};
use crate::security::audit::head::Head;
use crate::security::audit::mark::Mark;
use crate::security::audit::opening::{cut_off, differs};

/// How often it begins again where the oldest file goes while it is read.
const TRIES: usize = 5;

/// A log in which nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many entries are kept.
    pub entries: u64,
    /// The number of the first entry that is kept, or that is to come.
    pub first: u64,
    /// The last entry.
    pub last: Mark,
    /// How many bytes behind it are not a whole entry: one that is being written, or that a
    /// crash has left unfinished.
    pub torn_bytes: u64,
}

/// The last entry of a log, as its head knows it: to be noted elsewhere.
///
/// # Errors
///
/// When there is no log, or its head cannot be read.
pub fn head(folder: &Path) -> Result<Mark, AuditError> {
    Ok(read_head(&Folder::at(folder))?.last)
}

/// Reads a whole log, whether a system writes to it or not, and finds out whether a byte was
/// edited, a line or a file removed, moved or repeated, or the end cut off. If `noted` is
/// given, also whether the entry that was last then is still what it was.
///
/// It cannot tell a log whose hashes were all computed anew, but by what was noted elsewhere.
/// It takes about two seconds for each GB.
///
/// # Errors
///
/// [`AuditError::Broken`] says where; other errors when it cannot be read, or `noted` is
/// older than what is kept.
pub fn verify(folder: &Path, noted: Option<Mark>) -> Result<Verified, AuditError> {
    let folder = Folder::at(folder);
    let mut tries = 0;
    loop {
        tries += 1;
        let head = read_head(&folder)?;
        let verified = Verification::new(&folder, head, noted).run();
        // A system that runs may have let the oldest file go meanwhile.
        let is_another = || folder.head().ok().flatten().map(|it| it.behind) != Some(head.behind);
        match verified {
            Err(AuditError::Broken(_) | AuditError::Io { .. }) if tries < TRIES && is_another() => {
            }
            verified => return verified,
        }
    }
}

fn read_head(folder: &Folder) -> Result<Head, AuditError> {
    if let Some(head) = folder.head()? {
        return Ok(head);
    }
    let path = folder.path();
    match folder.files() {
        Ok(files) if !files.is_empty() => {
            Err(Broken::new(HEAD, 0, "it is missing, and there are entries").into())
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(AuditError::io(path, error)),
        _ => Err(AuditError::NoLog { path: path.into() }),
    }
}

/// One pass over all files.
struct Verification<'a> {
    folder: &'a Folder,
    head: Head,
    noted: Option<Mark>,
    chain: Chain,
    last: Mark,
    torn_bytes: u64,
}

impl<'a> Verification<'a> {
    fn new(folder: &'a Folder, head: Head, noted: Option<Mark>) -> Self {
        Self {
            folder,
            head,
            noted,
            chain: Chain::behind(head.behind),
            last: head.behind,
            torn_bytes: 0,
        }
    }

    fn run(mut self) -> Result<Verified, AuditError> {
        let first = self.head.first_seq();
        if let Some(noted) = self.noted.filter(|noted| noted.seq < self.head.behind.seq) {
            let seq = noted.seq;
            return Err(AuditError::NotKept { seq, first });
        }
        self.compare(HEAD, 1, self.head.behind)?;
        let files = self.folder.files();
        let files = files.map_err(|source| AuditError::io(self.folder.path(), source))?;
        let files: Vec<u64> = files.into_iter().filter(|it| *it >= first).collect();
        let mut line = 0;
        for (index, first_seq) in files.iter().enumerate() {
            let expected = self.last.seq.saturating_add(1);
            if *first_seq != expected {
                let what = format!("entry {expected} is missing before it");
                return Err(Broken::new(&name_of(*first_seq), 0, what).into());
            }
            let is_last = index + 1 == files.len();
            line = self.follow(&name_of(*first_seq), is_last)?;
        }
        if self.last.seq < self.head.last.seq {
            let what = cut_off(self.last.seq, self.head.last.seq);
            let name = name_of(files.last().copied().unwrap_or(first));
            return Err(Broken::new(&name, line, what).into());
        }
        if let Some(noted) = self.noted.filter(|noted| noted.seq > self.last.seq) {
            let what = format!("the log ends before entry {}, which was noted", noted.seq);
            return Err(Broken::new(HEAD, 1, what).into());
        }
        Ok(Verified {
            entries: self.last.seq - self.head.behind.seq,
            first,
            last: self.last,
            torn_bytes: self.torn_bytes,
        })
    }

    /// Follows the chain through a file, and returns how many lines it has.
    fn follow(&mut self, name: &str, is_last: bool) -> Result<u64, AuditError> {
        let path = self.folder.file(name);
        let failed = |source| AuditError::io(&path, source);
        let mut lines = Forwards::new(File::open(&path).map_err(failed)?);
        let mut line = 0;
        loop {
            line += 1;
            let broken = |what: String| Err(Broken::new(name, line, what).into());
            let mark = match lines.next().map_err(failed)? {
                Piece::End => return Ok(line - 1),
                Piece::Line(text) => match self.chain.follow(text) {
                    Ok(mark) => mark,
                    Err(what) => return broken(what),
                },
                // The entry that was written when the machine failed, or is being written.
                Piece::Torn(bytes) if is_last && self.last.seq >= self.head.last.seq => {
                    self.torn_bytes = bytes;
                    return Ok(line - 1);
                }
                Piece::Torn(_) => return broken("its end is missing".to_owned()),
                Piece::TooLong => return broken("it is longer than any entry".to_owned()),
            };
            self.last = mark;
            self.compare(name, line, mark)?;
        }
    }

    /// Compares an entry with the head and with what was noted.
    fn compare(&self, file: &str, line: u64, mark: Mark) -> Result<(), AuditError> {
        if mark.seq == self.head.last.seq && mark != self.head.last {
            return Err(Broken::new(file, line, differs(mark.seq)).into());
        }
        match self.noted {
            Some(noted) if noted.seq == mark.seq && noted != mark => {
                let what = format!("entry {} is not the one that was noted", mark.seq);
                Err(Broken::new(file, line, what).into())
            }
            _ => Ok(()),
        }
    }
}
