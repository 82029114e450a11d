//! The folder of an audit log: its files, its head, and its lock.

// Layer 1: Standard library imports
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

// Layer 3: Internal module imports
use crate::security::audit::error::{AuditError, Broken};
use crate::security::audit::head::{Head, MAX_HEAD_BYTES};
use crate::security::audit::mark::parse_seq;

/// The file that is locked by whoever writes.
const LOCK: &str = "lock";

/// The file that says where the log begins and ends.
pub(crate) const HEAD: &str = "head.json";

/// What the next head is called until it is whole.
const NEXT_HEAD: &str = "head.json.new";

/// How many digits the number in a file's name has, so that names are in order.
const NAME_DIGITS: usize = 20;

/// The folder of an audit log. What is made in it is for its owner alone.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// A folder that this process alone writes to, for as long as this is there.
#[derive(Debug)]
pub(crate) struct LockedFolder {
    pub(crate) folder: Folder,
    pub(crate) lock: File,
}

/// The name of the file whose first entry has this number.
pub(crate) fn name_of(first_seq: u64) -> String {
    format!("audit-{first_seq:0NAME_DIGITS$}.jsonl")
}

/// The number of the first entry of a file.
fn first_seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    let significant = digits.trim_start_matches('0');
    let seq = parse_seq(significant.as_bytes())?;
    (digits.len() == NAME_DIGITS && seq > 0).then_some(seq)
}

impl LockedFolder {
    /// Takes a folder for this process, and makes it and those above it where there are none.
    ///
    /// # Errors
    ///
    /// When another process has it, or it cannot be made.
    pub(crate) fn open(path: &Path) -> Result<Self, AuditError> {
        let failed = |source| AuditError::io(path, source);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).map_err(failed)?;
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        // So that the folder is there after a crash.
        File::open(above)
            .and_then(|above| above.sync_all())
            .map_err(failed)?;
        let lock_path = path.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options
            .open(&lock_path)
            .map_err(|source| AuditError::io(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder: Folder::at(path),
                lock,
            }),
            Err(TryLockError::WouldBlock) => Err(AuditError::InUse { path: path.into() }),
            Err(TryLockError::Error(source)) => Err(AuditError::io(&lock_path, source)),
        }
    }
}

impl LockedFolder {
    /// Where its lock has to be.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.folder.file(LOCK)
    }
}

impl Folder {
    /// A folder, to be read.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The numbers of the first entries of all files, in order.
    pub(crate) fn files(&self) -> io::Result<Vec<u64>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            files.extend(name.to_str().and_then(first_seq_of));
        }
        files.sort_unstable();
        Ok(files)
    }

    /// The head. `None` if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is none that we wrote.
    pub(crate) fn head(&self) -> Result<Option<Head>, AuditError> {
        let path = self.file(HEAD);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(AuditError::Io { path, source }),
        };
        let mut bytes = Vec::new();
        file.take(MAX_HEAD_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|source| AuditError::Io { path, source })?;
        match Head::parse(&bytes) {
            Some(head) => Ok(Some(head)),
            None => Err(Broken::new(HEAD, 1, "this is no head of an audit log").into()),
        }
    }

    /// Puts a head in the place of the one before, wholly or not at all.
    pub(crate) fn replace_head(&self, head: &Head) -> io::Result<()> {
        let next = self.file(NEXT_HEAD);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&next)?;
        file.write_all(&head.bytes())?;
        file.sync_data()?;
        fs::rename(next, self.file(HEAD))
    }

    /// Makes a file, which must not exist, for what comes from an entry on.
    pub(crate) fn create(&self, first_seq: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(self.file(&name_of(first_seq)))?;
        self.sync()?;
        Ok(file)
    }

    /// Opens a file to be continued.
    pub(crate) fn open_file(&self, first_seq: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.open(self.file(&name_of(first_seq)))
    }

    pub(crate) fn remove(&self, first_seq: u64) -> io::Result<()> {
        fs::remove_file(self.file(&name_of(first_seq)))
    }

    /// Has the disk know which files there are.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    #[test]
    fn names_are_in_order_and_have_one_spelling() {
        for seq in [1, 9, 10, u64::MAX] {
            assert_eq!(first_seq_of(&name_of(seq)), Some(seq));
        }
        assert!(name_of(9) < name_of(10));
        let zeros = "0".repeat(20);
        for wrong in [
            "audit-1.jsonl",
            &format!("audit-{zeros}.jsonl"),
            &format!("audit-{zeros}1.jsonl"),
            "audit-99999999999999999999.jsonl",
            "audit-0000000000000000000x.jsonl",
            HEAD,
            LOCK,
        ] {
            assert_eq!(first_seq_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_is_for_its_owner_and_one_writer() {
        let above = TempDir::new().unwrap();
        let path = above.path().join("a/audit");
        let locked = LockedFolder::open(&path).unwrap();
        let second = LockedFolder::open(&path).unwrap_err();
        assert!(matches!(second, AuditError::InUse { .. }), "{second}");
        locked.folder.create(1).unwrap();
        locked.folder.replace_head(&Head::NEW).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for entry in fs::read_dir(&path).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        drop(locked);
        LockedFolder::open(&path).unwrap();
    }
}
