//! What lies in a folder, read a little at a time.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::ffi::CStr;
use std::fs::File;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use rustix::fs::{AtFlags, Dir, DirEntry, FileType, statat};
use rustix::io::Errno;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};
use wasmtime_wasi::runtime::spawn_blocking;

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::folders::Origin;

/// How many entries are read at once. A folder may have any number of them, and the host
/// keeps no more than these for a guest that lists it.
const PAGE: usize = 256;

/// A folder that is being listed.
pub(crate) struct Listing {
    /// The folder that was handed over, which it is or lies in.
    pub(crate) origin: Arc<Origin>,
    /// What is left to read. Nothing at the end.
    rest: Option<Dir>,
    read: VecDeque<Result<DirectoryEntry, ErrorCode>>,
}

impl Listing {
    /// Begins to list a folder.
    pub(crate) async fn of(directory: Arc<File>, origin: Arc<Origin>) -> FsResult<Self> {
        let opened = spawn_blocking(move || Dir::read_from(&*directory)).await;
        Ok(Self {
            origin,
            rest: Some(opened.map_err(code)?),
            read: VecDeque::new(),
        })
    }

    /// The next entry.
    pub(crate) async fn next(&mut self) -> FsResult<Option<DirectoryEntry>> {
        if self.read.is_empty()
            && let Some(rest) = self.rest.take()
        {
            (self.read, self.rest) = spawn_blocking(move || read_page(rest)).await;
        }
        Ok(self.read.pop_front().transpose()?)
    }
}

fn read_page(mut rest: Dir) -> (VecDeque<Result<DirectoryEntry, ErrorCode>>, Option<Dir>) {
    let mut page = VecDeque::with_capacity(PAGE);
    while page.len() < PAGE {
        match rest.read() {
            None => return (page, None),
            Some(Err(error)) => {
                page.push_back(Err(code(error)));
                return (page, None);
            }
            Some(Ok(entry)) if is_dots(entry.file_name()) => {}
            Some(Ok(entry)) => page.push_back(describe(&rest, &entry)),
        }
    }
    (page, Some(rest))
}

fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

fn describe(folder: &Dir, entry: &DirEntry) -> Result<DirectoryEntry, ErrorCode> {
    let name = entry.file_name().to_str();
    let name = name.map_err(|_| ErrorCode::IllegalByteSequence)?.to_owned();
    let file_type = match entry.file_type() {
        // Not every file system tells types in its folders.
        FileType::Unknown => folder
            .fd()
            .and_then(|fd| statat(fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW))
            .map_or(FileType::Unknown, |stat| {
                FileType::from_raw_mode(stat.st_mode)
            }),
        known => known,
    };
    Ok(DirectoryEntry {
        type_: descriptor_type(file_type),
        name,
    })
}

fn descriptor_type(file_type: FileType) -> DescriptorType {
    match file_type {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

fn code(error: Errno) -> ErrorCode {
    std::io::Error::from(error).into()
}
