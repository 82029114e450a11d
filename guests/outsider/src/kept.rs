//! What the guest keeps open from one message to the next.

use std::cell::RefCell;

use crate::bindings::wasi::filesystem::types::Descriptor;
use crate::bindings::wasi::http::types::FutureTrailers;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::bindings::wasi::sockets::tcp::TcpSocket;

/// A file with streams of it, where it could be opened so.
pub(crate) struct File {
    pub(crate) input: Option<InputStream>,
    pub(crate) output: Option<OutputStream>,
    pub(crate) descriptor: Descriptor,
}

/// A connection. Its fields are dropped in this order, the streams first.
pub(crate) struct Connection {
    pub(crate) input: InputStream,
    pub(crate) output: OutputStream,
    pub(crate) _socket: TcpSocket,
}

thread_local! {
    pub(crate) static FILES: RefCell<Vec<File>> = const { RefCell::new(Vec::new()) };
    pub(crate) static CONNECTIONS: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
    pub(crate) static TRAILERS: RefCell<Vec<FutureTrailers>> = const { RefCell::new(Vec::new()) };
    pub(crate) static SOCKETS: RefCell<Vec<TcpSocket>> = const { RefCell::new(Vec::new()) };
}
