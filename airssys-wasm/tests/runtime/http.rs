//! WASI's outgoing HTTP: requests go to those who are granted, within the turn that sends
//! them.

// Layer 1: Standard library imports
use std::net::SocketAddr;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::security::capability::Capability::Network;
use airssys_wasm::core::security::provisions::Provisions;

use crate::outsider::Outsider;

/// How a server tells what it was asked: the head of each request, and nothing at the end of
/// its connection.
type Told = Receiver<Option<String>>;

/// A server of a few pages.
async fn server() -> (SocketAddr, Told) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel(1_024);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, tell.clone()));
        }
    });
    (address, told)
}

async fn serve(mut stream: TcpStream, tell: Sender<Option<String>>) {
    let mut request = Vec::new();
    let mut piece = [0; 4_096];
    let head = loop {
        let Ok(read @ 1..) = stream.read(&mut piece).await else {
            return;
        };
        request.extend_from_slice(&piece[..read]);
        if let Some(end) = request.windows(4).position(|it| it == b"\r\n\r\n") {
            break String::from_utf8(request.drain(..end + 4).collect()).unwrap();
        }
    };
    let path = head.split(' ').nth(1).unwrap().to_owned();
    tell.send(Some(head)).await.unwrap();
    let answer: &[u8] = match &*path {
        "/" => b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "/redirect" => {
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        }
        "/slow" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart",
        "/cut" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart",
        "/large" => b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n",
        "/head" => b"HTTP/1.1 200 OK\r\n",
        "/garbage" => b"\x16\x03\x01 what is this\r\n\r\n",
        _ => b"",
    };
    stream.write_all(answer).await.unwrap();
    match &*path {
        "/cut" => return,
        "/large" => {
            // Whether it gets through is the guest's matter.
            let _written = stream.write_all(&vec![b'x'; 3_000_000]).await;
        }
        "/head" => while stream.write_all(b"x-field: value\r\n").await.is_ok() {},
        "/echo" => {
            while !request.ends_with(b"0\r\n\r\n") {
                match stream.read(&mut piece).await {
                    Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                    _ => return,
                }
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                request.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&request).await.unwrap();
        }
        _ => {}
    }
    while let Ok(1..) = stream.read(&mut piece).await {}
    // The test may have seen enough.
    let _told = tell.send(None).await;
}

/// What a server tells next. Nothing is told for ever only where something is broken.
async fn next(told: &mut Told) -> Option<String> {
    let next = timeout(Duration::from_secs(60), told.recv()).await;
    next.unwrap().unwrap()
}

async fn start(granted: &[&str]) -> Outsider {
    let granted: Vec<_> = granted.iter().map(|it| (Network, *it)).collect();
    Outsider::start(&granted, Provisions::default()).await
}

#[tokio::test]
async fn a_request_goes_to_those_who_are_granted() {
    let (address, mut told) = server().await;
    let mut guest = start(&[]).await;
    let get = json!({"url": format!("http://{address}/")});
    let denied = guest.act("get", get.clone()).await;
    assert_eq!(denied.unwrap_err(), "http-request-denied");
    assert_eq!(guest.denied(), [format!("network {address}")]);
    assert!(told.try_recv().is_err(), "nobody has heard of it");

    guest.grant(Network, &address.to_string());
    let answer = guest.act("get", get.clone()).await.unwrap();
    assert_eq!(answer, json!({"status": 200, "body": "hello", "bytes": 5}));
    assert!(
        guest.learnt().is_cut,
        "a turn like this cannot be run again"
    );
    let head = next(&mut told).await.unwrap();
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {address}")), "{head}");
    assert_eq!(next(&mut told).await, None, "the connection is closed");

    let bare = json!({"url": format!("http://{address}")});
    assert_eq!(guest.act("get", bare).await.unwrap()["status"], 200);
    guest.revoke(Network, &address.to_string());
    let denied = guest.act("get", get).await;
    assert_eq!(denied.unwrap_err(), "http-request-denied");
}

#[tokio::test]
async fn a_body_is_sent() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let text = "lorem ipsum ".repeat(1_000);
    let post = json!({"url": format!("http://{address}/echo"), "text": text});
    let answer = guest.act("get", post).await.unwrap();
    assert!(answer["bytes"].as_u64().unwrap() >= text.len() as u64);
    assert!(answer["body"].as_str().unwrap().contains("lorem ipsum"));
}

#[tokio::test]
async fn redirects_are_the_guests_matter() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let get = json!({"url": format!("http://{address}/redirect")});
    let answer = guest.act("get", get).await.unwrap();
    assert_eq!(answer["status"], 302);
    let next = json!({"url": "http://169.254.169.254/"});
    let denied = guest.act("get", next).await;
    assert_eq!(denied.unwrap_err(), "http-request-denied");
}

#[tokio::test]
async fn a_name_does_not_lead_inside() {
    let (address, mut told) = server().await;
    let get = json!({"url": format!("http://localhost:{}/", address.port())});
    let mut guest = start(&["localhost:*"]).await;
    let refused = guest.act("get", get.clone()).await;
    assert_eq!(refused.unwrap_err(), "destination-ip-prohibited");
    let denied = guest.denied();
    assert!(denied.contains(&format!("network {address}")), "{denied:?}");
    assert!(told.try_recv().is_err());
    guest.grant(Network, &address.to_string());
    assert_eq!(guest.act("get", get.clone()).await.unwrap()["status"], 200);
    guest.revoke(Network, "localhost:*");
    let denied = guest.act("get", get).await;
    assert_eq!(
        denied.unwrap_err(),
        "http-request-denied",
        "the name counts"
    );
}

#[tokio::test]
async fn a_uri_that_looks_like_another_is_refused() {
    let (address, mut told) = server().await;
    let port = address.port();
    let mut guest = start(&["granted.example:*"]).await;
    for url in [
        format!("http://granted.example@{address}/"),
        format!("http://granted.example:80@{address}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0:{port}/"),
        format!("http://{address}#granted.example"),
        format!("http://{address}\\granted.example/"),
        format!("ftp://{address}/"),
        "http://".to_owned(),
    ] {
        let refused = guest.act("get", json!({ "url": url })).await;
        assert!(refused.is_err(), "{url}: {refused:?}");
    }
    assert!(told.try_recv().is_err(), "nobody has heard of it");
}

#[tokio::test]
async fn who_does_not_speak_tls_is_not_talked_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        stream.write_all(plain).await.unwrap();
        let mut heard = Vec::new();
        // Its end may be a reset.
        let _read = stream.read_to_end(&mut heard).await;
        heard
    });
    let mut guest = start(&[&address.to_string()]).await;
    let get = json!({"url": format!("https://{address}/secret-path")});
    let refused = guest.act("get", get).await;
    assert_eq!(refused.unwrap_err(), "tls-protocol-error");
    let heard = String::from_utf8_lossy(&heard.await.unwrap()).into_owned();
    assert!(!heard.contains("secret-path"), "{heard}");
}

#[tokio::test]
async fn a_request_ends_with_its_turn() {
    let (address, mut told) = server().await;
    let limits = Limits {
        turn_wall_ms: 1_500,
        ..Limits::default()
    };
    let granted = address.to_string();
    let granted = [(Network, &*granted)];
    let mut guest = Outsider::start_with(&granted, Provisions::default(), limits).await;
    for path in ["silent", "slow"] {
        let get = json!({"url": format!("http://{address}/{path}")});
        let reply = timeout(Duration::from_secs(60), guest.turn("get", get)).await;
        // Its own timeout and that of the turn are the same moment.
        match reply.unwrap() {
            Ok(reply) => assert_eq!(reply["error"], "connection-read-timeout", "{path}"),
            Err(error) => assert!(matches!(error, WasmError::Timeout(_)), "{error}"),
        }
        assert!(next(&mut told).await.is_some());
        assert_eq!(next(&mut told).await, None, "{path}");
        guest.activate().await;
    }
}

#[tokio::test]
async fn a_guest_may_be_less_patient() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let get = json!({"url": format!("http://{address}/silent"), "wait-ms": 50});
    let answer = guest.act("get", get).await;
    assert_eq!(answer.unwrap_err(), "connection-read-timeout");
}

#[tokio::test]
async fn responses_are_taken_piece_by_piece() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let get = json!({"url": format!("http://{address}/large")});
    let answer = guest.act("get", get).await.unwrap();
    assert_eq!(answer["bytes"], 3_000_000);
    for path in ["head", "garbage"] {
        let get = json!({"url": format!("http://{address}/{path}")});
        let refused = timeout(Duration::from_secs(60), guest.act("get", get)).await;
        assert!(refused.unwrap().is_err(), "{path}");
    }
}

#[tokio::test]
async fn requests_at_once_are_bounded() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let many = json!({"url": format!("http://{address}/"), "count": 300});
    let answers = guest.act("get", many).await.unwrap();
    let answers = answers.as_array().unwrap();
    let answered = answers.iter().filter(|it| it["status"] == 200).count();
    let refused = answers
        .iter()
        .filter(|it| **it == "connection-limit-reached");
    assert!((1..=128).contains(&answered), "{answered}");
    assert_eq!(answered + refused.count(), 300);
}

/// What the guest keeps of one is of no use to it in a later turn, and of no cost to anybody.
#[tokio::test]
async fn a_request_ends_with_its_turn_however_early_that_is() {
    let (address, mut told) = server().await;
    let limits = Limits {
        turn_wall_ms: 600_000,
        ..Limits::default()
    };
    let granted = address.to_string();
    let granted = [(Network, &*granted)];
    let mut guest = Outsider::start_with(&granted, Provisions::default(), limits).await;
    let keep = json!({"url": format!("http://{address}/slow"), "count": 1});
    let kept = guest.act("trail", keep).await.unwrap();
    assert_eq!(kept, json!([1, null]));
    assert!(told.recv().await.unwrap().is_some());
    let closed = timeout(Duration::from_secs(10), told.recv()).await;
    assert_eq!(closed.unwrap(), Some(None), "its turn is over");
    let get = json!({"url": format!("http://{address}/")});
    assert_eq!(guest.act("get", get).await.unwrap()["status"], 200);
}

#[tokio::test]
async fn a_guest_is_told_why_a_body_ends() {
    let (address, _told) = server().await;
    let mut guest = start(&[&address.to_string()]).await;
    let get = json!({"url": format!("http://{address}/cut")});
    let answer = guest.act("get", get).await;
    assert_eq!(answer.unwrap_err(), "http-protocol-error");
}
