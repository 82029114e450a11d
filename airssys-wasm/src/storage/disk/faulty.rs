//! A disk in memory that fails, fills up, and loses what was not synced.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};
use crate::storage::disk::inode::Inode;

/// A disk in memory. Clones are the same disk.
///
/// It is two things at once: what the running machine sees, and what the platters hold.
/// Every operation that changes something is a *point*, and they count from 1: create,
/// write, change of length, sync, sync of the folder, remove.
#[derive(Debug, Clone)]
pub(crate) struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

/// An open file of a [`FaultyDisk`].
#[derive(Debug)]
pub(crate) struct FaultyFile {
    state: Arc<Mutex<State>>,
    name: String,
    inode: usize,
}

/// What goes wrong at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operation fails, and the next one does not. A write may be done in part; after a
    /// sync nobody knows what is on disk, and another one does not tell.
    Once,
    /// It and all later ones fail. What the machine has in memory can still be read.
    Dead,
    /// The power goes off: the operation may be done in part, and nothing works any more
    /// until [`FaultyDisk::crash`].
    PowerCut,
}

#[derive(Debug)]
struct State {
    inodes: Vec<Inode>,
    entries: BTreeMap<String, usize>,
    durable_entries: BTreeMap<String, usize>,
    /// What became of a name since the folder was synced.
    pending_entries: BTreeMap<String, Vec<Option<usize>>>,
    points: u64,
    fault: Option<(u64, Fault)>,
    full: Range<u64>,
    is_off: bool,
    rng: ChaCha8Rng,
}

impl FaultyDisk {
    /// An empty disk. The seed decides how much of a failed operation is done.
    pub(crate) fn new(seed: u64) -> Self {
        Self::holding(BTreeMap::new(), ChaCha8Rng::seed_from_u64(seed))
    }

    fn holding(files: BTreeMap<String, Vec<u8>>, rng: ChaCha8Rng) -> Self {
        let (mut inodes, mut entries) = (Vec::new(), BTreeMap::new());
        for (name, durable) in files {
            entries.insert(name, inodes.len());
            inodes.push(Inode::holding(durable));
        }
        let state = State {
            inodes,
            durable_entries: entries.clone(),
            entries,
            pending_entries: BTreeMap::new(),
            points: 0,
            fault: None,
            full: 0..0,
            is_off: false,
            rng,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How many operations there were so far.
    pub(crate) fn points(&self) -> u64 {
        self.lock().points
    }

    /// Has the operation of this number go wrong.
    pub(crate) fn fail_at(&self, point: u64, fault: Fault) {
        self.lock().fault = Some((point, fault));
    }

    /// Has the disk be full during these operations: none of them writes or makes a file.
    /// Files can be removed and cut.
    pub(crate) fn fill_during(&self, points: Range<u64>) {
        self.lock().full = points;
    }

    /// Has nothing go wrong from now on, unless the power is off. This and opening the
    /// files again is what a process finds that was killed, while the machine ran on.
    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.fault = None;
        state.full = 0..0;
    }

    /// Whether the power is off.
    pub(crate) fn is_off(&self) -> bool {
        self.lock().is_off
    }

    /// What the machine would find if the power went off now: what was synced, and of
    /// everything else any part.
    pub(crate) fn crash(&self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let state = self.lock();
        let mut entries = state.durable_entries.clone();
        for (name, versions) in &state.pending_entries {
            let pick = rng.random_range(0..=versions.len());
            match pick.checked_sub(1).map(|i| versions[i]) {
                None => {}
                Some(None) => drop(entries.remove(name)),
                Some(Some(inode)) => drop(entries.insert(name.clone(), inode)),
            }
        }
        let files = entries
            .into_iter()
            .map(|(name, inode)| {
                // Now and then all of it or nothing, which chance alone hardly ever gives.
                let bias = rng.random_range(0..4);
                let found = state.inodes[inode].settle(|versions| match bias {
                    0 => 0,
                    1 => versions,
                    _ => rng.random_range(0..=versions),
                });
                (name, found)
            })
            .collect();
        Self::holding(files, rng)
    }

    /// All of a file, as the running machine sees it.
    pub(crate) fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let inode = *state.entries.get(name)?;
        Some(state.inodes[inode].contents().to_vec())
    }

    /// Puts a file, durable at once. It is no point.
    pub(crate) fn put(&self, name: &str, contents: Vec<u8>) {
        let mut state = self.lock();
        let inode = state.inodes.len();
        state.inodes.push(Inode::holding(contents));
        state.entries.insert(name.to_owned(), inode);
        state.durable_entries.insert(name.to_owned(), inode);
        state.pending_entries.remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn opened(&self, name: &str, inode: usize) -> FaultyFile {
        FaultyFile {
            state: Arc::clone(&self.state),
            name: name.to_owned(),
            inode,
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an operation needs room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Room,
    Nothing,
}

/// How an operation that goes wrong does so.
#[derive(Debug)]
struct Failure {
    error: io::Error,
    fault: Option<Fault>,
}

impl State {
    fn check_power(&self) -> io::Result<()> {
        if self.is_off {
            return Err(io::Error::other("the power is off"));
        }
        Ok(())
    }

    /// Counts an operation, and says whether it goes wrong.
    fn point(&mut self, needs: Needs) -> Result<(), Failure> {
        self.check_power()
            .map_err(|error| Failure { error, fault: None })?;
        self.points += 1;
        let fault = match self.fault {
            Some((at, fault)) if at == self.points => fault,
            Some((at, Fault::Dead)) if at < self.points => Fault::Dead,
            _ if needs == Needs::Room && self.full.contains(&self.points) => {
                let error = io::ErrorKind::StorageFull.into();
                return Err(Failure {
                    error,
                    fault: Some(Fault::Once),
                });
            }
            _ => return Ok(()),
        };
        self.is_off = fault == Fault::PowerCut;
        Err(Failure {
            error: io::Error::other(format!("{fault:?} at point {}", self.points)),
            fault: Some(fault),
        })
    }

    fn set_entry(&mut self, name: &str, inode: Option<usize>) {
        match inode {
            Some(inode) => drop(self.entries.insert(name.to_owned(), inode)),
            None => drop(self.entries.remove(name)),
        }
        let versions = self.pending_entries.entry(name.to_owned()).or_default();
        versions.push(inode);
    }

    fn create(&mut self, name: &str) -> usize {
        let inode = self.inodes.len();
        self.inodes.push(Inode::default());
        if self.entries.contains_key(name) {
            self.set_entry(name, None);
        }
        self.set_entry(name, Some(inode));
        inode
    }

    /// Whether what the power cut interrupted was done.
    fn is_done_at(&mut self, failure: &Failure) -> bool {
        failure.fault == Some(Fault::PowerCut) && self.rng.random()
    }
}

impl Disk for FaultyDisk {
    type File = FaultyFile;

    fn open(&self, name: &str) -> io::Result<FaultyFile> {
        let state = self.lock();
        state.check_power()?;
        let inode = state.entries.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.opened(name, *inode))
    }

    fn create(&self, name: &str) -> io::Result<FaultyFile> {
        let mut state = self.lock();
        if let Err(failure) = state.point(Needs::Room) {
            if state.is_done_at(&failure) {
                state.create(name);
            }
            return Err(failure.error);
        }
        let inode = state.create(name);
        Ok(self.opened(name, inode))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.check_power()?;
        Ok(state.entries.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.check_power()?;
        if !state.entries.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        match state.point(Needs::Nothing) {
            Ok(()) => state.set_entry(name, None),
            Err(failure) => {
                if state.is_done_at(&failure) {
                    state.set_entry(name, None);
                }
                return Err(failure.error);
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.lock();
        state
            .point(Needs::Nothing)
            .map_err(|failure| failure.error)?;
        state.durable_entries = state.entries.clone();
        state.pending_entries.clear();
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn len_bytes(&self) -> io::Result<u64> {
        let state = lock(&self.state);
        state.check_power()?;
        Ok(state.inodes[self.inode].contents().len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = lock(&self.state);
        state.check_power()?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let found = state.inodes[self.inode]
            .contents()
            .get(start..start.saturating_add(buffer.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = lock(&self.state);
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let result = state.point(Needs::Room);
        let done = match &result {
            Ok(()) => bytes.len(),
            Err(Failure { fault: None, .. }) => 0,
            Err(_) => state.rng.random_range(0..=bytes.len()),
        };
        if done > 0 {
            state.inodes[self.inode].write(offset, &bytes[..done]);
        }
        result.map_err(|failure| failure.error)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = lock(&self.state);
        let len = usize::try_from(bytes).map_err(io::Error::other)?;
        let needs = match len > state.inodes[self.inode].contents().len() {
            true => Needs::Room,
            false => Needs::Nothing,
        };
        let result = state.point(needs);
        let is_done = match &result {
            Ok(()) => true,
            Err(failure) => state.is_done_at(failure),
        };
        if is_done {
            state.inodes[self.inode].set_len(len);
        }
        result.map_err(|failure| failure.error)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        match state.point(Needs::Room) {
            Ok(()) => {
                state.inodes[self.inode].sync();
                Ok(())
            }
            Err(failure) => {
                if failure.fault.is_some_and(|fault| fault != Fault::PowerCut) {
                    let State { inodes, rng, .. } = &mut *state;
                    inodes[self.inode].lose_some(rng);
                }
                Err(failure.error)
            }
        }
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let state = lock(&self.state);
        state.check_power()?;
        Ok(state.entries.get(&self.name) == Some(&self.inode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn disk_with(name: &str, contents: &[u8]) -> (FaultyDisk, FaultyFile) {
        let disk = FaultyDisk::new(1);
        let file = disk.create(name).unwrap();
        file.write_at(0, contents).unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        (disk, file)
    }

    /// Everything that a crash may leave of a file, over many seeds.
    fn outcomes(disk: &FaultyDisk, name: &str) -> BTreeSet<Option<Vec<u8>>> {
        (0..400)
            .map(|seed| disk.crash(seed).contents(name))
            .collect()
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_in_any_part() {
        let (disk, file) = disk_with("a", &[1; 1024]);
        assert_eq!(outcomes(&disk, "a"), BTreeSet::from([Some(vec![1; 1024])]));
        assert_eq!(disk.points(), 4);

        file.write_at(0, &[2; 1024]).unwrap();
        let mix = |a, b| Some([[a; 512], [b; 512]].concat());
        let all = [mix(1, 1), mix(1, 2), mix(2, 1), mix(2, 2)];
        assert_eq!(outcomes(&disk, "a"), BTreeSet::from(all));
        file.sync().unwrap();
        assert_eq!(outcomes(&disk, "a"), BTreeSet::from([mix(2, 2)]));
    }

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let (disk, file) = disk_with("a", &[1; 700]);
        file.set_len(100).unwrap();
        file.write_at(600, &[3; 10]).unwrap();
        for found in outcomes(&disk, "a").into_iter().flatten() {
            let cut = found.len() != 700;
            let stale = found[100..].contains(&1);
            assert!(!(cut && stale), "{found:?}");
        }
        file.sync().unwrap();
        let expected = [vec![1; 100], vec![0; 500], vec![3; 10]].concat();
        assert_eq!(outcomes(&disk, "a"), BTreeSet::from([Some(expected)]));
    }

    #[test]
    fn names_are_durable_only_when_the_folder_was_synced() {
        let disk = FaultyDisk::new(1);
        let file = disk.create("a").unwrap();
        file.sync().unwrap();
        let both = BTreeSet::from([None, Some(vec![])]);
        assert_eq!(outcomes(&disk, "a"), both);
        disk.sync().unwrap();
        disk.remove("a").unwrap();
        assert_eq!(outcomes(&disk, "a"), both);
        assert!(!file.is_in_place().unwrap());
        disk.sync().unwrap();
        assert_eq!(outcomes(&disk, "a"), BTreeSet::from([None]));
    }

    #[test]
    fn a_failed_sync_loses_writes_that_a_later_one_does_not_bring_back() {
        let (mut lost, mut kept) = (0, 0);
        for seed in 0..20 {
            let disk = FaultyDisk::new(seed);
            let file = disk.create("a").unwrap();
            file.set_len(4).unwrap();
            file.sync().unwrap();
            disk.sync().unwrap();
            file.write_at(0, b"gone").unwrap();
            disk.fail_at(disk.points() + 1, Fault::Once);
            file.sync().unwrap_err();
            file.sync().unwrap();
            assert_eq!(disk.contents("a").unwrap(), b"gone");
            match disk.crash(seed).contents("a").unwrap().as_slice() {
                b"gone" => kept += 1,
                _ => lost += 1,
            }
        }
        assert!(lost > 0 && kept > 0);
    }

    #[test]
    fn faults_come_when_they_should() {
        let (disk, file) = disk_with("a", b"old");
        disk.fill_during(5..7);
        let full = file.write_at(0, b"new").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        disk.create("b").unwrap_err();
        disk.create("b").unwrap();

        disk.fail_at(8, Fault::Dead);
        file.write_at(0, b"new").unwrap_err();
        disk.sync().unwrap_err();
        assert_eq!(file.len_bytes().unwrap(), 3, "memory can still be read");
        disk.heal();
        disk.sync().unwrap();

        disk.fail_at(disk.points() + 1, Fault::PowerCut);
        file.sync().unwrap_err();
        assert!(disk.is_off());
        file.len_bytes().unwrap_err();
        disk.names().unwrap_err();
        disk.heal();
        file.sync().unwrap_err();
        assert_eq!(disk.crash(1).names().unwrap(), ["a", "b"]);
    }
}
