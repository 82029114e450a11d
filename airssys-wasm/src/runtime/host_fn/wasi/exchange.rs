//! One HTTP request and its response, on a connection of their own.

// Layer 1: Standard library imports
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::{Request, Response, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError, RootCertStore};
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};
use webpki_roots::TLS_SERVER_ROOTS;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::host_fn::wasi::destination::{Destination, HostName, parse_host};
use crate::runtime::host_fn::wasi::lookup::{lookups_of, resolve};
use crate::runtime::host_fn::wasi::peers::may_lead_to;
use crate::runtime::host_fn::wasi::turn::Turn;

/// The most bytes of a response's head, and of what is read of its body at once.
const MAX_READ_BYTES: usize = 64 * 1024;

/// The versions and ciphers are those that rustls deems safe, the authorities those of
/// Mozilla.
static TLS: LazyLock<Result<Arc<ClientConfig>, TlsError>> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: TLS_SERVER_ROOTS.into(),
    };
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots);
    Ok(Arc::new(config.with_no_client_auth()))
});

/// One request and its response. It ends with the turn that it was begun in, at its deadline at
/// the latest: then its connection is closed, whatever of the response is still to come.
///
/// Redirects are not followed. A guest that follows one sends another request, which is
/// asked for like any other.
pub(crate) struct Exchange {
    permission: Permission,
    destination: Destination,
    is_secure: bool,
    deadline: Instant,
}

/// What has to be granted for as long as something is sent or received.
#[derive(Clone)]
struct Permission {
    turn: Arc<Turn>,
    /// The turn that it was begun in, which it does not outlive.
    number: u64,
    endpoint: Arc<str>,
    /// Where that leads, once it is known: an address and a port.
    address: Option<SocketAddr>,
}

impl Permission {
    fn check(&self) -> Result<(), Error> {
        if self.turn.number() != self.number {
            return Err(Error::ConnectionTerminated);
        }
        let permitted = self.turn.permit(Capability::Network, &self.endpoint);
        permitted.map_err(|_denied| Error::HttpRequestDenied)?;
        let may_lead = |to: SocketAddr| may_lead_to(&self.turn, to.ip(), to.port());
        match self.address.is_none_or(may_lead) {
            true => Ok(()),
            false => Err(Error::HttpRequestDenied),
        }
    }
}

type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Exchange {
    /// Asks whether a request may be sent.
    pub(crate) fn begin(
        turn: &Arc<Turn>,
        request: &Request<WasiBody>,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let is_secure = request.uri().scheme_str() == Some("https");
        let destination =
            destination(request.uri(), is_secure).ok_or(Error::HttpRequestUriInvalid)?;
        let permission = Permission {
            turn: Arc::clone(turn),
            number: turn.number(),
            endpoint: destination.to_string().into(),
            address: match destination.host {
                HostName::Address(ip) => Some(SocketAddr::new(ip, destination.port)),
                HostName::Name(_) => None,
            },
        };
        permission.check()?;
        Ok(Self {
            permission,
            destination,
            is_secure,
            deadline,
        })
    }

    /// Sends the request, and waits for the head of the response.
    pub(crate) async fn carry_out(
        mut self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<(Response<WasiBody>, Worker), Error> {
        let connected = timeout_at(self.within(options.connect_timeout), self.connect()).await;
        let (stream, address) = connected.map_err(|_elapsed| Error::ConnectionTimeout)??;
        self.permission.address = Some(address);
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_READ_BYTES)
            .handshake(TokioIo::new(stream))
            .await?;
        // Dropped with the response, which closes the connection.
        let connection = spawn(connection);
        let request = self.prepare(request)?;
        let first_byte = self.within(options.first_byte_timeout);
        let response = timeout_at(first_byte, sender.send_request(request)).await;
        let response = response.map_err(|_elapsed| Error::ConnectionReadTimeout)??;
        let (permission, deadline) = (self.permission, self.deadline);
        let patience = options.between_bytes_timeout.unwrap_or(Duration::MAX);
        let response = response.map(|inner| {
            let body = ResponseBody {
                inner,
                permission,
                patience,
                deadline,
                wait: Box::pin(sleep_until(next_deadline(deadline, patience))),
            };
            body.boxed_unsync()
        });
        let worker = async move {
            // Why it failed, whoever reads the body is told.
            let _ended = timeout_at(deadline, connection).await;
            Ok(())
        };
        Ok((response, Box::new(worker)))
    }

    /// When to give up something that may take so long.
    fn within(&self, patience: Option<Duration>) -> Instant {
        next_deadline(self.deadline, patience.unwrap_or(Duration::MAX))
    }

    /// The request as it is sent: the line that begins it has the path alone.
    fn prepare(&self, mut request: Request<WasiBody>) -> Result<Request<RequestBody>, Error> {
        let path = request.uri().path_and_query().cloned();
        let path = path.map_or(Ok(Uri::default()), |path| {
            Uri::builder().path_and_query(path).build()
        });
        *request.uri_mut() = path.map_err(|_| Error::HttpRequestUriInvalid)?;
        Ok(request.map(|inner| RequestBody {
            inner,
            permission: self.permission.clone(),
        }))
    }

    /// Connects, and tells to which address.
    async fn connect(&self) -> Result<(Box<dyn Stream>, SocketAddr), Error> {
        let (stream, address) = self.connect_to_one().await?;
        if !self.is_secure {
            return Ok((Box::new(stream), address));
        }
        let config = TLS.as_ref().map_err(|_| Error::ConfigurationError)?;
        let name = match &self.destination.host {
            HostName::Address(ip) => ServerName::from(*ip),
            HostName::Name(name) => {
                ServerName::try_from(name.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?
            }
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let secured = connector.connect(name, stream).await;
        let stream = secured.map_err(|error| tls_failure(&error))?;
        Ok((Box::new(stream), address))
    }

    /// Connects to the first address that answers. The addresses that are connected to are
    /// those that were looked at, and no others.
    async fn connect_to_one(&self) -> Result<(TcpStream, SocketAddr), Error> {
        let port = self.destination.port;
        let mut failure = Error::DestinationIpProhibited;
        for ip in self.addresses().await? {
            let address = SocketAddr::new(ip, port);
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => failure = connect_failure(&error),
            }
        }
        Err(failure)
    }

    /// The addresses of the host that may be connected to. A name leads to one of this
    /// machine or of a private network only where that address is granted itself, and to none
    /// that a rule forbids.
    async fn addresses(&self) -> Result<Vec<IpAddr>, Error> {
        let name = match &self.destination.host {
            // It was asked for as what it is.
            HostName::Address(ip) => return Ok(vec![*ip]),
            HostName::Name(name) => name,
        };
        let turn = &self.permission.turn;
        let lookups = lookups_of(turn.settings.address.component());
        let resolved = resolve(lookups, Arc::clone(name)).await;
        let mut addresses = resolved.map_err(|_why| Error::DnsError {
            rcode: None,
            info_code: None,
        })?;
        let port = self.destination.port;
        addresses.retain(|ip| may_lead_to(turn, *ip, port));
        Ok(addresses)
    }
}

/// Where a request goes. Nobody's name or password is part of that.
fn destination(uri: &Uri, is_secure: bool) -> Option<Destination> {
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = parse_host(authority.host())?;
    let port = match authority.port() {
        Some(port) => port.as_u16(),
        None if authority.as_str() != authority.host() => return None,
        None if is_secure => 443,
        None => 80,
    };
    Some(Destination { host, port })
}

fn next_deadline(deadline: Instant, patience: Duration) -> Instant {
    let own = Instant::now().checked_add(patience);
    own.map_or(deadline, |own| own.min(deadline))
}

fn connect_failure(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        _ => Error::DestinationUnavailable,
    }
}

fn tls_failure(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(TlsError::InvalidCertificate(_)) => Error::TlsCertificateError,
        _ => Error::TlsProtocolError,
    }
}

/// A connection, secured or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What is sent, for as long as that is permitted.
struct RequestBody {
    inner: WasiBody,
    permission: Permission,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Err(denied) = self.permission.check() {
            return Poll::Ready(Some(Err(denied)));
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What is received, for as long as that is permitted and the turn lasts.
struct ResponseBody {
    inner: Incoming,
    permission: Permission,
    /// How long each part may take.
    patience: Duration,
    deadline: Instant,
    wait: Pin<Box<Sleep>>,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Err(denied) = self.permission.check() {
            return Poll::Ready(Some(Err(denied)));
        }
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                let next = next_deadline(self.deadline, self.patience);
                self.wait.as_mut().reset(next);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => {
                let waited = self.wait.as_mut().poll(cx);
                waited.map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::host_fn::wasi::peers::tests::{Forbidden, turn};
    use http_body_util::Empty;

    fn permission(turn: &Arc<Turn>, endpoint: &str, address: &str) -> Permission {
        Permission {
            turn: Arc::clone(turn),
            number: turn.number(),
            endpoint: endpoint.into(),
            address: Some(address.parse().unwrap()),
        }
    }

    #[test]
    fn what_is_forbidden_meanwhile_ends_a_transfer() {
        let forbidden = Forbidden::default();
        let turn = turn(&["api.example.com:443"], &forbidden);
        let permission = |address| permission(&turn, "api.example.com:443", address);
        let under_way = ["93.184.216.34:443", "[64:ff9b::5db8:d822]:443"].map(permission);
        let other = permission("93.184.216.35:443");
        for permission in under_way.iter().chain([&other]) {
            assert!(permission.check().is_ok(), "{:?}", permission.address);
        }
        forbidden.lock().unwrap().push("93.184.216.34:");
        for permission in &under_way {
            let refused = permission.check();
            assert!(matches!(refused, Err(Error::HttpRequestDenied)));
        }
        assert!(other.check().is_ok());
    }

    #[test]
    fn an_address_is_asked_for_in_each_of_its_forms() {
        let forbidden = Forbidden::default();
        forbidden.lock().unwrap().push("93.184.216.34:");
        let turn = turn(&["[64:ff9b::5db8:d822]:80", "10.0.0.7:80"], &forbidden);
        let begins = |uri: &str| {
            let body = Empty::<Bytes>::new().map_err(|never| match never {});
            let request = Request::builder().uri(uri).body(body.boxed_unsync());
            let deadline = Instant::now() + Duration::from_secs(60);
            Exchange::begin(&turn, &request.unwrap(), deadline).is_ok()
        };
        assert!(!begins("http://[64:ff9b::5db8:d822]/"));
        assert!(begins("http://10.0.0.7/"));
        assert!(!begins("http://10.0.0.8/"));
    }

    fn goes_to(uri: &str) -> Option<String> {
        let uri: Uri = uri.parse().ok()?;
        let is_secure = uri.scheme_str() == Some("https");
        destination(&uri, is_secure).map(|it| it.to_string())
    }

    #[test]
    fn a_request_goes_where_its_uri_says() {
        for (uri, to) in [
            ("http://example.com/", "example.com:80"),
            ("https://Example.com/", "example.com:443"),
            ("http://example.com:8080/a?b", "example.com:8080"),
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("https://[::1]:1/", "[::1]:1"),
            ("http://[::ffff:127.0.0.1]/", "127.0.0.1:80"),
        ] {
            assert_eq!(goes_to(uri).as_deref(), Some(to), "{uri}");
        }
    }

    #[test]
    fn a_uri_that_looks_like_another_is_refused() {
        for uri in [
            "http://granted.example@127.0.0.1/",
            "http://user:secret@granted.example/",
            "http://example.com:99999/",
            "http://example.com:/",
            "http://exa%6dple.com/",
            "http://[fe80::1%25lo]/",
            "/path",
        ] {
            assert_eq!(goes_to(uri), None, "{uri}");
        }
    }
}
