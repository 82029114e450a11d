//! How much lies in the folders that guests write to.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::sleep_until;
use walkdir::{Error as WalkError, WalkDir};
use wasmtime_wasi::runtime::spawn_blocking;

/// What each file and folder counts at the least, and what is written of a file is counted in: no
/// file system keeps less.
pub(crate) const BLOCK_BYTES: u64 = 4_096;

/// How many times as long as it took to measure a folder it is not measured again, so that guests
/// that fill one have the host do that for a twentieth of the time.
const PAUSE: u32 = 20;

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
    /// Locked while it is measured.
    measured: Arc<AsyncMutex<Option<Measured>>>,
    /// What guests have opened to write. It takes room for as long as it is open, also when it
    /// does not lie in the folder any more.
    opened: Mutex<Vec<Weak<File>>>,
}

/// When a folder was measured, and is next at the earliest.
#[derive(Debug, Clone, Copy)]
struct Measured {
    began: Instant,
    next: Instant,
}

impl FolderUsage {
    fn new(quota: Quota) -> Self {
        Self {
            quota,
            bytes: AtomicU64::new(UNKNOWN),
            measured: Arc::default(),
            opened: Mutex::default(),
        }
    }

    /// Takes note of a file that was opened to be written.
    pub(crate) fn opened(&self, file: &Arc<File>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() == opened.capacity() {
            opened.retain(|file| file.strong_count() > 0);
        }
        opened.push(Arc::downgrade(file));
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

    /// The same as `take`, once the folder is measured if it was not, or seems to be full. Who
    /// comes soon after that waits a little, or gets the answer of then.
    pub(crate) async fn make_room(self: &Arc<Self>, bytes: u64) -> bool {
        if self.take(bytes) {
            return true;
        }
        let asked = Instant::now();
        let mut measured = Arc::clone(&self.measured).lock_owned().await;
        // Another one may have measured it meanwhile.
        if self.take(bytes) {
            return true;
        }
        if let Some(last) = *measured {
            if last.began >= asked {
                return false;
            }
            sleep_until(last.next.into()).await;
        }
        let usage = Arc::clone(self);
        // It is done, and nobody else measures, also when the turn ends before it.
        spawn_blocking(move || *measured = Some(usage.measure())).await;
        let is_room = self.take(bytes);
        if !is_room {
            let Quota { path, allowed } = &self.quota;
            let folder = path.display();
            tracing::warn!("the folder {folder} is full: folder_bytes allows {allowed} bytes");
        }
        is_room
    }

    fn measure(&self) -> Measured {
        let began = Instant::now();
        let before = self.bytes.load(Ordering::Relaxed);
        let found = bytes_below(&self.quota.path, self.quota.allowed);
        let found = found.saturating_add(self.bytes_elsewhere());
        let corrected = |now: u64| {
            let meanwhile = if before == UNKNOWN {
                0
            } else {
                now.saturating_sub(before)
            };
            // One byte less than what is not known.
            Some(found.saturating_add(meanwhile).min(UNKNOWN - 1))
        };
        let order = Ordering::Relaxed;
        // It always has an answer.
        let _before = self.bytes.fetch_update(order, order, corrected);
        let pause = LONGEST_PAUSE.min(began.elapsed() * PAUSE);
        Measured {
            began,
            next: Instant::now() + pause,
        }
    }

    /// What is open and lies in no folder any more.
    fn bytes_elsewhere(&self) -> u64 {
        let opened: Vec<Arc<File>> = {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            opened.iter().filter_map(Weak::upgrade).collect()
        };
        let files = opened.iter().filter_map(|file| file.metadata().ok());
        files
            .filter(|it| it.nlink() == 0)
            .map(|it| taken(&it))
            .sum()
    }
}

/// How many bytes of blocks `length` bytes from `offset` on lie in.
pub(crate) fn bytes_of_blocks(offset: u64, length: u64) -> u64 {
    if length == 0 {
        return 0;
    }
    let last = offset.saturating_add(length - 1) / BLOCK_BYTES;
    (last - offset / BLOCK_BYTES + 1) * BLOCK_BYTES
}

fn taken(file: &Metadata) -> u64 {
    BLOCK_BYTES.max(file.blocks().saturating_mul(512))
}

/// What lies in a folder, counted until it is more than `enough`.
fn bytes_below(folder: &Path, enough: u64) -> u64 {
    let mut sum: u64 = 0;
    for entry in WalkDir::new(folder).min_depth(1).same_file_system(true) {
        let found = entry.and_then(|it| it.metadata());
        sum = sum.saturating_add(match found {
            Ok(found) => taken(&found),
            Err(error) => unseen(&error),
        });
        if sum > enough {
            break;
        }
    }
    sum
}

/// What counts for something that cannot be looked at.
fn unseen(error: &WalkError) -> u64 {
    match error.io_error().map(std::io::Error::kind) {
        // It was removed meanwhile.
        Some(ErrorKind::NotFound) => 0,
        Some(ErrorKind::PermissionDenied) => BLOCK_BYTES,
        // Folders within each other, too deep to be looked into.
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, mkdirat, open, openat};
    use std::fs::{create_dir, remove_file, write};
    use tempfile::tempdir;
    use tokio::task::{JoinSet, yield_now};

    const ALLOWED: u64 = 100 * BLOCK_BYTES;

    #[tokio::test]
    async fn what_lies_there_counts_and_what_is_written() {
        let folder = tempdir().unwrap();
        create_dir(folder.path().join("below")).unwrap();
        write(folder.path().join("below/a"), vec![1; 40 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(!usage.take(0), "nobody knows yet");
        assert!(usage.make_room(0).await);
        assert!(usage.take(50 * BLOCK_BYTES));
        assert!(!usage.take(50 * BLOCK_BYTES));
        assert!(usage.take(9 * BLOCK_BYTES), "41 are there");
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
        assert!(!usage.take(20 * BLOCK_BYTES));
        assert!(usage.make_room(20 * BLOCK_BYTES).await);
    }

    /// Whoever waits while it is measured is told what was found.
    #[tokio::test]
    async fn a_full_folder_is_measured_once_for_all_who_wait() {
        let folder = tempdir().unwrap();
        write(folder.path().join("large"), vec![1; 100 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        let held = Arc::clone(&usage.measured).lock_owned().await;
        let mut waiting = JoinSet::new();
        for _ in 0..100 {
            let usage = Arc::clone(&usage);
            waiting.spawn(async move { usage.make_room(1).await });
        }
        yield_now().await;
        drop(held);
        let first = waiting.join_next().await.unwrap();
        assert!(!first.unwrap());
        let measured = usage.measured.lock().await.unwrap();
        while let Some(told) = waiting.join_next().await {
            assert!(!told.unwrap());
        }
        let last = usage.measured.lock().await.unwrap();
        assert_eq!(measured.began, last.began);
    }

    #[tokio::test]
    async fn what_is_removed_and_still_open_takes_room() {
        let folder = tempdir().unwrap();
        let (kept, path) = (FolderUsages::default(), folder.path().join("large"));
        let usage = kept.of(folder.path(), ALLOWED);
        write(&path, vec![1; 90 * 4_096]).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        usage.opened(&file);
        remove_file(path).unwrap();
        assert!(!usage.make_room(20 * BLOCK_BYTES).await);
        drop(file);
        assert!(usage.make_room(20 * BLOCK_BYTES).await);
    }

    #[test]
    fn a_byte_takes_a_block_and_two_may_take_two() {
        for (offset, length, bytes) in [
            (0, 0, 0),
            (9_999, 0, 0),
            (0, 1, 4_096),
            (4_095, 1, 4_096),
            (4_095, 2, 8_192),
            (4_096, 4_096, 4_096),
            (u64::MAX, u64::MAX, 4_096),
        ] {
            assert_eq!(bytes_of_blocks(offset, length), bytes, "{offset} {length}");
        }
    }

    #[tokio::test]
    async fn a_folder_with_room_is_measured_when_it_seems_full() {
        let folder = tempdir().unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        for _ in 0..10 {
            assert!(usage.make_room(60 * BLOCK_BYTES).await);
        }
    }

    #[test]
    fn files_without_content_count_and_those_without_end_are_counted_no_further() {
        let folder = tempdir().unwrap();
        for name in 0..50 {
            File::create(folder.path().join(name.to_string())).unwrap();
        }
        assert_eq!(bytes_below(folder.path(), u64::MAX), 50 * BLOCK_BYTES);
        assert_eq!(bytes_below(folder.path(), BLOCK_BYTES), 2 * BLOCK_BYTES);
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
        assert_eq!(bytes_below(folder.path(), ALLOWED), UNKNOWN);
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
