//! `wasi:sockets`.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use crate::bindings::wasi::io::streams::StreamError;
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::bindings::wasi::sockets::tcp::{ShutdownType, TcpSocket};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::bindings::wasi::sockets::udp::OutgoingDatagram;
use crate::bindings::wasi::sockets::udp_create_socket::create_udp_socket;
use crate::kept::{CONNECTIONS, Connection, SOCKETS};
use crate::streams::{read_all, text, why, write_all};
use crate::{Outcome, name};

fn stream_error(error: StreamError) -> String {
    why(error, |error| Some(error.to_debug_string()))
}

pub(crate) fn lookup(host: &str) -> Outcome {
    let addresses = resolve(host)?;
    let texts = addresses.iter().map(IpAddr::to_string);
    Ok(texts.collect())
}

fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    let stream = resolve_addresses(&instance_network(), host).map_err(name)?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(from_wasi(address)),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => stream.subscribe().block(),
            Err(error) => return Err(name(error)),
        }
    }
}

/// An address and a port, or a name and a port: then one of its addresses.
fn parse(to: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = to.parse() {
        return Ok(address);
    }
    let (host, port) = to.rsplit_once(':').ok_or("no-port")?;
    let port = port.parse().map_err(|_| "no-port")?;
    let addresses = resolve(host)?;
    let address = addresses.first().ok_or("no-address")?;
    Ok(SocketAddr::new(*address, port))
}

fn connect(to: &str) -> Result<Connection, String> {
    let address = parse(to)?;
    let socket = create_tcp_socket(family(address)).map_err(name)?;
    let started = socket.start_connect(&instance_network(), to_wasi(address));
    started.map_err(name)?;
    let (input, output) = loop {
        match socket.finish_connect() {
            Ok(streams) => break streams,
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(name(error)),
        }
    };
    Ok(Connection {
        input,
        output,
        _socket: socket,
    })
}

pub(crate) fn exchange(to: &str, content: &str, count: u64) -> Outcome {
    let connection = connect(to)?;
    for _ in 0..count.max(1) {
        write_all(&connection.output, content.as_bytes()).map_err(stream_error)?;
    }
    let ended = connection._socket.shutdown(ShutdownType::Send);
    ended.map_err(name)?;
    let answer = read_all(&connection.input).map_err(stream_error)?;
    Ok(text(&answer).into())
}

pub(crate) fn hold(to: &str) -> Outcome {
    let connection = connect(to)?;
    CONNECTIONS.with_borrow_mut(|all| all.push(connection));
    Ok(Value::Null)
}

pub(crate) fn talk(content: &str) -> Outcome {
    CONNECTIONS.with_borrow(|all| {
        let connection = all.last().ok_or("no-connection")?;
        write_all(&connection.output, content.as_bytes()).map_err(stream_error)?;
        let answer = connection
            .input
            .blocking_read(1_000)
            .map_err(stream_error)?;
        Ok(text(&answer).into())
    })
}

pub(crate) fn listen(at: &str) -> Outcome {
    let address = parse(at)?;
    let socket = create_tcp_socket(family(address)).map_err(name)?;
    let bound = socket.start_bind(&instance_network(), to_wasi(address));
    bound.and_then(|()| socket.finish_bind()).map_err(name)?;
    let listening = socket.start_listen().and_then(|()| socket.finish_listen());
    listening.map_err(name)?;
    Ok(Value::Null)
}

pub(crate) fn datagram(to: &str, content: &str) -> Outcome {
    let address = parse(to)?;
    let socket = create_udp_socket(family(address)).map_err(name)?;
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let bound = socket.start_bind(&instance_network(), to_wasi(any));
    bound.and_then(|()| socket.finish_bind()).map_err(name)?;
    let (incoming, outgoing) = socket.stream(None).map_err(name)?;
    outgoing.check_send().map_err(name)?;
    let datagram = OutgoingDatagram {
        data: content.as_bytes().to_vec(),
        remote_address: Some(to_wasi(address)),
    };
    outgoing.send(&[datagram]).map_err(name)?;
    outgoing.subscribe().block();
    outgoing.check_send().map_err(name)?;
    loop {
        let received = incoming.receive(1).map_err(name)?;
        match received.first() {
            Some(datagram) => return Ok(text(&datagram.data).into()),
            None => incoming.subscribe().block(),
        }
    }
}

/// Makes so many sockets and keeps them.
pub(crate) fn many(count: u64) -> Value {
    let make = |_| create_tcp_socket(IpAddressFamily::Ipv4).map_err(name);
    let mut made: Vec<TcpSocket> = Vec::new();
    let mut end = Value::Null;
    for socket in (0..count).map(make) {
        match socket {
            Ok(socket) => made.push(socket),
            Err(error) => {
                end = error.into();
                break;
            }
        }
    }
    let number = made.len();
    SOCKETS.with_borrow_mut(|all| all.append(&mut made));
    Value::from(vec![number.into(), end])
}

fn family(address: SocketAddr) -> IpAddressFamily {
    match address {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    }
}

fn from_wasi(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]),
    }
}

fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: address.port(),
                address: (a, b, c, d),
            })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: 0,
                address: (a, b, c, d, e, f, g, h),
                scope_id: 0,
            })
        }
    }
}
