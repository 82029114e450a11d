//! How much lies in the folders that guests write to.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep_until;
use walkdir::{Error as WalkError, WalkDir};

/// What each file and folder counts at the least, and what is written of a file is counted in: no
/// file system keeps less.
pub(crate) const BLOCK_BYTES: u64 = 4_096;

/// How many times as long as it took to measure a folder it is not measured again, so that guests
/// that fill it have the host do that for a twentieth of the time at the most.
const PAUSE: u32 = 20;

/// How long somebody waits for a folder to be measured again. Who would wait longer is told that
/// it is full, as far as is known.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often it is said at the most that a folder is full.
const WARNING_PAUSE: Duration = Duration::from_secs(60);

/// So many folders are known. Beyond them, those that nobody uses are forgotten.
const MAX_KNOWN: usize = 1_024;

/// Something lies in a folder of which nobody has counted what.
const UNKNOWN: u64 = u64::MAX;

/// The folders that the guests of an engine write to, as configuration names them. They stay
/// known when nobody uses them: who comes next need not measure them again.
#[derive(Debug, Default)]
pub(crate) struct FolderUsages {
    known: Mutex<HashMap<Quota, Arc<FolderUsage>>>,
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
        if let Some(usage) = known.get(&quota) {
            return Arc::clone(usage);
        }
        if known.len() >= MAX_KNOWN {
            known.retain(|_, usage| Arc::strong_count(usage) > 1);
        }
        let usage = Arc::new(FolderUsage::new(quota.clone()));
        known.insert(quota, Arc::clone(&usage));
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
    counts: Mutex<Counts>,
    /// Locked while it is measured.
    measured: Arc<AsyncMutex<Option<Measured>>>,
    /// What guests have opened. It takes room for as long as it is open, also when it does not
    /// lie in the folder any more.
    opened: Mutex<Vec<Weak<File>>>,
    /// When it was said last that it is full.
    warned: Mutex<Option<Instant>>,
}

/// What is known of a folder.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// How much lies there. Nobody knows before it was measured.
    bytes: Option<u64>,
    /// How much of that may not be written yet, and so not be found there.
    reserved: u64,
}

/// When a folder was measured, and is next at the earliest.
#[derive(Debug, Clone, Copy)]
struct Measured {
    began: Instant,
    next: Instant,
}

impl Measured {
    fn between(began: Instant, ended: Instant) -> Self {
        let pause = ended.duration_since(began).saturating_mul(PAUSE);
        Self {
            began,
            next: ended.checked_add(pause).unwrap_or(ended),
        }
    }
}

/// Room in a folder that was counted for somebody who is about to write. Whoever measures the
/// folder while it is there adds it to what is found.
#[derive(Debug)]
pub(crate) struct Reservation {
    usage: Arc<FolderUsage>,
    bytes: u64,
}

impl Reservation {
    /// The folder that it is of.
    pub(crate) fn usage(&self) -> &Arc<FolderUsage> {
        &self.usage
    }

    /// Makes another one of the same folder a part of this one.
    pub(crate) fn join(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        // It stays reserved, and its former holder gives nothing back.
        other.bytes = 0;
    }

    /// All but so much of it is written.
    pub(crate) fn keep(&mut self, bytes: u64) {
        let written = self.bytes.saturating_sub(bytes);
        self.usage.counts().reserved -= written;
        self.bytes -= written;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.keep(0);
    }
}

impl FolderUsage {
    fn new(quota: Quota) -> Self {
        Self {
            quota,
            counts: Mutex::default(),
            measured: Arc::default(),
            opened: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a file that was opened, be it to be read: who removes it and has it open
    /// has its room.
    pub(crate) fn opened(&self, file: &Arc<File>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() == opened.capacity() {
            opened.retain(|file| file.strong_count() > 0);
            // As many are opened before it is looked at all of them again.
            let open = opened.len();
            opened.reserve(open + 1);
        }
        opened.push(Arc::downgrade(file));
    }

    /// Counts what is about to be written, if there is room for it as far as is known. There
    /// is always room for nothing.
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let mut counts = self.counts();
        let sum = counts.bytes?.checked_add(bytes)?;
        if bytes > 0 && sum > self.quota.allowed {
            return None;
        }
        counts.bytes = Some(sum);
        // What is reserved is a part of the sum.
        counts.reserved += bytes;
        drop(counts);
        Some(Reservation {
            usage: Arc::clone(self),
            bytes,
        })
    }

    /// Room for nothing, to which more may be joined.
    pub(crate) fn nothing(self: &Arc<Self>) -> Reservation {
        Reservation {
            usage: Arc::clone(self),
            bytes: 0,
        }
    }

    /// How much more may be written, as far as is known.
    pub(crate) fn room(&self) -> u64 {
        let known = self.counts().bytes.unwrap_or(UNKNOWN);
        self.quota.allowed.saturating_sub(known)
    }

    /// The same as `take`, once the folder is measured if it was not, or seems to be full. Who
    /// comes soon after that waits a little, or gets the answer of then.
    pub(crate) async fn make_room(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        if let Some(room) = self.take(bytes) {
            return Some(room);
        }
        let asked = Instant::now();
        let mut measured = Arc::clone(&self.measured).lock_owned().await;
        // Another one may have measured it meanwhile.
        if let Some(room) = self.take(bytes) {
            return Some(room);
        }
        if let Some(last) = *measured {
            let wait = last.next.saturating_duration_since(Instant::now());
            if last.began >= asked || wait > LONGEST_WAIT {
                return None;
            }
            sleep_until(last.next.into()).await;
        }
        let usage = Arc::clone(self);
        // It is done, what it finds is kept, and nobody else measures, also when the turn ends
        // before it. If it panics nothing is known, and there is no room.
        let measuring = spawn_blocking(move || *measured = Some(usage.measure()));
        drop(measuring.await);
        let room = self.take(bytes);
        if room.is_none() && self.may_warn(Instant::now()) {
            let Quota { path, allowed } = &self.quota;
            let folder = path.display();
            tracing::warn!("the folder {folder} is full: folder_bytes allows {allowed} bytes");
        }
        room
    }

    /// Whether it may be said again that it is full, which is said then.
    fn may_warn(&self, now: Instant) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let may_warn = warned.is_none_or(|last| now.duration_since(last) >= WARNING_PAUSE);
        if may_warn {
            *warned = Some(now);
        }
        may_warn
    }

    fn measure(&self) -> Measured {
        let began = Instant::now();
        let before = *self.counts();
        let found = bytes_below(&self.quota.path, self.quota.allowed);
        let found = found.saturating_add(self.bytes_elsewhere());
        let mut counts = self.counts();
        // Before it is measured for the first time nobody takes anything.
        let meanwhile = match (before.bytes, counts.bytes) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => 0,
        };
        let unseen = before.reserved.saturating_add(meanwhile);
        counts.bytes = Some(found.saturating_add(unseen));
        drop(counts);
        Measured::between(began, Instant::now())
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
    use std::fs::{create_dir, read_to_string, remove_file, write};
    use std::future::ready;
    use tempfile::tempdir;
    use tokio::select;
    use tokio::task::{JoinSet, yield_now};
    use tracing::subscriber::set_default;

    const ALLOWED: u64 = 100 * BLOCK_BYTES;

    /// It may have taken any time to measure it: as if that were long ago.
    async fn may_be_measured_again(usage: &FolderUsage) {
        if let Some(measured) = &mut *usage.measured.lock().await {
            measured.next = Instant::now();
        }
    }

    #[tokio::test]
    async fn what_lies_there_counts_and_what_is_written() {
        let folder = tempdir().unwrap();
        create_dir(folder.path().join("below")).unwrap();
        write(folder.path().join("below/a"), vec![1; 40 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(usage.take(0).is_none(), "nobody knows yet");
        assert!(usage.make_room(0).await.is_some());
        assert!(usage.take(50 * BLOCK_BYTES).is_some());
        assert!(usage.take(50 * BLOCK_BYTES).is_none());
        assert!(usage.take(9 * BLOCK_BYTES).is_some(), "41 are there");
        assert!(usage.take(1).is_none());
    }

    #[tokio::test]
    async fn what_was_removed_makes_room_when_it_is_needed() {
        let folder = tempdir().unwrap();
        let large = folder.path().join("large");
        write(&large, vec![1; 90 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(usage.make_room(0).await.is_some());
        remove_file(large).unwrap();
        assert!(usage.take(20 * BLOCK_BYTES).is_none());
        may_be_measured_again(&usage).await;
        assert!(usage.make_room(20 * BLOCK_BYTES).await.is_some());
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
        assert!(first.unwrap().is_none());
        let measured = usage.measured.lock().await.unwrap();
        while let Some(told) = waiting.join_next().await {
            assert!(told.unwrap().is_none());
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
        assert!(usage.make_room(20 * BLOCK_BYTES).await.is_none());
        drop(file);
        may_be_measured_again(&usage).await;
        assert!(usage.make_room(20 * BLOCK_BYTES).await.is_some());
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
            assert!(usage.make_room(60 * BLOCK_BYTES).await.is_some());
            may_be_measured_again(&usage).await;
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
        usages.of(other, 2);
        let known = || usages.known.lock().unwrap().len();
        assert_eq!(known(), 4, "they stay known");
        let used = usages.of(one, 1);
        for allowed in 3..2_000 {
            usages.of(other, allowed);
            assert!(known() <= MAX_KNOWN, "but not without end");
        }
        assert!(Arc::ptr_eq(&used, &usages.of(one, 1)));
    }

    /// An actor that is alone and ends while a folder is measured for it.
    #[tokio::test]
    async fn what_is_found_is_kept_whoever_waits_for_it() {
        let folder = tempdir().unwrap();
        write(folder.path().join("a"), vec![1; 40 * 4_096]).unwrap();
        let usages = FolderUsages::default();
        let usage = usages.of(folder.path(), ALLOWED);
        select! {
            biased;
            _ = usage.make_room(0) => {}
            () = ready(()) => {}
        }
        drop(usage);
        let usage = usages.of(folder.path(), ALLOWED);
        assert!(usage.measured.lock().await.is_some());
        assert!(usage.take(60 * BLOCK_BYTES).is_some(), "it is known");
        assert!(usage.take(1).is_none());
    }

    #[test]
    fn measuring_takes_a_twentieth_of_the_time_however_long_it_takes() {
        let began = Instant::now();
        for seconds in [0, 1, 10, 3_600] {
            let took = Duration::from_secs(seconds);
            let measured = Measured::between(began, began + took);
            assert_eq!(measured.next, began + took * 21);
        }
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_told_what_is_known() {
        let folder = tempdir().unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(usage.make_room(ALLOWED).await.is_some());
        let began = Instant::now();
        let last = Measured::between(began, began + Duration::from_secs(3_600));
        *usage.measured.lock().await = Some(last);
        assert!(usage.make_room(1).await.is_none());
        let measured = usage.measured.lock().await.unwrap();
        assert_eq!(measured.began, began, "it was not measured anew");
    }

    #[tokio::test]
    async fn it_is_said_once_a_minute_that_a_folder_is_full() {
        let folder = tempdir().unwrap();
        write(folder.path().join("large"), vec![1; 100 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        let beside = tempdir().unwrap();
        let log = beside.path().join("log");
        let written = Arc::new(File::create(&log).unwrap());
        let subscriber = tracing_subscriber::fmt().with_writer(written).finish();
        let logging = set_default(subscriber);
        for _ in 0..3 {
            assert!(usage.make_room(1).await.is_none());
            may_be_measured_again(&usage).await;
        }
        drop(logging);
        let said = read_to_string(&log).unwrap();
        assert_eq!(said.matches("is full").count(), 1, "{said}");
        let last = usage.warned.lock().unwrap().unwrap();
        assert!(!usage.may_warn(last + Duration::from_secs(59)));
        assert!(usage.may_warn(last + Duration::from_secs(60)));
    }

    /// A full folder can be opened to be made empty.
    #[tokio::test]
    async fn there_is_always_room_for_nothing() {
        let folder = tempdir().unwrap();
        write(folder.path().join("large"), vec![1; 200 * 4_096]).unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        assert!(usage.make_room(1).await.is_none());
        assert!(usage.take(0).is_some());
    }

    #[tokio::test]
    async fn what_is_about_to_be_written_counts_when_it_is_measured() {
        let folder = tempdir().unwrap();
        let usage = FolderUsages::default().of(folder.path(), ALLOWED);
        let mut about = usage.make_room(30 * BLOCK_BYTES).await.unwrap();
        about.join(usage.take(30 * BLOCK_BYTES).unwrap());
        may_be_measured_again(&usage).await;
        assert!(usage.make_room(50 * BLOCK_BYTES).await.is_none());
        about.keep(20 * BLOCK_BYTES);
        may_be_measured_again(&usage).await;
        assert!(usage.make_room(50 * BLOCK_BYTES).await.is_some());
        drop(about);
        may_be_measured_again(&usage).await;
        assert!(usage.make_room(ALLOWED).await.is_some());
        let counts = *usage.counts();
        assert_eq!((counts.bytes, counts.reserved), (Some(ALLOWED), 0));
    }
}
