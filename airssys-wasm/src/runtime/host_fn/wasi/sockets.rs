//! `wasi:sockets`: connections to those who are granted.
//!
//! Whom a socket may reach is looked at when it connects, whenever it reads or writes, and
//! for each datagram. Nobody can connect to a guest: it may neither listen nor choose its
//! port.

// Layer 1: Standard library imports
use std::net::SocketAddr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use wasmtime::component::Resource;
use wasmtime::{Error as WasmtimeError, Result as WasmtimeResult};
use wasmtime_wasi::p2::bindings::sockets::network::{
    ErrorCode, HostNetwork, IpAddressFamily, IpSocketAddress, Network,
};
use wasmtime_wasi::p2::bindings::sockets::tcp::{Duration, Host, HostTcpSocket, ShutdownType};
use wasmtime_wasi::p2::bindings::sockets::{network, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, SocketError, SocketResult, TcpSocket, UdpSocket,
};
use wasmtime_wasi::sockets::WasiSocketsCtxView;

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::guarded::{Guard, guard_input, guard_output};
use crate::runtime::host_fn::wasi::open::has_room;
use crate::runtime::host_fn::wasi::peers::Peers;
use crate::runtime::host_fn::wasi::turn::Turn;

type Tcp = Resource<TcpSocket>;

/// What `wasi:sockets` works on. The work itself is wasmtime-wasi's, which asks [`Peers`].
pub(crate) struct SocketsView<'a> {
    pub(crate) inner: WasiSocketsCtxView<'a>,
    pub(crate) peers: &'a Arc<Peers>,
    pub(crate) turn: &'a Arc<Turn>,
}

impl SocketsView<'_> {
    fn check_room(&mut self) -> SocketResult<()> {
        match has_room(self.inner.table) {
            true => Ok(()),
            false => Err(ErrorCode::NewSocketLimit.into()),
        }
    }
}

impl network::Host for SocketsView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> WasmtimeResult<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<WasmtimeError>,
    ) -> WasmtimeResult<Option<ErrorCode>> {
        self.inner.network_error_code(error)
    }
}

impl HostNetwork for SocketsView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> WasmtimeResult<()> {
        HostNetwork::drop(&mut self.inner, network)
    }
}

impl tcp_create_socket::Host for SocketsView<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Tcp> {
        self.check_room()?;
        self.inner.create_tcp_socket(family)
    }
}

impl udp_create_socket::Host for SocketsView<'_> {
    async fn create_udp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> SocketResult<Resource<UdpSocket>> {
        self.check_room()?;
        self.inner.create_udp_socket(family).await
    }
}

impl Host for SocketsView<'_> {}

/// Functions that are wasmtime-wasi's as they are.
macro_rules! as_they_are {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self, socket: Tcp, $($argument: $type),*) -> $result {
            HostTcpSocket::$name(&mut self.inner, socket, $($argument),*)
        })*
    };
}

impl HostTcpSocket for SocketsView<'_> {
    async fn start_bind(
        &mut self,
        socket: Tcp,
        network: Resource<Network>,
        address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.inner.start_bind(socket, network, address).await
    }

    fn finish_connect(
        &mut self,
        socket: Tcp,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let connection = Resource::new_borrow(socket.rep());
        let (input, output) = self.inner.finish_connect(socket)?;
        let address: SocketAddr = self.inner.remote_address(connection)?.into();
        let guard = Guard::Peer {
            peers: Arc::clone(self.peers),
            address,
        };
        guard_input(self.inner.table, &input, guard.clone())?;
        guard_output(self.inner.table, &output, guard)?;
        Ok((input, output))
    }

    async fn start_listen(&mut self, socket: Tcp) -> SocketResult<()> {
        self.inner.start_listen(socket).await
    }

    fn accept(
        &mut self,
        _socket: Tcp,
    ) -> SocketResult<(Tcp, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        Err(ErrorCode::InvalidState.into())
    }

    as_they_are! {
        start_connect(network: Resource<Network>, address: IpSocketAddress) -> SocketResult<()>;
        finish_bind() -> SocketResult<()>;
        finish_listen() -> SocketResult<()>;
        local_address() -> SocketResult<IpSocketAddress>;
        remote_address() -> SocketResult<IpSocketAddress>;
        is_listening() -> WasmtimeResult<bool>;
        address_family() -> WasmtimeResult<IpAddressFamily>;
        set_listen_backlog_size(value: u64) -> SocketResult<()>;
        keep_alive_enabled() -> SocketResult<bool>;
        set_keep_alive_enabled(value: bool) -> SocketResult<()>;
        keep_alive_idle_time() -> SocketResult<Duration>;
        set_keep_alive_idle_time(value: Duration) -> SocketResult<()>;
        keep_alive_interval() -> SocketResult<Duration>;
        set_keep_alive_interval(value: Duration) -> SocketResult<()>;
        keep_alive_count() -> SocketResult<u32>;
        set_keep_alive_count(value: u32) -> SocketResult<()>;
        hop_limit() -> SocketResult<u8>;
        set_hop_limit(value: u8) -> SocketResult<()>;
        receive_buffer_size() -> SocketResult<u64>;
        set_receive_buffer_size(value: u64) -> SocketResult<()>;
        send_buffer_size() -> SocketResult<u64>;
        set_send_buffer_size(value: u64) -> SocketResult<()>;
        subscribe() -> WasmtimeResult<Resource<DynPollable>>;
        shutdown(how: ShutdownType) -> SocketResult<()>;
        drop() -> WasmtimeResult<()>;
    }
}
