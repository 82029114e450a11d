//! How much lies in the folders that guests write to.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::sync::Mutex as AsyncMutex;
use walkdir::{Error as WalkError, WalkDir};
use wasmtime_wasi::runtime::spawn_blocking;

/// What each file and folder counts at the least: no file system keeps one for nothing.
pub(crate) const ENTRY_BYTES: u64 = 4_096;

/// How long a folder that was found rather full is not measured again. Of any other, half of
/// what is allowed has to be written before that.
const PAUSE: Duration = Duration::from_secs(1);

/// Something lies in a folder of which nobody has counted what.
const UNKNOWN: u64 = u64::MAX;

/// The folders that the guests of an engine write to.
#[derive(Debug, Default)]
pub(crate) struct FolderUsages {
    known: Mutex<HashMap<Quota, Weak<FolderUsage>>>,
}

/// A folder, and how many bytes may lie in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Quota {
    path: PathBuf,
    allowed: u64,
}

impl FolderUsages {
    /// That of a folder, which all share who write there and may write as much.
    pub(crate) fn of(&self, path: &Path, allowed: u64) -> Arc<FolderUsage> {
        let quota = Quota {
            path: path.to_owned(),
            allowed,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = known.get(&quota).and_then(Weak::upgrade) {
            return usage;
        }
        known.retain(|_, usage| usage.strong_count() > 0);
        let usage = Arc::new(FolderUsage::new(quota.clone()));
        known.insert(quota, Arc::downgrade(&usage));
        usage
    }
}

/// How much lies in a folder: what was there when it was measured, and what was written since.
///
/// What was written over or removed since still counts, until so much seems to be there that
/// the folder is measured anew. What other programs write there counts from then on.
#[derive(Debug)]
pub(crate) struct FolderUsage {
    quota: Quota,
    bytes: AtomicU64,
    /// When it was found rather full. Locked while it is measured.
    measured: Arc<AsyncMutex<Option<Instant>>>,
}

impl FolderUsage {
    fn new(quota: Quota) -> Self {
        Self {
            quota,
            bytes: AtomicU64::new(UNKNOWN),
            measured: Arc::default(),
        }
    }

    /// Counts what is about to be written, if there is room for it as far as is known.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let taken = |known: u64| {
            known
                .checked_add(bytes)
                .filter(|sum| known != UNKNOWN && *sum <= self.quota.allowed)
        };
        let order = Ordering::Relaxed;
        self.bytes.fetch_update(order, order, taken).is_ok()
    }

    /// How much more may be written, as far as is known.
    pub(crate) fn room(&self) -> u64 {
        let known = self.bytes.load(Ordering::Relaxed);
        self.quota.allowed.saturating_sub(known)
    }

    /// The same as `take`, once the folder is measured if it was not, or seems to be full.
    pub(crate) async fn make_room(self: &Arc<Self>, bytes: u64) -> bool {
        if self.take(bytes) {
            return true;
        }
        let mut measured = Arc::clone(&self.measured).lock_owned().await;
        // Another one may have measured it meanwhile.
        if self.take(bytes) {
            return true;
        }
        if measured.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        let usage = Arc::clone(self);
        // It is done, and nobody else measures, also when the turn ends before it.
        spawn_blocking(move || {
            let found = usage.measure();
            let is_rather_full = found > usage.quota.allowed / 2;
            *measured = is_rather_full.then(Instant::now);
        })
        .await;
        let is_room = self.take(bytes);
        if !is_room {
            let Quota { path, allowed } = &self.quota;
            let folder = path.display();
            tracing::warn!("the folder {folder} is full: folder_bytes allows {allowed} bytes");
        }
        is_room
    }

    fn measure(&self) -> u64 {
        let before = self.bytes.load(Ordering::Relaxed);
        let found = bytes_below(&self.quota.path, self.quota.allowed);
        let corrected = |now: u64| {
            let meanwhile = if before == UNKNOWN {
                0
            } else {
                now.saturating_sub(before)
            };
            Some(found.saturating_add(meanwhile))
        };
        let order = Ordering::Relaxed;
        // It always has an answer.
        let _before = self.bytes.fetch_update(order, order, corrected);
        found
    }
}

/// What lies in a folder, counted until it is more than `enough`.
fn bytes_below(folder: &Path, enough: u64) -> u64 {
    let mut sum: u64 = 0;
    for entry in WalkDir::new(folder).min_depth(1).same_file_system(true) {
        let found = entry.and_then(|it| it.metadata());
        sum = sum.saturating_add(match found {
            Ok(of) => ENTRY_BYTES.max(of.blocks().saturating_mul(512)),
            Err(error) => unseen(&error),
        });
        if sum > enough {
            break;
        }
    }
    // One byte less than what is not known.
    sum.min(UNKNOWN - 1)
}

/// What counts for something that cannot be looked at.
fn unseen(error: &WalkError) -> u64 {
    match error.io_error().map(std::io::Error::kind) {
        // It was removed meanwhile.
        Some(ErrorKind::NotFound) => 0,
        Some(ErrorKind::PermissionDenied) => ENTRY_BYTES,
        // Folders within each other, too deep to be looked into.
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, mkdirat, open, openat};
    use std::fs::{File, create_dir, remove_file, write};
    use tempfile::tempdir;

    const ALLOWED: u64 = 100 * ENTRY_BYTES;

    #[tokio::test]
    async fn what_lies_there_counts_and_what_is_written() {
        let folder = tempdir().unwrap();
        create_dir(folder.path().join("below")).unwrap();
        write(folder.path().join("below/a"), vec![1; 40 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(!usage.take(0), "nobody knows yet");
        assert!(usage.make_room(0).await);
        assert!(usage.take(50 * ENTRY_BYTES));
        assert!(!usage.take(50 * ENTRY_BYTES));
        assert!(usage.take(9 * ENTRY_BYTES), "41 are there");
        assert!(!usage.take(1));
    }

    #[tokio::test]
    async fn what_was_removed_makes_room_when_it_is_needed() {
        let folder = tempdir().unwrap();
        let large = folder.path().join("large");
        write(&large, vec![1; 90 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(usage.make_room(0).await);
        remove_file(large).unwrap();
        assert!(!usage.take(20 * ENTRY_BYTES));
        *usage.measured.lock().await = None;
        assert!(usage.make_room(20 * ENTRY_BYTES).await);
    }

    #[tokio::test]
    async fn a_full_folder_is_not_measured_at_each_try() {
        let folder = tempdir().unwrap();
        let large = folder.path().join("large");
        write(&large, vec![1; 100 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(!usage.make_room(1).await);
        remove_file(large).unwrap();
        let measured = *usage.measured.lock().await;
        let is_early = measured.unwrap().elapsed() < PAUSE;
        assert_eq!(usage.make_room(1).await, !is_early);
    }

    #[tokio::test]
    async fn a_folder_with_room_is_measured_when_it_seems_full() {
        let folder = tempdir().unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        for _ in 0..10 {
            assert!(usage.make_room(60 * ENTRY_BYTES).await);
        }
    }

    #[test]
    fn files_without_content_count_and_those_without_end_are_counted_no_further() {
        let folder = tempdir().unwrap();
        for name in 0..50 {
            File::create(folder.path().join(name.to_string())).unwrap();
        }
        assert_eq!(bytes_below(folder.path(), u64::MAX), 50 * ENTRY_BYTES);
        assert_eq!(bytes_below(folder.path(), ENTRY_BYTES), 2 * ENTRY_BYTES);
        assert_eq!(bytes_below(&folder.path().join("none"), 1), 0);
    }

    /// Each folder is made in the one before, without its whole path.
    #[test]
    fn what_is_too_deep_to_be_looked_at_is_too_much() {
        let folder = tempdir().unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut at = open(folder.path(), flags, Mode::empty()).unwrap();
        let name = "d".repeat(255);
        for _ in 0..20 {
            mkdirat(&at, &*name, Mode::RWXU).unwrap();
            at = openat(&at, &*name, flags, Mode::empty()).unwrap();
        }
        assert_eq!(bytes_below(folder.path(), ALLOWED), UNKNOWN - 1);
    }

    #[test]
    fn one_folder_is_counted_once_for_all_who_may_write_as_much() {
        let usages = FolderUsages::default();
        let (one, other) = (Path::new("/one"), Path::new("/other"));
        let usage = usages.of(one, 1);
        assert!(Arc::ptr_eq(&usage, &usages.of(one, 1)));
        assert!(!Arc::ptr_eq(&usage, &usages.of(one, 2)));
        assert!(!Arc::ptr_eq(&usage, &usages.of(other, 1)));
        drop(usage);
        let _another = usages.of(other, 2);
        assert_eq!(
            usages.known.lock().unwrap().len(),
            1,
            "the rest is forgotten"
        );
    }
}
