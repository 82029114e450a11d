//! `wasi:filesystem`: the folders that were handed over, as far as they are granted.
//!
//! Whatever a guest opens lies in a folder that it was handed, and may be read for as long
//! as `read_files` is granted for that folder, and be changed for as long as `write_files`
//! is. That is looked at in each call that reads or changes something, so that files which are
//! open already stop working when a grant is taken back.
//!
//! What is written is written at once: it stays when the turn fails, and is done again when
//! the turn is tried again.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::Resource;
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::folder_usage::{BLOCK_BYTES, bytes_of_blocks};
use crate::runtime::host_fn::wasi::access::Access;
use crate::runtime::host_fn::wasi::counted::count_output;
use crate::runtime::host_fn::wasi::files_view::{Fd, FilesView};
use crate::runtime::host_fn::wasi::guarded::{guard_input, guard_output};
use crate::runtime::host_fn::wasi::listing::Listing;

impl preopens::Host for FilesView<'_> {
    /// The folders that the guest may read or write at this moment.
    fn get_directories(&mut self) -> WasmtimeResult<Vec<(Fd, String)>> {
        let mut shown = Vec::new();
        for folder in self.folders.all(&self.turn.settings).to_vec() {
            let may = |capability| self.turn.permit(capability, &folder.origin.path).is_ok();
            if !may(Capability::ReadFiles) && !may(Capability::WriteFiles) {
                continue;
            }
            let fd = self.inner.table.push(Descriptor::Dir(folder.directory))?;
            self.folders.opened(fd.rep(), Arc::clone(&folder.origin));
            shown.push((fd, folder.origin.path.clone()));
        }
        Ok(shown)
    }
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> WasmtimeResult<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<WasmtimeError>,
    ) -> WasmtimeResult<Option<ErrorCode>> {
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for FilesView<'_> {
    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.permit(&fd, Access::Read)?;
        self.check_handles()?;
        let guard = self.guard(&fd, Capability::ReadFiles)?;
        let stream = self.inner.read_via_stream(fd, offset)?;
        guard_input(self.inner.table, &stream, guard)?;
        Ok(stream)
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.permit(&fd, Access::Write)?;
        self.check_handles()?;
        let (guard, origin) = (self.guard(&fd, Capability::WriteFiles)?, self.origin(&fd)?);
        let stream = self.inner.write_via_stream(fd, offset)?;
        count_output(self.inner.table, &stream, &origin.usage)?;
        guard_output(self.inner.table, &stream, guard)?;
        Ok(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.permit(&fd, Access::Write)?;
        self.check_handles()?;
        let (guard, origin) = (self.guard(&fd, Capability::WriteFiles)?, self.origin(&fd)?);
        let stream = self.inner.append_via_stream(fd)?;
        count_output(self.inner.table, &stream, &origin.usage)?;
        guard_output(self.inner.table, &stream, guard)?;
        Ok(stream)
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let access = Access::of_opening(open_flags, flags);
        self.permit(&fd, access)?;
        self.check_handles()?;
        self.check_type(&fd, path_flags, &path).await?;
        let is_new = open_flags.contains(OpenFlags::CREATE);
        let bytes = if is_new { BLOCK_BYTES } else { 0 };
        // Who only reads need not know how much lies there.
        let _room = match access {
            Access::Read => None,
            Access::Write | Access::Both => Some(self.make_room(&fd, bytes).await?),
        };
        let origin = self.origin(&fd)?;
        let opened = self.inner.open_at(fd, path_flags, path, open_flags, flags);
        let opened = opened.await?;
        // Also one that is only read takes room once another one has removed it.
        if let Descriptor::File(file) = self.inner.table.get(&opened)? {
            origin.usage.opened(&file.file);
        }
        self.folders.opened(opened.rep(), origin);
        Ok(opened)
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        self.permit(&fd, Access::Read)?;
        self.check_handles()?;
        let directory = match self.inner.table.get(&fd)? {
            Descriptor::Dir(folder) => Arc::clone(&folder.dir),
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        let listing = Listing::of(directory, self.origin(&fd)?).await?;
        let listing = self.inner.table.push(listing)?;
        // Handles of this type are used by this file alone, which knows what is behind them.
        Ok(Resource::new_own(listing.rep()))
    }

    async fn rename_at(
        &mut self,
        fd: Fd,
        old_path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        self.permit(&new_fd, Access::Write)?;
        self.check_same_folder(&fd, &new_fd)?;
        self.inner.rename_at(fd, old_path, new_fd, new_path).await
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        old_flags: PathFlags,
        old_path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        // A link makes what is linked readable in the other folder.
        self.permit(&fd, Access::Both)?;
        self.permit(&new_fd, Access::Write)?;
        self.check_same_folder(&fd, &new_fd)?;
        let _room = self.make_room(&new_fd, BLOCK_BYTES).await?;
        let linked = self
            .inner
            .link_at(fd, old_flags, old_path, new_fd, new_path);
        linked.await
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> WasmtimeResult<bool> {
        self.inner.is_same_object(a, b).await
    }

    async fn advise(
        &mut self,
        fd: Fd,
        offset: Filesize,
        len: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.permit(&fd, Access::Read)?;
        self.inner.advise(fd, offset, len, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.inner.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.inner.sync(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.inner.get_type(fd).await
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        let now = self.inner.stat(Resource::new_borrow(fd.rep())).await?.size;
        let _room = self.make_room(&fd, size.saturating_sub(now)).await?;
        self.inner.set_size(fd, size).await
    }

    async fn set_times(
        &mut self,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        self.inner.set_times(fd, accessed, modified).await
    }

    async fn read(&mut self, fd: Fd, len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.permit(&fd, Access::Read)?;
        self.inner.read(fd, len, offset).await
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.permit(&fd, Access::Write)?;
        let blocks = bytes_of_blocks(offset, bytes.len() as u64);
        let _room = self.make_room(&fd, blocks).await?;
        self.inner.write(fd, bytes, offset).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        let _room = self.make_room(&fd, BLOCK_BYTES).await?;
        self.inner.create_directory_at(fd, path).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.permit(&fd, Access::Read)?;
        self.inner.stat(fd).await
    }

    async fn stat_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.permit(&fd, Access::Read)?;
        self.inner.stat_at(fd, path_flags, path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        let set = self
            .inner
            .set_times_at(fd, path_flags, path, accessed, modified);
        set.await
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.permit(&fd, Access::Read)?;
        self.inner.readlink_at(fd, path).await
    }

    async fn symlink_at(&mut self, fd: Fd, old_path: String, new_path: String) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        let _room = self.make_room(&fd, BLOCK_BYTES).await?;
        self.inner.symlink_at(fd, old_path, new_path).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        self.inner.remove_directory_at(fd, path).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.permit(&fd, Access::Write)?;
        self.inner.unlink_file_at(fd, path).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.permit(&fd, Access::Read)?;
        self.inner.metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.permit(&fd, Access::Read)?;
        self.inner.metadata_hash_at(fd, path_flags, path).await
    }

    fn drop(&mut self, fd: Fd) -> WasmtimeResult<()> {
        self.folders.closed(fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let listing = self.inner.table.get_mut(&listing_behind(&stream))?;
        let permitted = self
            .turn
            .permit(Capability::ReadFiles, &listing.origin.path);
        permitted.map_err(|_denied| ErrorCode::Access)?;
        listing.next().await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> WasmtimeResult<()> {
        let listing = Resource::<Listing>::new_own(stream.rep());
        self.inner.table.delete(listing)?;
        Ok(())
    }
}

fn listing_behind(stream: &Resource<DirectoryEntryStream>) -> Resource<Listing> {
    Resource::new_borrow(stream.rep())
}
