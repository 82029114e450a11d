//! The write-ahead log.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::io;

// Layer 3: Internal module imports
use crate::storage::disk::disk::Disk;
use crate::storage::wal::error::WalError;
use crate::storage::wal::frame::MAX_PAYLOAD_BYTES;
use crate::storage::wal::recovery::recover;
use crate::storage::wal::segment::{Header, Segment};

/// A log of payloads, each with a number, in files of a folder that are called
/// `log-<number of the first, in 16 hexadecimal digits>`. Other files are left alone.
///
/// A payload is on disk when [`append`](Wal::append) returns, and before the next one is
/// begun. So after a crash at most the last frame can be broken, and it was never
/// acknowledged: opening the log cuts it off. A broken frame with others after it means that
/// the disk lost what it had; then the log is not opened. The one thing that cannot be told
/// from a crash is damage to the very last frame.
///
/// A second process that writes the same files must be kept out by whoever opens the log.
#[derive(Debug)]
pub(crate) struct Wal<D: Disk> {
    disk: D,
    sizes: Sizes,
    sealed: VecDeque<Sealed>,
    current: Option<Segment<D::File>>,
    last: u64,
    is_stopped: bool,
}

/// How large the log's files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// A segment is no larger than this, unless it has only one frame.
    pub(crate) segment_bytes: u64,
    /// Room in the file is made so much at a time. It is not zero.
    pub(crate) ahead_bytes: u64,
}

/// A segment that is not written to any more.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) name: String,
    /// The number of its last frame, or a later one that is before the next segment.
    pub(super) last: u64,
    pub(super) bytes: u64,
}

impl Default for Sizes {
    /// Segments of 16 MiB, and room made 1 MiB at a time.
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            ahead_bytes: 1 << 20,
        }
    }
}

impl<D: Disk> Wal<D> {
    /// Opens or begins the log in a folder; calls `replay(seq, payload)` for each frame in
    /// order whose number is greater than `after`, and cuts off a torn tail.
    ///
    /// `after` is at least what was ever [released](Self::release). It costs one pass over
    /// the segments that have later frames.
    ///
    /// # Errors
    ///
    /// When the disk fails, frames after `after` are damaged or missing, or a newer version
    /// wrote the log. An error of `replay` is handed on; nothing was changed then but that
    /// a segment without a single frame may be removed.
    pub(crate) fn open(
        disk: D,
        after: u64,
        replay: impl FnMut(u64, &[u8]) -> Result<(), WalError>,
    ) -> Result<Self, WalError> {
        Self::open_sized(disk, Sizes::default(), after, replay)
    }

    /// [Opens](Self::open) a log with files of other sizes. The sizes may differ from those
    /// that it was written with.
    pub(crate) fn open_sized(
        disk: D,
        sizes: Sizes,
        after: u64,
        replay: impl FnMut(u64, &[u8]) -> Result<(), WalError>,
    ) -> Result<Self, WalError> {
        let recovered = recover(&disk, after, replay)?;
        Ok(Self {
            disk,
            sizes,
            sealed: recovered.sealed,
            current: recovered.current,
            last: recovered.last,
            is_stopped: false,
        })
    }

    /// Appends one frame; it is on disk when this returns. `seq` is greater than any before,
    /// and than what the log was opened after. It costs one sync of the file, and two more
    /// where a new file begins.
    ///
    /// # Errors
    ///
    /// When the disk fails or is full, the file was removed, `seq` is not greater, or the
    /// payload is larger than [`MAX_PAYLOAD_BYTES`]. The frame may be on disk or not; that
    /// is known when the log was opened again. Until then everything is refused.
    pub(crate) fn append(&mut self, seq: u64, payload: &[u8]) -> Result<(), WalError> {
        self.check_running()?;
        self.is_stopped = true;
        self.try_append(seq, payload)?;
        self.is_stopped = false;
        Ok(())
    }

    /// Forgets frames up to `seq`: removes segments that have no others.
    ///
    /// The segment that is written to stays. If it has no other frames and is not small, the
    /// next frame goes to a new one, so that this one is removed the next time.
    ///
    /// # Errors
    ///
    /// When the disk fails. Everything is refused from then on.
    pub(crate) fn release(&mut self, seq: u64) -> Result<(), WalError> {
        self.check_running()?;
        self.is_stopped = true;
        self.try_release(seq)?;
        self.is_stopped = false;
        Ok(())
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        let sealed: u64 = self.sealed.iter().map(|segment| segment.bytes).sum();
        sealed + self.current.as_ref().map_or(0, |current| current.allocated)
    }

    /// The number of the last frame, or what the log was opened after if that is greater.
    #[cfg(test)]
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    fn check_running(&self) -> Result<(), WalError> {
        match self.is_stopped {
            true => Err(WalError::Stopped),
            false => Ok(()),
        }
    }

    fn try_append(&mut self, seq: u64, payload: &[u8]) -> Result<(), WalError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(WalError::TooLarge {
                bytes: payload.len(),
                max_bytes: MAX_PAYLOAD_BYTES,
            });
        }
        if seq <= self.last {
            let last = self.last;
            return Err(WalError::OutOfOrder { seq, last });
        }
        let has_room = |segment: &Segment<_>| segment.has_room(payload, &self.sizes);
        let current = match self.current.take_if(|segment| has_room(segment)) {
            Some(current) => current,
            None => self.begin(seq)?,
        };
        let current = self.current.insert(current);
        current.append(seq, payload, &self.sizes)?;
        self.last = seq;
        Ok(())
    }

    /// Begins a segment, and seals the one before.
    fn begin(&mut self, first: u64) -> Result<Segment<D::File>, WalError> {
        if let Some(full) = self.current.take() {
            self.sealed.push_back(Sealed {
                name: full.name,
                last: self.last,
                bytes: full.allocated,
            });
        }
        let header = Header {
            first,
            before: self.last,
            salt: rand::random(),
        };
        Segment::create(&self.disk, header)
    }

    fn try_release(&mut self, seq: u64) -> Result<(), WalError> {
        let mut removed = None;
        while let Some(released) = self.sealed.pop_front_if(|segment| segment.last <= seq) {
            match self.disk.remove(&released.name) {
                // Somebody else did, which is all the same.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(WalError::disk("remove", &released.name))?,
            }
            removed = Some(released.name);
        }
        if let Some(name) = removed {
            let sync = self.disk.sync();
            sync.map_err(WalError::disk("sync the folder without", &name))?;
        }
        if let Some(current) = &mut self.current
            && self.last <= seq
            && current.end > self.sizes.segment_bytes / 4
        {
            current.is_closed = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::disk::DiskFile;
    use crate::storage::disk::faulty::{Fault, FaultyDisk};
    use crate::storage::disk::folder::Folder;
    use crate::storage::wal::error::Damage;
    use proptest::prelude::*;

    type Frames = Vec<(u64, Vec<u8>)>;

    /// So small that a few frames fill a segment.
    const SMALL: Sizes = Sizes {
        segment_bytes: 1500,
        ahead_bytes: 600,
    };

    /// A payload that has zeros, and looks like a frame here and there.
    fn payload(seq: u64, bytes: usize) -> Vec<u8> {
        let pattern = [&b"\0\0\xF5AwF\x03\0\0\0"[..], &seq.to_le_bytes()].concat();
        pattern.into_iter().cycle().take(bytes).collect()
    }

    fn open<D: Disk>(disk: D, after: u64) -> Result<(Wal<D>, Frames), WalError> {
        let mut frames = Frames::new();
        let wal = Wal::open_sized(disk, SMALL, after, |seq, payload| {
            frames.push((seq, payload.to_vec()));
            Ok(())
        })?;
        Ok((wal, frames))
    }

    /// A log of these frames, whose numbers count from 1.
    fn log_of(sizes: &[usize]) -> (FaultyDisk, Frames) {
        let disk = FaultyDisk::new(0);
        let (mut wal, _) = open(disk.clone(), 0).unwrap();
        let frames: Frames = (1..)
            .zip(sizes)
            .map(|(seq, bytes)| (seq, payload(seq, *bytes)))
            .collect();
        for (seq, payload) in &frames {
            wal.append(*seq, payload).unwrap();
        }
        (disk, frames)
    }

    #[test]
    fn what_was_appended_is_there_when_it_is_opened_again() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join("log-of-mine"), "text").unwrap();
        let folder = || Folder::open(base.path()).unwrap();
        let mut all = Frames::new();
        for round in 0..4 {
            let (mut wal, found) = open(folder(), 0).unwrap();
            assert_eq!(found, all);
            for i in 1..6 {
                let seq = round * 1000 + i * 10;
                // One is empty, and one is larger than a segment.
                all.push((seq, payload(seq, 600 * (i as usize - 1))));
                wal.append(seq, &all.last().unwrap().1).unwrap();
            }
            let names = folder().names().unwrap();
            assert!(names.contains(&"log-of-mine".to_owned()));
            let len = |name: &String| folder().open(name).unwrap().len_bytes().unwrap();
            let own = names.iter().filter(|name| *name != "log-of-mine");
            assert_eq!(wal.bytes(), own.map(len).sum::<u64>());
        }
        let (_, found) = open(folder(), 2020).unwrap();
        assert_eq!(found, all.split_off(12));
    }

    #[test]
    fn a_payload_may_be_as_large_as_documented_and_not_larger() {
        let (mut wal, _) = open(FaultyDisk::new(0), 0).unwrap();
        let error = wal.append(1, &vec![0; MAX_PAYLOAD_BYTES + 1]).unwrap_err();
        assert!(matches!(error, WalError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn a_torn_last_frame_is_cut_off_wherever_it_was_torn() {
        let (disk, mut frames) = log_of(&[100, 50, 300]);
        let name = "log-0000000000000001";
        let whole = disk.contents(name).unwrap();
        let end = 48 + 3 * 32 + 450;
        assert!(whole[end..].iter().all(|byte| *byte == 0));
        frames.pop();
        for torn in end - 332..end {
            // The file was not made longer, or what was allocated ahead was not overwritten.
            let mut zeros = whole.clone();
            zeros[torn..].fill(0);
            if zeros == whole {
                continue;
            }
            for left in [whole[..torn].to_vec(), zeros] {
                let disk = FaultyDisk::new(0);
                disk.put(name, left);
                let (mut wal, found) = open(disk.clone(), 0).unwrap();
                assert_eq!(found, frames, "torn at {torn}");
                let mended = disk.contents(name).unwrap();
                let is_zero = mended[end - 332..].iter().all(|byte| *byte == 0);
                assert!(is_zero, "nothing is left of it, torn at {torn}");
                wal.append(9, b"next").unwrap();
                let (_, found) = open(disk.crash(torn as u64), 0).unwrap();
                assert_eq!(found.len(), 3);
                assert_eq!(found[2], (9, b"next".to_vec()));
            }
        }
    }

    #[test]
    fn a_flipped_bit_never_yields_what_was_not_appended() {
        let (disk, frames) = log_of(&[700, 600, 90, 20, 0, 120]);
        let names = disk.names().unwrap();
        assert_eq!(names.len(), 2);
        let (mut detected, mut harmless) = (0, 0);
        for name in &names {
            let contents = disk.contents(name).unwrap();
            for bit in 0..contents.len() * 8 {
                let damaged = FaultyDisk::new(0);
                for name in &names {
                    damaged.put(name, disk.contents(name).unwrap());
                }
                let mut flipped = contents.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                damaged.put(name, flipped);
                match open(damaged, 0) {
                    Err(error) => {
                        detected += 1;
                        assert!(error.to_string().contains("log-"), "{error}");
                    }
                    Ok((_, found)) => {
                        harmless += 1;
                        let is_last = found == frames[..5];
                        let at = bit / 8;
                        assert!(found == frames || is_last, "byte {at} of {name}");
                    }
                }
            }
        }
        // All but the last frame, and the zeros after it and at the end of the first file.
        assert!(detected > harmless, "{detected} of {}", detected + harmless);
    }

    #[test]
    fn damage_is_told_from_a_torn_tail_and_named() {
        let (disk, _) = log_of(&[100, 100, 100]);
        let name = "log-0000000000000001";
        let mut contents = disk.contents(name).unwrap();
        contents[48 + 132 + 40] ^= 1;
        disk.put(name, contents.clone());
        let error = open(disk.clone(), 0).unwrap_err();
        assert!(
            matches!(&error, WalError::Damaged { file, offset: 180, found: Damage::Frame } if file == name),
            "{error}"
        );
        // It is not even needed any more, but who knows what else is wrong.
        open(disk.clone(), 3).unwrap_err();

        contents[8] = 2;
        disk.put(name, contents);
        let error = open(disk.clone(), 0).unwrap_err();
        assert!(
            matches!(&error, WalError::NewerVersion { version: 2, .. }),
            "{error}"
        );
        disk.put(name, b"something else".to_vec());
        let error = open(disk, 0).unwrap_err();
        let found = Damage::NoSegment;
        assert!(
            matches!(&error, WalError::Damaged { found: f, .. } if *f == found),
            "{error}"
        );
    }

    #[test]
    fn a_segment_that_is_missing_is_noticed_if_it_is_needed() {
        let (disk, frames) = log_of(&[1400; 4]);
        let names = disk.names().unwrap();
        assert_eq!(names.len(), 4);
        for missing in 0..3 {
            let disk = disk.crash(0);
            disk.remove(&names[missing]).unwrap();
            for after in 0..4 {
                let result = open(disk.crash(missing as u64), after);
                let is_needed = after < missing as u64 + 1;
                match result {
                    Ok((_, found)) => {
                        assert!(!is_needed || disk.crash(missing as u64).names().unwrap() == names);
                        assert_eq!(found, frames[after as usize..]);
                    }
                    Err(error) => {
                        assert!(is_needed);
                        assert!(matches!(error, WalError::Missing { .. }), "{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_applied_is_not_needed_and_may_be_damaged() {
        let (disk, frames) = log_of(&[600, 600, 1400, 1400]);
        let first = disk.names().unwrap().remove(0);
        let mut contents = disk.contents(&first).unwrap();
        contents[100] ^= 1;
        disk.put(&first, contents);
        let error = open(disk.clone(), 0).unwrap_err();
        assert!(
            matches!(error, WalError::Damaged { offset: 48, .. }),
            "{error}"
        );
        assert_eq!(open(disk, 2).unwrap().1, frames[2..]);
    }

    #[test]
    fn released_segments_go_and_the_one_that_is_written_to_stays() {
        let (disk, _) = log_of(&[1400, 1400, 1400, 10]);
        let count = |disk: &FaultyDisk| disk.names().unwrap().len();
        let (mut wal, _) = open(disk.clone(), 0).unwrap();
        assert_eq!(count(&disk), 4);
        wal.release(1).unwrap();
        assert_eq!(count(&disk), 3);
        wal.release(4).unwrap();
        assert_eq!(count(&disk), 1);
        wal.append(5, &[1; 600]).unwrap();
        assert_eq!(count(&disk), 1, "it was small");
        wal.release(5).unwrap();
        wal.append(6, b"").unwrap();
        assert_eq!(count(&disk), 2, "it was not");
        wal.release(5).unwrap();
        assert_eq!(count(&disk), 1);
        assert_eq!(open(disk, 5).unwrap().1, [(6, vec![])]);
    }

    #[test]
    fn a_log_that_ends_before_what_was_applied_goes_on_after_that() {
        let (disk, _) = log_of(&[10, 10]);
        let (mut wal, found) = open(disk.clone(), 100).unwrap();
        assert_eq!((found.len(), wal.last()), (0, 100));
        wal.append(101, b"a").unwrap();
        assert_eq!(open(disk.clone(), 100).unwrap().1, [(101, b"a".to_vec())]);
        let error = open(disk.clone(), 2).unwrap_err();
        assert!(
            matches!(
                error,
                WalError::Missing {
                    reached: 2,
                    needed: 100,
                    ..
                }
            ),
            "{error}"
        );

        let (mut wal, _) = open(disk, 101).unwrap();
        let error = wal.append(101, b"again").unwrap_err();
        assert!(matches!(error, WalError::OutOfOrder { .. }), "{error}");
        let error = wal.append(102, b"").unwrap_err();
        assert!(matches!(error, WalError::Stopped), "{error}");
        let error = wal.release(1).unwrap_err();
        assert!(matches!(error, WalError::Stopped), "{error}");
    }

    #[test]
    fn a_file_that_was_removed_is_noticed_before_anything_is_acknowledged() {
        let (disk, _) = log_of(&[10]);
        let (mut wal, _) = open(disk.clone(), 0).unwrap();
        disk.remove("log-0000000000000001").unwrap();
        let error = wal.append(2, b"lost").unwrap_err();
        assert!(matches!(error, WalError::Removed { .. }), "{error}");
    }

    #[test]
    fn an_error_of_whoever_opens_is_handed_on_and_changes_nothing() {
        let (disk, _) = log_of(&[10, 20]);
        let points = disk.points();
        let result = Wal::open(disk.clone(), 0, |seq, _| {
            let reason = "no".to_owned();
            Err(WalError::Replay { seq, reason })
        });
        let error = result.unwrap_err();
        assert!(matches!(error, WalError::Replay { seq: 1, .. }), "{error}");
        assert_eq!(disk.points(), points);
    }

    /// A log on a disk that may fail, and what it must hold.
    struct Model {
        disk: FaultyDisk,
        wal: Option<Wal<FaultyDisk>>,
        acknowledged: Frames,
        /// A frame that may be there or not.
        unknown: Option<(u64, Vec<u8>)>,
        released: u64,
        seq: u64,
        opened: u64,
    }

    impl Model {
        fn new(seed: u64) -> Self {
            Self {
                disk: FaultyDisk::new(seed),
                wal: None,
                acknowledged: Frames::new(),
                unknown: None,
                released: 0,
                seq: 0,
                opened: 0,
            }
        }

        /// Opens the log, and checks what is in it. False if the disk failed.
        fn open(&mut self) -> bool {
            self.wal = None;
            let (wal, found) = match open(self.disk.clone(), self.released) {
                Ok(opened) => opened,
                Err(WalError::Disk { .. }) => return false,
                Err(error) => panic!("{error}"),
            };
            self.opened += 1;
            let from = self.acknowledged.partition_point(|f| f.0 <= self.released);
            let (known, more) = found.split_at(found.len().min(self.acknowledged.len() - from));
            assert_eq!(known, &self.acknowledged[from..], "what was acknowledged");
            // It was opened, and so it is there from now on, or else never again.
            if let Some(unknown) = self.unknown.take()
                && !more.is_empty()
            {
                self.acknowledged.push(unknown);
            }
            assert_eq!(
                found,
                self.acknowledged[from..],
                "and at most one frame more"
            );
            self.wal = Some(wal);
            true
        }

        fn append(&mut self, bytes: usize) -> bool {
            let Some(wal) = &mut self.wal else {
                return false;
            };
            self.seq += 1 + bytes as u64 % 3;
            let frame = (self.seq, payload(self.seq, bytes));
            match wal.append(frame.0, &frame.1) {
                Ok(()) => self.acknowledged.push(frame),
                Err(WalError::Stopped) => return false,
                Err(WalError::Disk { .. }) => {
                    self.unknown = Some(frame);
                    return false;
                }
                Err(error) => panic!("{error}"),
            }
            true
        }

        /// Releases what has been there for this many frames.
        fn release(&mut self, age: usize) -> bool {
            let Some(wal) = &mut self.wal else {
                return false;
            };
            let index = self.acknowledged.len().checked_sub(1 + age);
            if let Some(index) = index {
                self.released = self.released.max(self.acknowledged[index].0);
            }
            match wal.release(self.released) {
                Ok(()) => true,
                Err(WalError::Disk { .. } | WalError::Stopped) => false,
                Err(error) => panic!("{error}"),
            }
        }

        /// The process is killed, or the machine if the power is off, and begins anew.
        fn restart(&mut self) {
            self.disk.heal();
            if self.disk.is_off() {
                self.disk = self.disk.crash(self.seq);
            }
            assert!(self.open());
        }

        fn crash(&mut self, seed: u64) {
            self.disk = self.disk.crash(seed);
            assert!(self.open());
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Append(usize),
        Release(usize),
        Reopen,
        Crash(u64),
        Fail(u64, Fault),
        Fill(u64, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let fault = prop_oneof![Just(Fault::Once), Just(Fault::Dead), Just(Fault::PowerCut)];
        prop_oneof![
            8 => prop_oneof![0..200usize, 400..2500usize].prop_map(Step::Append),
            2 => (0..6usize).prop_map(Step::Release),
            1 => Just(Step::Reopen),
            1 => any::<u64>().prop_map(Step::Crash),
            2 => (1..12u64, fault).prop_map(|(delay, fault)| Step::Fail(delay, fault)),
            1 => (1..6u64, 1..6u64).prop_map(|(delay, count)| Step::Fill(delay, count)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn nothing_that_was_acknowledged_is_lost(
            seed in any::<u64>(),
            steps in prop::collection::vec(step(), 1..60),
        ) {
            let mut model = Model::new(seed);
            model.restart();
            for step in steps {
                let points = model.disk.points();
                let is_well = match step {
                    Step::Append(bytes) => model.append(bytes),
                    Step::Release(age) => model.release(age),
                    Step::Reopen => model.open(),
                    Step::Crash(seed) => {
                        model.crash(seed);
                        true
                    }
                    Step::Fail(delay, fault) => {
                        model.disk.fail_at(points + delay, fault);
                        true
                    }
                    Step::Fill(delay, count) => {
                        model.disk.fill_during(points + delay..points + delay + count);
                        true
                    }
                };
                if !is_well {
                    model.restart();
                }
            }
            model.restart();
            model.crash(seed);
        }
    }

    /// Rotates, releases, opens again, and rotates because of a release. Stops where the
    /// disk does.
    fn script(model: &mut Model) -> bool {
        model.open()
            && [900, 40, 700, 0, 600]
                .iter()
                .all(|bytes| model.append(*bytes))
            && model.release(2)
            && [2000, 10].iter().all(|bytes| model.append(*bytes))
            && model.open()
            && [300, 300, 300].iter().all(|bytes| model.append(*bytes))
            && model.release(0)
            && model.append(5)
            && model.release(1)
            && model.open()
            && model.append(1300)
            && model.append(1300)
    }

    #[test]
    fn every_single_operation_of_the_disk_may_fail() {
        let mut whole = Model::new(0);
        assert!(script(&mut whole));
        let points = whole.disk.points();
        let mut tried = 0;
        for point in 1..=points {
            for fault in [
                Some(Fault::Once),
                Some(Fault::Dead),
                Some(Fault::PowerCut),
                None,
            ] {
                for seed in 0..12 {
                    let mut model = Model::new(seed);
                    match fault {
                        Some(fault) => model.disk.fail_at(point, fault),
                        None => model.disk.fill_during(point..point + 2),
                    }
                    let is_well = script(&mut model);
                    assert!(!is_well || fault.is_none(), "point {point} was not reached");
                    tried += u64::from(!is_well);
                    // The process alone is killed, or the machine.
                    match seed % 2 {
                        0 => model.restart(),
                        _ => model.crash(seed),
                    }
                    // What was opened must be as safe as if nothing had happened.
                    assert!(model.append(100));
                    model.crash(seed);
                    assert!(script(&mut model));
                    model.crash(seed + 1);
                }
            }
        }
        assert!(points > 80, "{points} points");
        assert!(tried > 80 * 3 * 12, "{tried} failures");
    }
}
