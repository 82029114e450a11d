//! The other end of a connection, which does as it is told.

// Layer 1: Standard library imports
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::time::sleep;

// Layer 3: Internal module imports
use crate::support::until;

/// A peer that does as it is asked: a path or a first word says what.
///
/// It has a thread of its own, and closes a connection as soon as its other end is closed.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a peer has to do with.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    open: AtomicUsize,
    /// The most that were open at once.
    peak: AtomicUsize,
    /// Whether those who do not read keep to that.
    is_stubborn: AtomicBool,
}

impl Peer {
    /// Has all it needs before it is returned: what a siege finds later is not the peer's.
    pub(crate) fn start() -> Self {
        let listener = StdListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it can be");
        let address = listener.local_addr().expect("an address");
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (seen, (end, ended)) = (Arc::new(Seen::default()), channel());
        let shared = Arc::clone(&seen);
        let thread = spawn(move || runtime.block_on(serve(listener, shared, ended)));
        Self {
            address,
            seen,
            end: Some(end),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self, what: &str) -> String {
        format!("http://{}/{what}", self.address)
    }

    fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    pub(crate) fn peak(&self) -> usize {
        self.seen.peak.load(Ordering::SeqCst)
    }

    /// Does something while those who do not read do not. Afterwards they do, since who closes
    /// a connection is heard of only by those who read to its end.
    pub(crate) async fn stubborn<T>(&self, act: impl Future<Output = T>) -> T {
        self.seen.is_stubborn.store(true, Ordering::SeqCst);
        let done = act.await;
        self.seen.is_stubborn.store(false, Ordering::SeqCst);
        done
    }

    /// Waits until all connections are closed.
    pub(crate) async fn is_left(&self) {
        until("all connections are closed", || self.open() == 0).await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.end.take());
        let thread = self.thread.take().expect("it is ended once");
        assert!(thread.join().is_ok(), "the peer panicked");
    }
}

async fn serve(listener: StdListener, seen: Arc<Seen>, mut ended: Receiver<()>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            _ = &mut ended => return,
        };
        // There may be no descriptor left for it.
        let Ok((stream, _)) = accepted else {
            sleep(Duration::from_millis(2)).await;
            continue;
        };
        let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        seen.peak.fetch_max(open, Ordering::SeqCst);
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut stream = stream;
            attend(&mut stream, &seen).await;
            drop(stream);
            seen.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Does as one connection asks for.
async fn attend(stream: &mut TcpStream, seen: &Seen) {
    let mut piece = [0; 4_096];
    let Ok(read @ 1..) = stream.read(&mut piece).await else {
        return;
    };
    let asked = String::from_utf8_lossy(&piece[..read]).into_owned();
    let mut words = asked.split([' ', '/', '\r']).filter(|it| !it.is_empty());
    let what = words.find(|it| !matches!(*it, "GET" | "POST"));
    let what = what.unwrap_or_default();
    let (first, repeated) = answer(what);
    if stream.write_all(first).await.is_err() {
        return;
    }
    while !repeated.is_empty() && stream.write_all(&repeated).await.is_ok() {
        if what.starts_with("drip") {
            sleep(Duration::from_millis(5)).await;
        }
    }
    if what.starts_with("cut") {
        return;
    }
    while what.starts_with("deaf") && seen.is_stubborn.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(2)).await;
    }
    while let Ok(1..) = stream.read(&mut piece).await {}
}

/// What is answered, and what is sent after it again and again.
fn answer(what: &str) -> (&'static [u8], Vec<u8>) {
    let (first, repeated): (&[u8], &[u8]) = match what {
        "page" => (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", b""),
        "body" => (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        "chunks" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n",
            b"x",
        ),
        "head" => (b"HTTP/1.1 200 OK\r\n", b"x-field: value\r\n"),
        "field" => (b"HTTP/1.1 200 OK\r\nx-field: ", b"value"),
        "status" => (b"HTTP/1.1 200 ", b"fine "),
        "hints" => (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "extension" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
            b"extension",
        ),
        "trailers" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            b"x-field: value\r\n",
        ),
        "drip-head" => (b"HTTP/1.1 200 OK\r\nx-field: ", b"v"),
        "drip-body" => (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        "drip-chunks" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n",
        ),
        "huge" | "cut-huge" => (
            b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551613\r\n\r\nx",
            b"",
        ),
        "larger" => (
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nx",
            b"",
        ),
        "less" => (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx", b""),
        "twice" => (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
            b"",
        ),
        "chunk" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
            b"",
        ),
        "no-chunk" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nwhat\r\n",
            b"",
        ),
        "garbage" => (b"\x16\x03\x01 what is this\r\n\r\n", b""),
        "zeroes" => (&[0; 4_096], b""),
        "other" => (b"HTTP/9.9 200 OK\r\n\r\n", b""),
        "redirect" => (
            b"HTTP/1.1 302 Found\r\nlocation: /page\r\ncontent-length: 0\r\n\r\n",
            b"",
        ),
        "switch" => (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
            b"",
        ),
        "cut-head" => (b"HTTP/1.1 200 OK\r\nx-fi", b""),
        "cut-body" => (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart", b""),
        "cut-chunk" => (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\npart",
            b"",
        ),
        "flood" => (b"", b"without end "),
        // "silent", "deaf" and "cut", and whatever somebody says besides.
        _ => (b"", b""),
    };
    let often = match what.starts_with("drip") {
        true => 1,
        false => 16_384_usize.div_ceil(repeated.len().max(1)),
    };
    (first, repeated.repeat(often))
}
