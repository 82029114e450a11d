//! Streams that work for as long as what they are of is granted.

// Layer 1: Standard library imports
use std::io;
use std::mem::replace;
use std::net::SocketAddr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use rustix::io::Errno;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::host_fn::wasi::folders::Origin;
use crate::runtime::host_fn::wasi::peers::Peers;
use crate::runtime::host_fn::wasi::turn::Turn;

/// What has to be granted at each use.
#[derive(Clone)]
pub(crate) enum Guard {
    /// A folder, to be read or written.
    Folder {
        turn: Arc<Turn>,
        capability: Capability,
        origin: Arc<Origin>,
    },
    /// The other end of a connection.
    Peer {
        peers: Arc<Peers>,
        address: SocketAddr,
    },
}

impl Guard {
    /// What the guest is told at the next use, if it is not granted any more.
    fn check(&self) -> StreamResult<()> {
        let is_permitted = match self {
            Self::Folder {
                turn,
                capability,
                origin,
            } => turn.permit(*capability, &origin.path).is_ok(),
            Self::Peer { peers, address } => peers.may_reach(*address),
        };
        if is_permitted {
            return Ok(());
        }
        let error = io::Error::from(Errno::ACCESS);
        Err(StreamError::LastOperationFailed(error.into()))
    }
}

/// Puts a guard over a stream to read from.
pub(crate) fn guard_input(
    table: &mut ResourceTable,
    stream: &Resource<DynInputStream>,
    guard: Guard,
) -> Result<(), ResourceTableError> {
    let place = table.get_mut(stream)?;
    let inner = replace(place, Box::new(ClosedInputStream));
    *place = Box::new(Guarded { inner, guard });
    Ok(())
}

/// Puts a guard over a stream to write to.
pub(crate) fn guard_output(
    table: &mut ResourceTable,
    stream: &Resource<DynOutputStream>,
    guard: Guard,
) -> Result<(), ResourceTableError> {
    let place = table.get_mut(stream)?;
    let inner = replace(place, Box::new(ClosedOutputStream));
    *place = Box::new(Guarded { inner, guard });
    Ok(())
}

/// A stream with a guard over it.
struct Guarded<S> {
    inner: S,
    guard: Guard,
}

#[async_trait]
impl<S: Pollable> Pollable for Guarded<S> {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl InputStream for Guarded<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.guard.check()?;
        self.inner.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.guard.check()?;
        self.inner.blocking_read(size).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl OutputStream for Guarded<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.guard.check()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.guard.check()?;
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.guard.check()?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
