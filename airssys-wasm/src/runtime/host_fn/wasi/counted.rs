//! Streams into files, which write no more than their folder has room for.

// Layer 1: Standard library imports
use std::io;
use std::mem::replace;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use rustix::io::Errno;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::pipe::ClosedOutputStream;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

// Layer 3: Internal module imports
use crate::runtime::folder_usage::{BLOCK_BYTES, FolderUsage};

/// Has a stream into a file count what it writes.
pub(crate) fn count_output(
    table: &mut ResourceTable,
    stream: &Resource<DynOutputStream>,
    usage: &Arc<FolderUsage>,
) -> Result<(), ResourceTableError> {
    let place = table.get_mut(stream)?;
    let inner = replace(place, Box::new(ClosedOutputStream));
    // It may begin in the middle of a block. Where there is no room for that, nothing is written.
    let _counted = usage.take(BLOCK_BYTES);
    *place = Box::new(Counted {
        inner,
        usage: Arc::clone(usage),
        ahead: 0,
        is_full: false,
    });
    Ok(())
}

/// A stream into a file, counted in blocks.
struct Counted {
    inner: DynOutputStream,
    usage: Arc<FolderUsage>,
    /// What was counted and is not written yet.
    ahead: u64,
    /// Whether the folder was measured and found full.
    is_full: bool,
}

impl Counted {
    /// What has to be counted before so much is written.
    fn missing(&self, bytes: usize) -> u64 {
        let missing = (bytes as u64).saturating_sub(self.ahead);
        missing.next_multiple_of(BLOCK_BYTES)
    }

    fn write_down(&mut self, bytes: usize, counted: u64) {
        self.ahead = (self.ahead + counted).saturating_sub(bytes as u64);
    }

    /// How much can be written as far as is known.
    fn room(&self) -> u64 {
        let room = self.usage.room();
        self.ahead.saturating_add(room - room % BLOCK_BYTES)
    }
}

fn no_space() -> StreamError {
    StreamError::LastOperationFailed(io::Error::from(Errno::NOSPC).into())
}

#[async_trait]
impl Pollable for Counted {
    /// When something can be written, or it is known that nothing can.
    async fn ready(&mut self) {
        self.inner.ready().await;
        if self.room() > 0 {
            return;
        }
        self.is_full = !self.usage.make_room(BLOCK_BYTES).await;
        if !self.is_full {
            self.ahead += BLOCK_BYTES;
        }
    }
}

#[async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let missing = self.missing(bytes.len());
        if !self.usage.take(missing) {
            return Err(no_space());
        }
        self.write_down(bytes.len(), missing);
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let permitted = self.inner.check_write()?;
        if replace(&mut self.is_full, false) {
            return Err(no_space());
        }
        // Who is told of none waits until it is ready, and is told then.
        let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
        Ok(permitted.min(room))
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        let missing = self.missing(bytes.len());
        if !self.usage.make_room(missing).await {
            return Err(no_space());
        }
        self.write_down(bytes.len(), missing);
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
