//! How much of what the system counts an instance may hold open.

// Layer 1: Standard library imports
use std::any::Any;

// Layer 2: Third-party crate imports
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, TcpSocket, UdpSocket};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostIncomingResponse};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::listing::Listing;
use crate::runtime::host_fn::wasi::lookup::Lookup;

/// The most files, folders, sockets, requests, and streams of these, that an instance holds
/// at once. A process has often no more than 1 024 descriptors for all that it does.
pub(crate) const MAX_OPEN: usize = 128;

/// Whether one more may be opened. Costs a look at each handle of the instance, which is
/// little beside what is opened.
pub(crate) fn has_room(table: &mut ResourceTable) -> bool {
    table.iter_mut().filter(|entry| is_open(&**entry)).count() < MAX_OPEN
}

fn is_open(entry: &(dyn Any + Send)) -> bool {
    entry.is::<Descriptor>()
        || entry.is::<Listing>()
        || entry.is::<Lookup>()
        || entry.is::<TcpSocket>()
        || entry.is::<UdpSocket>()
        || entry.is::<DynInputStream>()
        || entry.is::<DynOutputStream>()
        || entry.is::<HostFutureIncomingResponse>()
        || entry.is::<HostIncomingResponse>()
        || entry.is::<HostIncomingBody>()
        || entry.is::<HostFutureTrailers>()
        || entry.is::<HostOutgoingBody>()
}
