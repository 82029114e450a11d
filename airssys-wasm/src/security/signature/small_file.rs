//! Reading files of which no good one is large.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

// Layer 2: Third-party crate imports
use zeroize::Zeroizing;

/// A file that is open, and what is in it. The memory is wiped when it is dropped.
pub(crate) struct SmallFile {
    pub(crate) file: File,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl SmallFile {
    /// Reads a file, and of one that is too large one byte more than it may have, so that it
    /// shows.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is a folder, a device or a pipe, which might never end.
    pub(crate) fn read(path: &Path, max_bytes: usize) -> io::Result<Self> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "this is no regular file",
            ));
        }
        let mut file = File::open(path)?;
        // With room for all of it: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(vec![0; max_bytes + 1]);
        let mut length = 0;
        loop {
            match file.read(&mut bytes[length..]) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(length);
        Ok(Self { file, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_large_file_just_so_much_is_read_that_it_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (length, expected) in [(0, 0), (7, 7), (8, 8), (9, 9), (10_000, 9)] {
            fs::write(&path, vec![b'x'; length]).unwrap();
            assert_eq!(SmallFile::read(&path, 8).unwrap().bytes.len(), expected);
        }
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SmallFile::read(folder.path(), 8).is_err());
        assert!(SmallFile::read(Path::new("/dev/zero"), 8).is_err());
        let missing = SmallFile::read(&folder.path().join("a"), 8).err().unwrap();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
