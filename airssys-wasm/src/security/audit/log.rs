//! The audit log.

// Layer 1: Standard library imports
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

// Layer 3: Internal module imports
use crate::core::security::audit::{AuditEntry, Decision};
use crate::security::audit::attempt::Attempt;
use crate::security::audit::error::AuditError;
use crate::security::audit::flood::{Flood, Verdict};
use crate::security::audit::line::cut;
use crate::security::audit::query::{AuditFound, AuditQuery, find, find_up_to};
use crate::security::audit::queue::Queue;
use crate::security::audit::ring::Ring;
use crate::security::audit::scribe::{Denials, Scribe};
use crate::security::audit::settings::AuditSettings;
use crate::security::audit::status::AuditStatus;
use crate::security::audit::writer::{Writer, lost};

/// What is written down of who did what and whether it was allowed: in a folder, or the
/// newest entries in memory.
///
/// # On disk
///
/// A file has one entry on each line, as JSON with its number `seq`, the hash of the line
/// before it, `prev`, and `hash`: the SHA-256 of all bytes of the line that stand before
/// `,"hash"`. A file that is full is followed by another, and the oldest is removed. The
/// small file `head.json` says where the first file begins and what the last entry is.
///
/// So [`verify`](crate::security::audit::verification::verify) finds an edited byte, a
/// removed, moved or repeated line, a removed file and an end that was cut off. It cannot
/// find what somebody did who may write to the folder and computes all hashes anew, the head
/// included, or who puts back an older copy of the whole folder. Against that, note the
/// [`Mark`](crate::security::audit::mark::Mark) of the head elsewhere from time to time, as
/// `airssys audit head` prints it, and have `airssys audit verify --head` compare.
///
/// # What it costs
///
/// Noting an entry is to put it into a queue of at most 4 096, which a thread of its own
/// writes; nobody waits for the disk. What comes faster than the disk takes it is counted,
/// and the count is an entry. A crash loses what was noted in the last tenth of a second.
#[derive(Debug)]
pub struct AuditLog {
    place: Place,
    denials: Arc<Denials>,
    /// Of uses that are allowed, one in so many is an entry; 0 is none.
    sample: u64,
    uses: AtomicU64,
}

#[derive(Debug)]
enum Place {
    Memory(Mutex<Ring>),
    Disk {
        folder: PathBuf,
        queue: Arc<Queue>,
        thread: Mutex<Option<JoinHandle<()>>>,
    },
}

impl AuditLog {
    /// Goes on with the log in a folder, or begins one there. The folder is this log's alone
    /// until it is [closed](Self::close) or dropped. It reads the last file.
    ///
    /// An entry that a crash has left unfinished is cut off, and an entry says so.
    ///
    /// # Errors
    ///
    /// When another process has the folder, the log was edited or cut at its end, or the
    /// folder cannot be written.
    pub fn open(folder: &Path, settings: AuditSettings, now_ms: u64) -> Result<Self, AuditError> {
        let settings = settings.within_bounds();
        let (writer, cut_bytes) = Writer::open(folder, settings.clone())?;
        let queue = Arc::new(Queue::default());
        queue.begin_behind(writer.last());
        if cut_bytes > 0 {
            let why = format!("{cut_bytes} bytes that were not whole were cut off after a crash");
            queue.push(AuditEntry {
                why,
                ..lost(now_ms, 1)
            });
        }
        let denials = Arc::new(Denials::new(Flood::new(settings.denials_per_s)));
        let scribe = Scribe {
            queue: Arc::clone(&queue),
            denials: Arc::clone(&denials),
            writer,
        };
        let builder = Builder::new().name("airssys-audit".to_owned());
        let started = builder.spawn(move || scribe.run());
        let thread = started.map_err(|source| AuditError::io(folder, source))?;
        let place = Place::Disk {
            folder: folder.into(),
            queue,
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self::at(place, denials, &settings))
    }

    /// A log that keeps its newest 4 096 entries in memory.
    pub fn in_memory(settings: AuditSettings) -> Self {
        let settings = settings.within_bounds();
        let denials = Arc::new(Denials::new(Flood::new(settings.denials_per_s)));
        Self::at(Place::Memory(Mutex::default()), denials, &settings)
    }

    fn at(place: Place, denials: Arc<Denials>, settings: &AuditSettings) -> Self {
        Self {
            place,
            denials,
            sample: settings.sample,
            uses: AtomicU64::new(0),
        }
    }

    /// Notes something. It never fails and does not wait: what there is no room for is
    /// counted. Texts that are longer than 1 024 bytes, as they are written in JSON, are cut.
    pub fn note(&self, mut entry: AuditEntry) {
        cut(&mut entry);
        match &self.place {
            Place::Memory(ring) => lock(ring).push(entry),
            Place::Disk { queue, .. } => queue.push(entry),
        }
    }

    /// Notes that a use of a capability was denied. Of one component, those beyond
    /// [`denials_per_s`](AuditSettings::denials_per_s) in a second are counted, by
    /// capability, and noted as one entry when the second is over. One that has caused a
    /// thousand entries in an hour is counted in the rest of it, and told every five minutes:
    /// fewer than 1 200 entries in an hour in all. Says whether this one is noted by itself.
    pub fn denied(&self, denial: &Attempt<'_>) -> bool {
        let now_ms = self.denials.now_ms();
        let verdict = self.denials.lock().admit(denial, now_ms);
        match verdict {
            Verdict::Singly => self.note(denial.entry(Decision::Denied)),
            Verdict::Counted => {}
            Verdict::FirstCounted => {
                if let Place::Disk { queue, .. } = &self.place {
                    queue.count_begins();
                }
            }
        }
        if let Place::Memory(ring) = &self.place
            && verdict == Verdict::Singly
        {
            self.tell_counts(ring);
        }
        verdict == Verdict::Singly
    }

    /// Notes one in [`sample`](AuditSettings::sample) uses that were allowed.
    pub fn allowed(&self, attempt: &Attempt<'_>) {
        if self.sample() {
            self.note(attempt.entry(Decision::Allowed));
        }
    }

    /// Whether the next use that is allowed is one of those that are noted: the first is,
    /// and then one in so many.
    pub fn sample(&self) -> bool {
        self.sample != 0
            && self
                .uses
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(self.sample)
    }

    /// Waits until everything that was noted is on disk, or in memory where that is all there
    /// is. It blocks the thread.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the log was closed before everything was written.
    pub fn flush(&self) -> Result<(), AuditError> {
        match &self.place {
            Place::Memory(_) => Ok(()),
            Place::Disk { queue, .. } => queue.flush(),
        }
    }

    /// The entries that are wanted, the newest first, with all that was noted before. It
    /// blocks the thread: at worst it reads all files.
    ///
    /// # Errors
    ///
    /// When the files cannot be read. What waits in memory because the disk fails is found
    /// all the same, as long as there is a folder to look into.
    pub fn query(&self, query: &AuditQuery) -> Result<AuditFound, AuditError> {
        let (folder, queue) = match &self.place {
            Place::Memory(ring) => {
                self.tell_counts(ring);
                return Ok(lock(ring).find(query));
            }
            Place::Disk { folder, queue, .. } => (folder, queue),
        };
        let Err(AuditError::Failing(_)) = queue.flush() else {
            return find(folder, query);
        };
        let (found, last) = queue.find(query);
        // The folder may be gone with the disk.
        Ok(find_up_to(folder, query, last.seq, found.clone()).unwrap_or(found))
    }

    /// How it is doing.
    pub fn status(&self) -> AuditStatus {
        match &self.place {
            Place::Memory(ring) => AuditStatus {
                entries: lock(ring).last_seq(),
                ..AuditStatus::default()
            },
            Place::Disk { folder, queue, .. } => AuditStatus {
                folder: Some(folder.clone()),
                ..queue.status()
            },
        }
    }

    /// Writes what was noted, and what was counted, and lets go of the folder. What is noted
    /// later is lost. It blocks the thread.
    ///
    /// # Errors
    ///
    /// When the disk fails: then the last entries are lost.
    pub fn close(&self) -> Result<(), AuditError> {
        let rest = self.denials.lock().rest();
        rest.into_iter().for_each(|entry| self.note(entry));
        let Place::Disk {
            queue,
            thread,
            folder,
        } = &self.place
        else {
            return Ok(());
        };
        let Some(thread) = lock(thread).take() else {
            return Ok(());
        };
        queue.close();
        let joined = thread.join();
        joined.map_err(|_panic| AuditError::io(folder, io::Error::other("its thread failed")))?;
        queue.flush().map_err(|error| match queue.status().failure {
            Some(failure) => AuditError::Failing(failure),
            None => error,
        })
    }

    fn tell_counts(&self, ring: &Mutex<Ring>) {
        let due = self.denials.lock().due(self.denials.now_ms());
        let mut ring = lock(ring);
        due.into_iter().for_each(|entry| ring.push(entry));
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(target: "airssys", %error, "the end of the audit log is lost");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::audit::{Action, Operation};
    use crate::core::security::capability::Capability;
    use crate::security::audit::query::{AuditRecord, MAX_FOUND};
    use crate::security::audit::queue::{QUEUE_ENTRIES, QUEUE_USES};
    use crate::security::audit::verification::verify;
    use std::fs;
    use tempfile::TempDir;

    fn place() -> (TempDir, PathBuf) {
        let above = TempDir::new().unwrap();
        let folder = above.path().join("audit");
        (above, folder)
    }

    fn open(folder: &Path) -> AuditLog {
        AuditLog::open(folder, AuditSettings::default(), 1).unwrap()
    }

    fn operation(at_ms: u64) -> AuditEntry {
        AuditEntry::new(at_ms, Action::Operate(Operation::Deploy), Decision::Allowed)
    }

    fn denial(component: &str) -> Attempt<'_> {
        Attempt {
            at_ms: 5,
            capability: Capability::Send,
            component,
            actor: "a/b/c",
            resource: "x/y/z",
            why: &"not granted",
        }
    }

    fn all(log: &AuditLog) -> Vec<AuditRecord> {
        let query = AuditQuery {
            limit: usize::MAX,
            ..AuditQuery::default()
        };
        log.query(&query).unwrap().records
    }

    #[test]
    fn what_is_noted_is_found_at_once_and_after_a_restart() {
        let (_above, folder) = place();
        let log = open(&folder);
        for at_ms in 1..=100 {
            log.note(operation(at_ms));
        }
        let found = all(&log);
        assert!(found.iter().all(|it| it.seq == it.entry.at_ms));
        assert_eq!((found.len(), found[0].seq), (100, 100));
        let second = AuditLog::open(&folder, AuditSettings::default(), 1).unwrap_err();
        assert!(matches!(second, AuditError::InUse { .. }), "{second}");
        log.close().unwrap();
        assert_eq!(verify(&folder, None).unwrap().entries, 100);
        assert_eq!(all(&log), found);
        log.note(operation(101));
        assert_eq!((all(&log).len(), log.status().lost), (100, 1));
        assert_eq!(all(&open(&folder)), found);
    }

    #[test]
    fn a_flood_of_denials_is_few_entries_and_none_is_forgotten() {
        let (_above, folder) = place();
        for log in [open(&folder), AuditLog::in_memory(AuditSettings::default())] {
            let began = std::time::Instant::now();
            for _ in 0..1_000_000 {
                log.denied(&denial("a/b"));
            }
            let seconds = began.elapsed().as_secs() as usize + 2;
            log.close().unwrap();
            let found = all(&log);
            let counts: u64 = found.iter().map(|it| it.entry.count).sum();
            assert_eq!(counts, 1_000_000);
            assert!(found.len() <= 21 * seconds, "{}", found.len());
            assert_eq!(log.status().lost, 0);
        }
    }

    #[test]
    fn what_was_counted_is_told_when_the_second_is_over() {
        let (_above, folder) = place();
        let log = open(&folder);
        for _ in 0..50 {
            log.denied(&denial("a/b"));
        }
        // Until the thread has told the rest of it.
        let found = loop {
            let found = all(&log);
            if found.iter().map(|it| it.entry.count).sum::<u64>() == 50 {
                break found;
            }
        };
        let counted = &found[0].entry;
        assert!((2..=30).contains(&counted.count), "{counted:?}");
        assert_eq!(counted.decision, Decision::Denied);
        assert_eq!(counted.action, Action::Use(Capability::Send));
    }

    #[test]
    fn a_disk_that_is_gone_is_told_and_memory_takes_its_place() {
        let (above, folder) = place();
        let log = open(&folder);
        log.note(operation(1));
        log.flush().unwrap();
        let elsewhere = above.path().join("elsewhere");
        fs::rename(&folder, &elsewhere).unwrap();
        fs::write(&folder, "in the way").unwrap();
        log.note(operation(2));
        let failed = log.flush().unwrap_err();
        assert!(matches!(failed, AuditError::Failing(_)), "{failed}");
        assert!(log.status().failure.is_some());
        let found = all(&log);
        assert_eq!((found.len(), found[0].entry.at_ms), (1, 2));

        // More than there is room for: first of what guests do.
        for at_ms in 0..6_000 {
            let mut entry = operation(at_ms);
            entry.action = Action::Use(Capability::Send);
            log.note(entry);
        }
        assert_eq!(log.status().waiting, QUEUE_USES);
        for at_ms in 0..6_000 {
            log.note(operation(at_ms));
        }
        let status = log.status();
        assert_eq!(status.waiting, QUEUE_ENTRIES);
        assert_eq!(status.lost as usize, 12_001 - QUEUE_ENTRIES);
        assert!(log.flush().is_err());

        fs::remove_file(&folder).unwrap();
        fs::rename(&elsewhere, &folder).unwrap();
        log.flush().unwrap();
        assert_eq!(log.status().failure, None);
        log.close().unwrap();
        let verified = verify(&folder, None).unwrap();
        assert_eq!(verified.entries as usize, QUEUE_ENTRIES + 2);
        let found = all(&log);
        assert_eq!(found[0].entry.action, Action::Operate(Operation::Lost));
        let counts: u64 = found.iter().map(|it| it.entry.count).sum();
        assert_eq!(counts, 12_002);
        assert!(found.len() < MAX_FOUND);
    }

    #[test]
    fn a_folder_that_was_removed_is_made_again_and_it_is_told() {
        let (_above, folder) = place();
        let log = open(&folder);
        log.note(operation(1));
        log.flush().unwrap();
        fs::remove_dir_all(&folder).unwrap();
        log.note(operation(2));
        let found = all(&log);
        assert_eq!((found[0].seq, found[0].entry.at_ms), (3, 2));
        assert_eq!(found[1].entry.action, Action::Operate(Operation::Lost));
        let broken = verify(&folder, None).unwrap_err();
        assert!(matches!(broken, AuditError::Broken(_)), "{broken}");
        log.close().unwrap();
        assert_eq!(all(&open(&folder)).len(), 2);
    }

    #[test]
    fn one_in_so_many_uses_is_noted() {
        for (sample, expected) in [(0, 0), (1, 100), (30, 4), (1_000, 1)] {
            let log = AuditLog::in_memory(AuditSettings {
                sample,
                ..AuditSettings::default()
            });
            for _ in 0..100 {
                log.allowed(&denial("a/b"));
            }
            assert_eq!(log.status().entries, expected);
        }
    }

    #[test]
    fn many_threads_note_at_once() {
        let (_above, folder) = place();
        let log = open(&folder);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for at_ms in 0..500 {
                        log.note(operation(at_ms));
                        if at_ms % 100 == 0 {
                            log.flush().unwrap();
                        }
                    }
                });
            }
        });
        log.close().unwrap();
        assert_eq!(verify(&folder, None).unwrap().entries, 2_000);
        assert_eq!(log.status().lost, 0);
    }
}
