//! What every call of `wasi:filesystem` looks at before it does anything.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::Resource;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorType, ErrorCode, HostDescriptor, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::folder_usage::Reservation;
use crate::runtime::host_fn::wasi::access::Access;
use crate::runtime::host_fn::wasi::folders::{Folders, Origin};
use crate::runtime::host_fn::wasi::guarded::Guard;
use crate::runtime::host_fn::wasi::open::has_room;
use crate::runtime::host_fn::wasi::turn::Turn;

pub(crate) type Fd = Resource<Descriptor>;

/// What `wasi:filesystem` works on. The work itself is wasmtime-wasi's; this asks first
/// whether it is permitted.
pub(crate) struct FilesView<'a> {
    pub(crate) inner: WasiFilesystemCtxView<'a>,
    pub(crate) folders: &'a mut Folders,
    pub(crate) turn: &'a Arc<Turn>,
}

impl FilesView<'_> {
    /// Refuses a call that is not permitted, and tells wasmtime-wasi which sort of call is,
    /// so that it refuses any other.
    pub(crate) fn permit(&mut self, fd: &Fd, access: Access) -> FsResult<()> {
        let origin = self.origin(fd)?;
        let ask = |capability| {
            let permitted = self.turn.permit(capability, &origin.path);
            permitted.map_err(|_denied| FsError::from(ErrorCode::Access))
        };
        if matches!(access, Access::Read | Access::Both) {
            ask(Capability::ReadFiles)?;
        }
        if matches!(access, Access::Write | Access::Both) {
            ask(Capability::WriteFiles)?;
        }
        let permitted = match access {
            Access::Read => FsPerms::ReadOnly,
            Access::Write | Access::Both => FsPerms::ReadWrite,
        };
        match self.inner.table.get_mut(fd)? {
            Descriptor::File(file) => file.perms = permitted,
            Descriptor::Dir(folder) => folder.perms = permitted,
        }
        Ok(())
    }

    /// The folder that something lies in.
    pub(crate) fn origin(&self, fd: &Fd) -> FsResult<Arc<Origin>> {
        let origin = self.folders.origin(fd.rep()).cloned();
        Ok(origin.ok_or(ErrorCode::BadDescriptor)?)
    }

    pub(crate) fn guard(&self, fd: &Fd, capability: Capability) -> FsResult<Guard> {
        Ok(Guard::Folder {
            turn: Arc::clone(self.turn),
            capability,
            origin: self.origin(fd)?,
        })
    }

    /// Refuses what the folder has no room for. What is returned is kept until it is written.
    pub(crate) async fn make_room(&mut self, fd: &Fd, bytes: u64) -> FsResult<Reservation> {
        let room = self.origin(fd)?.usage.make_room(bytes).await;
        Ok(room.ok_or(ErrorCode::InsufficientSpace)?)
    }

    /// Refuses to move something from one folder to another, each of which has its own room.
    pub(crate) fn check_same_folder(&self, one: &Fd, other: &Fd) -> FsResult<()> {
        match Arc::ptr_eq(&self.origin(one)?, &self.origin(other)?) {
            true => Ok(()),
            false => Err(ErrorCode::CrossDevice.into()),
        }
    }

    /// Refuses what is neither file nor folder: a pipe that nobody writes to would hold up
    /// a thread of the host, and a device is no part of a folder.
    pub(crate) async fn check_type(
        &mut self,
        fd: &Fd,
        flags: PathFlags,
        path: &str,
    ) -> FsResult<()> {
        let fd = Resource::new_borrow(fd.rep());
        match self.inner.stat_at(fd, flags, path.to_owned()).await {
            Ok(stat) => match stat.type_ {
                DescriptorType::RegularFile
                | DescriptorType::Directory
                | DescriptorType::SymbolicLink => Ok(()),
                _ => Err(ErrorCode::Unsupported.into()),
            },
            // Whoever opens it is told why it cannot be.
            Err(_) => Ok(()),
        }
    }

    /// Refuses to open more than a guest may hold.
    pub(crate) fn check_handles(&mut self) -> FsResult<()> {
        match has_room(self.inner.table) {
            true => Ok(()),
            false => Err(ErrorCode::InsufficientMemory.into()),
        }
    }
}
