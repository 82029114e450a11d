//! One file of a disk that loses what was not synced.

// Layer 1: Standard library imports
use std::collections::BTreeMap;

// Layer 2: Third-party crate imports
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// What a disk writes wholly or not at all.
const SECTOR_BYTES: usize = 512;

/// One file: what the machine sees of it, and what the platters may hold.
#[derive(Debug, Default)]
pub(super) struct Inode {
    /// What the machine sees.
    cache: Vec<u8>,
    /// What the platters hold.
    durable: Vec<u8>,
    /// The lengths that the file has had since it was synced.
    lengths: Vec<usize>,
    /// What each sector has held since it was synced. Any of it may be on the platters,
    /// whatever is there of other sectors.
    sectors: BTreeMap<usize, Vec<Version>>,
}

/// One state of a sector.
#[derive(Debug)]
struct Version {
    bytes: [u8; SECTOR_BYTES],
    /// How many lengths were pending then: those that follow cut it.
    lengths: usize,
}

impl Inode {
    /// A file that holds this durably.
    pub(super) fn holding(contents: Vec<u8>) -> Self {
        Self {
            cache: contents.clone(),
            durable: contents,
            ..Self::default()
        }
    }

    /// What the machine sees.
    pub(super) fn contents(&self) -> &[u8] {
        &self.cache
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.cache.len() {
            self.cache.resize(end, 0);
            self.lengths.push(end);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            self.touch(sector);
        }
    }

    /// Notes what a sector holds now.
    fn touch(&mut self, sector: usize) {
        let start = sector * SECTOR_BYTES;
        let end = self.cache.len().min(start + SECTOR_BYTES);
        let mut bytes = [0; SECTOR_BYTES];
        bytes[..end - start].copy_from_slice(&self.cache[start..end]);
        let lengths = self.lengths.len();
        let versions = self.sectors.entry(sector).or_default();
        versions.push(Version { bytes, lengths });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.cache.resize(len, 0);
        self.lengths.push(len);
    }

    /// What is on the platters if so many lengths, and so many versions of each sector,
    /// are there as `pick` says, who is told how many there are.
    pub(super) fn settle(&self, mut pick: impl FnMut(usize) -> usize) -> Vec<u8> {
        let lengths = &self.lengths[..pick(self.lengths.len())];
        let mut found = self.durable.clone();
        for &len in lengths {
            found.resize(len, 0);
        }
        for (sector, versions) in &self.sectors {
            let start = sector * SECTOR_BYTES;
            let Some(version) = pick(versions.len()).checked_sub(1).map(|i| &versions[i]) else {
                continue;
            };
            let mut bytes = version.bytes;
            for &len in lengths.iter().skip(version.lengths) {
                bytes[len.saturating_sub(start).min(SECTOR_BYTES)..].fill(0);
            }
            let end = found.len().min(start + SECTOR_BYTES);
            if start < end {
                found[start..end].copy_from_slice(&bytes[..end - start]);
            }
        }
        found
    }

    pub(super) fn sync(&mut self) {
        if !self.lengths.is_empty() || !self.sectors.is_empty() {
            self.durable = self.settle(|versions| versions);
            self.lengths.clear();
            self.sectors.clear();
        }
    }

    /// A sync that fails. Linux may take what it could not write for written: the machine
    /// goes on seeing it, and no later sync writes it. Lengths go through the journal of
    /// the file system, which loses none and goes on.
    pub(super) fn lose_some(&mut self, rng: &mut ChaCha8Rng) {
        self.sectors.retain(|_, _| rng.random());
    }
}
