//! The folders that an instance was handed.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use rustix::fs::{Mode, OFlags, open};
use wasmtime_wasi::filesystem::Dir;
use wasmtime_wasi::{FsPerms, OpenMode};

// Layer 3: Internal module imports
use crate::runtime::folder_usage::{FolderUsage, FolderUsages};
use crate::runtime::settings::InstanceSettings;

/// The folders that an instance was handed, and which of them each of its open files and
/// folders came from.
pub(crate) struct Folders {
    /// Opened when they are first asked for, and open then for as long as the instance is
    /// there: what lies behind a path may change, what was opened does not.
    opened: Option<Vec<Folder>>,
    /// By handle.
    origins: HashMap<u32, Arc<Origin>>,
    usages: Arc<FolderUsages>,
}

/// A folder that was handed over.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) origin: Arc<Origin>,
    pub(crate) directory: Dir,
}

/// Where something lies: the folder that was handed over, as all that is opened in it knows it.
pub(crate) struct Origin {
    /// Where the guest sees it.
    pub(crate) path: String,
    pub(crate) usage: Arc<FolderUsage>,
}

impl Folders {
    pub(crate) fn new(usages: &Arc<FolderUsages>) -> Self {
        Self {
            opened: None,
            origins: HashMap::new(),
            usages: Arc::clone(usages),
        }
    }

    /// All of them. One that cannot be opened is left out, and the operator is told.
    pub(crate) fn all(&mut self, settings: &InstanceSettings) -> &[Folder] {
        self.opened.get_or_insert_with(|| {
            let folders = settings.provisions.folders.iter();
            folders
                .filter_map(|(path, host)| match open_folder(host) {
                    Ok(directory) => {
                        let usage = self.usages.of(host, settings.limits.folder_bytes);
                        let path = path.clone();
                        let origin = Arc::new(Origin { path, usage });
                        Some(Folder { origin, directory })
                    }
                    Err(error) => {
                        let (actor, host) = (settings.address.as_str(), host.display());
                        tracing::warn!(actor, "the folder {host} is not there: {error}");
                        None
                    }
                })
                .collect()
        })
    }

    /// Where an open file or folder came from.
    pub(crate) fn origin(&self, handle: u32) -> Option<&Arc<Origin>> {
        self.origins.get(&handle)
    }

    /// Something was opened in a folder.
    pub(crate) fn opened(&mut self, handle: u32, origin: Arc<Origin>) {
        self.origins.insert(handle, origin);
    }

    /// Something was closed.
    pub(crate) fn closed(&mut self, handle: u32) {
        self.origins.remove(&handle);
    }
}

fn open_folder(path: &Path) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = open(path, flags, Mode::empty())?.into();
    let mode = OpenMode::READ | OpenMode::WRITE;
    // What may be done to it is said anew at each use.
    Ok(Dir::new(opened, FsPerms::ReadOnly, mode, false))
}
