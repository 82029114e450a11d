//! The folder that a store keeps its files in, as the store sees it.

// Layer 1: Standard library imports
use std::fmt::Debug;
use std::io;

/// A folder of files. There are the real one, and one in tests that loses, tears and
/// refuses writes.
///
/// A file that was made, renamed or removed is so after a crash only once the folder was
/// [synced](Disk::sync).
pub trait Disk: Debug + Send + Sync + 'static {
    /// One open file.
    type File: DiskFile;

    /// Opens a file that exists.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read and written.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Makes an empty file, in place of one of this name if there is one.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// The names of all files, in order.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// When there is none, or the folder cannot be written.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Waits until files that were made, renamed and removed are so on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails. Nobody knows then what is on it.
    fn sync(&self) -> io::Result<()>;
}

/// An open file. Writes may reach the disk in any order, in parts, or not at all, until
/// the file was [synced](DiskFile::sync).
pub trait DiskFile: Debug + Send + Sync + 'static {
    /// Its length in bytes.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    fn len_bytes(&self) -> io::Result<u64>;

    /// Fills `buffer` with what is at `offset`.
    ///
    /// # Errors
    ///
    /// When there are not so many bytes, or the disk fails.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`; the file grows if it must.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails. Some of the bytes may be written then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or fills it up with zeros.
    ///
    /// # Errors
    ///
    /// When the disk is full or fails.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails. Nobody knows then what is on it, and trying again would not
    /// tell: the file must not be written any more.
    fn sync(&self) -> io::Result<()>;

    /// Whether the file is still where it was opened, and not removed or replaced.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    fn is_in_place(&self) -> io::Result<bool>;
}
