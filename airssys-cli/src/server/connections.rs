//! Connections: so many at once, and no place for one that says nothing.

// Layer 1: Standard library imports
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tracing::warn;

/// How long the head of a request may take to arrive, and how long a connection may wait for
/// its next request. Bodies and answers take as long as they take.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// For how long nothing is accepted when that has failed: most likely there are no more
/// descriptors, and trying at once would fail again.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How many connections there may be, and how long they may say nothing.
pub(crate) struct Connections {
    /// A place for each connection. The next one waits in the kernel's queue.
    pub(crate) places: Arc<Semaphore>,
    /// How long the head of a request may take to arrive.
    pub(crate) head_patience: Duration,
}

impl Connections {
    /// Serves connections, over HTTP/1 alone, until `end`. Then those that are idle are closed,
    /// and it returns when the requests that are under way are answered.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        router: Router,
        end: impl Future<Output = ()>,
    ) {
        let mut http = Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.head_patience);
        let served = GracefulShutdown::new();
        let mut end = pin!(end);
        loop {
            let next = select! {
                next = self.next(&listener) => next,
                () = &mut end => None,
            };
            let Some((stream, place)) = next else {
                break;
            };
            let service = TowerToHyperService::new(router.clone());
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let connection = served.watch(connection);
            tokio::spawn(async move {
                // How it ended concerns its client alone.
                drop(connection.await);
                drop(place);
            });
        }
        drop(listener);
        served.shutdown().await;
    }

    /// The next connection, when there is a place for it. Never `None`, unless somebody has
    /// closed the semaphore.
    async fn next(&self, listener: &TcpListener) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _address)) => return Some((stream, place)),
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    warn!(target: "airssys", %error, "no connection can be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Whether it is one connection that failed, and not the listener.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::routing::{get, post};
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream as Client};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::runtime::Runtime;
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    /// How long the server waits for the head of a request. What is to arrive in time is in
    /// the kernel's queue before the server begins, so that nothing depends on this being long.
    const SHORT: Duration = Duration::from_millis(100);

    /// How long a test waits for what has to happen.
    const PATIENCE: Duration = Duration::from_secs(60);

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const ASK_ONCE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

    /// A server that has not begun yet.
    struct Server {
        runtime: Runtime,
        listener: TcpListener,
        address: SocketAddr,
    }

    /// One that serves, until `end` is dropped.
    struct Serving {
        runtime: Runtime,
        end: oneshot::Sender<()>,
        ended: JoinHandle<()>,
    }

    impl Server {
        fn new() -> Self {
            let runtime = Runtime::new().unwrap();
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            Self {
                runtime,
                listener,
                address,
            }
        }

        /// A client that has said this.
        fn client(&self, says: &[u8]) -> Client {
            let mut client = Client::connect(self.address).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.write_all(says).unwrap();
            client
        }

        fn serve(self, places: usize, head_patience: Duration, router: Router) -> Serving {
            let connections = Connections {
                places: Arc::new(Semaphore::new(places)),
                head_patience,
            };
            let (end, ended) = oneshot::channel::<()>();
            let end_of_it = async { drop(ended.await) };
            let serving = connections.serve(self.listener, router, end_of_it);
            Serving {
                ended: self.runtime.spawn(serving),
                runtime: self.runtime,
                end,
            }
        }
    }

    /// What a client hears until its connection is closed.
    fn heard(mut client: Client) -> String {
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        heard
    }

    fn hello() -> Router {
        Router::new().route("/", get(|| async { "hello" }))
    }

    #[test]
    fn who_says_nothing_loses_its_place_to_one_who_asks() {
        let server = Server::new();
        let silent = [&b""[..], b"GET / HTTP/1.1\r\nhost: local"].map(|it| server.client(it));
        let asking = server.client(ASK_ONCE);
        let _serving = server.serve(2, SHORT, hello());
        assert!(heard(asking).ends_with("hello"));
        for silent in silent {
            assert_eq!(heard(silent), "");
        }
    }

    #[test]
    fn who_has_asked_once_may_not_be_silent_for_longer() {
        let server = Server::new();
        let asking = server.client(ASK);
        let _serving = server.serve(1, SHORT, hello());
        let heard = heard(asking);
        assert_eq!(heard.matches("HTTP/1.1 200").count(), 1, "{heard}");
    }

    #[test]
    fn no_more_are_served_at_once_than_there_are_places() {
        let server = Server::new();
        let clients = [(); 12].map(|()| server.client(ASK_ONCE));
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let counted = Arc::clone(&counts);
        let handler = move || {
            let counts = Arc::clone(&counts);
            async move {
                let [now, most] = &*counts;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                "hello"
            }
        };
        let _serving = server.serve(3, PATIENCE, Router::new().route("/", get(handler)));
        for client in clients {
            assert!(heard(client).ends_with("hello"));
        }
        let most = counted[1].load(Ordering::SeqCst);
        assert!(most <= 3, "{most}");
    }

    #[test]
    fn a_long_answer_and_a_slow_body_are_not_cut_off() {
        let server = Server::new();
        let asking = server.client(ASK_ONCE);
        let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                    content-length: 5\r\n\r\n";
        let mut sending = server.client(head.as_bytes());
        let slow = || async {
            sleep(4 * SHORT).await;
            "slow"
        };
        let router = Router::new()
            .route("/", get(slow))
            .route("/echo", post(|body: Bytes| async { body }));
        let serving = server.serve(2, SHORT, router);
        assert!(heard(asking).ends_with("slow"));
        serving.runtime.block_on(async { sleep(SHORT).await });
        sending.write_all(b"quick").unwrap();
        assert!(heard(sending).ends_with("quick"));
    }

    #[test]
    fn at_the_end_requests_under_way_are_answered_and_idle_connections_closed() {
        let server = Server::new();
        let asking = server.client(ASK);
        let mut idle = server.client(b"GET /idle HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has_begun, may_go) = (Arc::clone(&begun), Arc::clone(&go));
        let handler = move || {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            async move {
                begun.notify_one();
                go.notified().await;
                "answered"
            }
        };
        let router = Router::new()
            .route("/", get(handler))
            .route("/idle", get(|| async { "idle" }));
        let serving = server.serve(2, PATIENCE, router);
        // Both have come in.
        serving.runtime.block_on(has_begun.notified());
        assert!(idle.read(&mut [0; 1]).unwrap() > 0);
        drop(serving.end);
        assert!(heard(idle).ends_with("idle"));
        assert!(!serving.ended.is_finished());
        may_go.notify_one();
        assert!(heard(asking).ends_with("answered"));
        serving.runtime.block_on(serving.ended).unwrap();
    }
}
