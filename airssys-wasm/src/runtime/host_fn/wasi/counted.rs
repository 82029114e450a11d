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
use crate::runtime::folder_usage::{BLOCK_BYTES, FolderUsage, Reservation};

/// Has a stream into a file count what it writes.
pub(crate) fn count_output(
    table: &mut ResourceTable,
    stream: &Resource<DynOutputStream>,
    usage: &Arc<FolderUsage>,
) -> Result<(), ResourceTableError> {
    let place = table.get_mut(stream)?;
    let inner = replace(place, Box::new(ClosedOutputStream));
    *place = Box::new(Counted {
        inner,
        reserved: usage.nothing(),
        // Where there is no room for that, nothing is written.
        _begun: usage.take(BLOCK_BYTES),
        ahead: 0,
        is_full: false,
    });
    Ok(())
}

/// A stream into a file, counted in blocks.
struct Counted {
    inner: DynOutputStream,
    /// What is being written, and what is ahead.
    reserved: Reservation,
    /// It may begin in the middle of a block, and be there at any time.
    _begun: Option<Reservation>,
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

    fn write_down(&mut self, bytes: usize, counted: u64, room: Reservation) {
        self.ahead = (self.ahead + counted).saturating_sub(bytes as u64);
        self.reserved.join(room);
    }

    /// How much can be written as far as is known.
    fn room(&self) -> u64 {
        let room = self.reserved.usage().room();
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
        match self.reserved.usage().make_room(BLOCK_BYTES).await {
            Some(room) => self.write_down(0, BLOCK_BYTES, room),
            None => self.is_full = true,
        }
    }
}

#[async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let missing = self.missing(bytes.len());
        let room = self.reserved.usage().take(missing).ok_or_else(no_space)?;
        self.write_down(bytes.len(), missing, room);
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let permitted = self.inner.check_write()?;
        if permitted > 0 {
            // What was being written is.
            self.reserved.keep(self.ahead);
        }
        if replace(&mut self.is_full, false) {
            return Err(no_space());
        }
        // Who is told of none waits until it is ready, and is told then.
        let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
        Ok(permitted.min(room))
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        let missing = self.missing(bytes.len());
        let room = self.reserved.usage().make_room(missing).await;
        self.write_down(bytes.len(), missing, room.ok_or_else(no_space)?);
        let written = self.inner.blocking_write_and_flush(bytes).await;
        self.reserved.keep(self.ahead);
        written
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::folder_usage::FolderUsages;
    use std::time::{Duration, Instant};
    use tempfile::tempdir;
    use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

    /// Files are written on another thread, while their folder may be measured.
    #[tokio::test]
    async fn what_is_being_written_counts_when_the_folder_is_measured() {
        let folder = tempdir().unwrap();
        let usage = FolderUsages::default().of(folder.path(), 8 * BLOCK_BYTES);
        assert!(usage.make_room(0).await.is_some());
        let mut table = ResourceTable::new();
        let file: DynOutputStream = Box::new(MemoryOutputPipe::new(1 << 20));
        let stream = table.push(file).unwrap();
        count_output(&mut table, &stream, &usage).unwrap();
        let stream = table.get_mut(&stream).unwrap();
        stream.write(vec![1; 3 * 4_096].into()).unwrap();
        assert!(usage.make_room(5 * BLOCK_BYTES).await.is_none());
        assert!(stream.check_write().unwrap() > 0, "it is written");
        let began = Instant::now();
        while usage.make_room(7 * BLOCK_BYTES).await.is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "there is room");
        }
    }
}
