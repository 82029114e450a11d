//! A folder of the file system that is looked at and never changed.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::iter;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 3: Internal module imports
use crate::storage::disk::disk::{Disk, DiskFile};

/// What is written is kept in pieces of so many bytes.
const PAGE_BYTES: u64 = 4096;

/// The most bytes that are kept of what is written to one file: 1 GiB.
const MAX_WRITTEN_BYTES: u64 = 1 << 30;

/// A folder of the file system as it is, with what is written laid over it in memory. The
/// folder itself stays as it was, and may be one that cannot be written.
#[derive(Debug)]
pub(crate) struct Overlaid {
    path: PathBuf,
    /// Files that were opened, and names of those that were removed.
    files: Mutex<BTreeMap<String, Option<OverlaidFile>>>,
}

/// An open file of an [`Overlaid`] folder.
#[derive(Debug, Clone)]
pub(crate) struct OverlaidFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Nothing, if it was made here.
    file: Option<File>,
    layer: Mutex<Layer>,
}

/// What was written to a file.
#[derive(Debug, Default)]
struct Layer {
    bytes: u64,
    /// So much of the file below counts, where no page is.
    below_bytes: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES as usize]>>,
}

impl Overlaid {
    /// Looks at a folder. It is not read before a file of it is opened.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            files: Mutex::default(),
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Option<OverlaidFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Overlaid {
    type File = OverlaidFile;

    fn open(&self, name: &str) -> io::Result<OverlaidFile> {
        let mut files = self.files();
        match files.get(name) {
            Some(Some(file)) => return Ok(file.clone()),
            Some(None) => return Err(ErrorKind::NotFound.into()),
            None => {}
        }
        let file = OverlaidFile::over(File::open(self.path.join(name))?)?;
        files.insert(name.to_owned(), Some(file.clone()));
        Ok(file)
    }

    fn create(&self, name: &str) -> io::Result<OverlaidFile> {
        let file = OverlaidFile::empty();
        self.files().insert(name.to_owned(), Some(file.clone()));
        Ok(file)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let (true, Ok(name)) = (
                entry.file_type()?.is_file(),
                entry.file_name().into_string(),
            ) {
                names.insert(name, true);
            }
        }
        let files = self.files();
        names.extend(
            files
                .iter()
                .map(|(name, file)| (name.clone(), file.is_some())),
        );
        let there = names.into_iter().filter(|(_, is_there)| *is_there);
        Ok(there.map(|(name, _)| name).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.open(name)?;
        self.files().insert(name.to_owned(), None);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl OverlaidFile {
    fn empty() -> Self {
        Self(Arc::new(Inner {
            file: None,
            layer: Mutex::default(),
        }))
    }

    fn over(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let layer = Layer {
            bytes,
            below_bytes: bytes,
            ..Layer::default()
        };
        Ok(Self(Arc::new(Inner {
            file: Some(file),
            layer: Mutex::new(layer),
        })))
    }

    fn layer(&self) -> MutexGuard<'_, Layer> {
        self.0.layer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the file below, and zeros behind what counts of it.
    fn read_below(&self, layer: &Layer, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let there = layer.below_bytes.saturating_sub(offset);
        let there = usize::try_from(there)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let (read, zeros) = buffer.split_at_mut(there);
        zeros.fill(0);
        match &self.0.file {
            Some(file) if !read.is_empty() => file.read_exact_at(read, offset),
            _ => Ok(()),
        }
    }
}

/// The parts of a range that lie in one page each: the page, where in it the part begins,
/// and the part.
fn parts(offset: u64, bytes: usize) -> impl Iterator<Item = (u64, usize, Range<usize>)> {
    let mut done = 0;
    iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PAGE_BYTES) as usize;
        let count = (bytes - done).min(PAGE_BYTES as usize - within);
        let part = done..done + count;
        done += count;
        (count > 0).then_some((at / PAGE_BYTES, within, part))
    })
}

impl DiskFile for OverlaidFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.layer().bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let layer = self.layer();
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > layer.bytes) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if layer.pages.is_empty() {
            return self.read_below(&layer, offset, buffer);
        }
        for (page, within, part) in parts(offset, buffer.len()) {
            let part = &mut buffer[part];
            match layer.pages.get(&page) {
                Some(bytes) => part.copy_from_slice(&bytes[within..within + part.len()]),
                None => self.read_below(&layer, page * PAGE_BYTES + within as u64, part)?,
            }
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut layer = self.layer();
        for (page, within, part) in parts(offset, bytes.len()) {
            if !layer.pages.contains_key(&page) {
                if layer.pages.len() as u64 * PAGE_BYTES >= MAX_WRITTEN_BYTES {
                    return Err(ErrorKind::OutOfMemory.into());
                }
                let mut below = Box::new([0; PAGE_BYTES as usize]);
                self.read_below(&layer, page * PAGE_BYTES, below.as_mut_slice())?;
                layer.pages.insert(page, below);
            }
            if let Some(there) = layer.pages.get_mut(&page) {
                there[within..within + part.len()].copy_from_slice(&bytes[part]);
            }
        }
        layer.bytes = layer.bytes.max(offset + bytes.len() as u64);
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut layer = self.layer();
        layer.below_bytes = layer.below_bytes.min(bytes);
        layer.bytes = bytes;
        // What is cut off is zero when the file gets longer again.
        drop(layer.pages.split_off(&bytes.div_ceil(PAGE_BYTES)));
        let within = (bytes % PAGE_BYTES) as usize;
        if let Some(last) = layer.pages.get_mut(&(bytes / PAGE_BYTES)) {
            last[within..].fill(0);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::folder::Folder;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
        Read(u64, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = || prop_oneof![0..200_u64, 4_000..4_200_u64, 0..20_000_u64];
        let bytes = prop::collection::vec(1..=255_u8, 0..9_000);
        prop_oneof![
            (place(), bytes).prop_map(|(at, bytes)| Step::Write(at, bytes)),
            place().prop_map(Step::SetLen),
            (place(), 0..9_000_usize).prop_map(|(at, bytes)| Step::Read(at, bytes)),
        ]
    }

    proptest! {
        #[test]
        fn it_is_like_the_folder_and_leaves_that_alone(
            first in prop::collection::vec(any::<u8>(), 0..10_000),
            steps in prop::collection::vec(step(), 0..12),
        ) {
            let (seen, changed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            for folder in [&seen, &changed] {
                fs::write(folder.path().join("file"), &first).unwrap();
            }
            let (model, disk) = (Folder::open(changed.path()).unwrap(), Overlaid::new(seen.path()));
            let (real, file) = (model.open("file").unwrap(), disk.open("file").unwrap());
            for step in steps {
                match step {
                    Step::Write(at, bytes) if !bytes.is_empty() => {
                        real.write_at(at, &bytes).unwrap();
                        file.write_at(at, &bytes).unwrap();
                    }
                    Step::Write(..) => {}
                    Step::SetLen(bytes) => {
                        real.set_len(bytes).unwrap();
                        file.set_len(bytes).unwrap();
                    }
                    Step::Read(at, bytes) => {
                        let (mut expected, mut found) = (vec![0; bytes], vec![0; bytes]);
                        let read = real.read_at(at, &mut expected).is_ok();
                        // Nothing at all is read anywhere.
                        if bytes > 0 {
                            prop_assert_eq!(file.read_at(at, &mut found).is_ok(), read);
                        }
                        if read {
                            prop_assert!(found == expected);
                        }
                    }
                }
                prop_assert_eq!(file.len_bytes().unwrap(), real.len_bytes().unwrap());
            }
            prop_assert!(fs::read(seen.path().join("file")).unwrap() == first);
        }
    }

    #[test]
    fn files_are_made_and_removed_in_memory_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one"), "1").unwrap();
        let disk = Overlaid::new(folder.path());
        disk.create("two").unwrap().write_at(0, b"22").unwrap();
        assert_eq!(disk.names().unwrap(), ["one", "two"]);
        assert_eq!(disk.open("two").unwrap().len_bytes().unwrap(), 2);
        disk.remove("one").unwrap();
        assert_eq!(disk.names().unwrap(), ["two"]);
        let gone = disk.open("one").unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        assert_eq!(
            disk.remove("three").unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
