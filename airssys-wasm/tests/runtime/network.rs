//! WASI's sockets: those who are granted can be reached, nobody else can, and nobody can
//! reach a guest.

// Layer 1: Standard library imports
use std::net::SocketAddr;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::security::capability::Capability::Network;
use airssys_wasm::core::security::provisions::Provisions;

use crate::outsider::Outsider;

/// A server that echoes in capitals, and tells when a connection has ended.
async fn shouting() -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, has_ended) = channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let ended = ended.clone();
            tokio::spawn(async move {
                let mut piece = [0; 1_024];
                while let Ok(read @ 1..) = stream.read(&mut piece).await {
                    let answer = piece[..read].to_ascii_uppercase();
                    if answer.starts_with(b"SILENCE") {
                        continue;
                    }
                    if stream.write_all(&answer).await.is_err() {
                        break;
                    }
                }
                ended.send(()).await.unwrap();
            });
        }
    });
    (address, has_ended)
}

async fn start(granted: &[&str]) -> Outsider {
    let granted: Vec<_> = granted.iter().map(|it| (Network, *it)).collect();
    Outsider::start(&granted, Provisions::default()).await
}

#[tokio::test]
async fn an_address_is_reached_if_it_is_granted() {
    let (address, mut ended) = shouting().await;
    let to = address.to_string();
    let mut guest = start(&[]).await;
    let exchange = json!({"to": to, "text": "hello"});
    let denied = guest.act("connect", exchange.clone()).await;
    assert_eq!(denied.unwrap_err(), "access-denied");
    assert_eq!(guest.denied(), [format!("network {to}")]);
    guest.grant(Network, &to);
    assert_eq!(
        guest.act("connect", exchange.clone()).await.unwrap(),
        "HELLO"
    );
    assert!(
        guest.learnt().is_cut,
        "a turn like this cannot be run again"
    );
    ended.recv().await.unwrap();
    guest.revoke(Network, &to);
    let denied = guest.act("connect", exchange).await;
    assert_eq!(denied.unwrap_err(), "access-denied");
    guest.grant(Network, &format!("127.0.0.1:{}", address.port() ^ 1));
    let other = json!({"to": to, "text": "hello"});
    let denied = guest.act("connect", other).await;
    assert_eq!(denied.unwrap_err(), "access-denied", "another port");
}

#[tokio::test]
async fn a_connection_stops_to_work_when_its_grant_is_taken_back() {
    let (address, _ended) = shouting().await;
    let to = address.to_string();
    let mut guest = start(&[&to]).await;
    guest.act("hold", json!({"to": to})).await.unwrap();
    let talk = json!({"text": "psst"});
    assert_eq!(guest.act("talk", talk.clone()).await.unwrap(), "PSST");
    guest.revoke(Network, &to);
    let error = guest.act("talk", talk.clone()).await.unwrap_err();
    assert!(error.contains("ermission denied"), "{error}");
    guest.grant(Network, &to);
    assert_eq!(guest.act("talk", talk).await.unwrap(), "PSST");
}

/// `localhost` is a name that everybody's machine gives a meaning to.
#[tokio::test]
async fn a_name_is_looked_up_if_it_is_granted_for_some_port() {
    let mut guest = start(&[]).await;
    let localhost = json!({"host": "localhost"});
    let denied = guest.act("lookup", localhost.clone()).await;
    assert_eq!(denied.unwrap_err(), "access-denied");
    assert_eq!(guest.denied(), ["network localhost:*"]);
    guest.grant(Network, "localhost:1");
    for name in ["localhost", "LocalHost", "localhost."] {
        let found = guest.act("lookup", json!({ "host": name })).await.unwrap();
        let found = found.as_array().unwrap();
        assert!(found.iter().any(|it| it == "127.0.0.1" || it == "::1"));
    }
    for name in ["", "a b", "l\u{43e}calhost", "a..b", "localhost:80", "a/b"] {
        let refused = guest.act("lookup", json!({ "host": name })).await;
        assert_eq!(refused.unwrap_err(), "invalid-argument", "{name}");
    }
    guest.denied();
    let found = guest.act("lookup", json!({"host": "10.1.2.3"})).await;
    assert_eq!(found.unwrap(), json!(["10.1.2.3"]), "an address is itself");
    assert!(guest.denied().is_empty());
}

/// Whoever answers for a name could else send a guest to any address of this machine or its
/// network.
#[tokio::test]
async fn a_name_does_not_lead_inside() {
    let (address, _ended) = shouting().await;
    let port = address.port();
    let to = json!({"to": format!("localhost:{port}"), "text": "hello"});
    for grant in ["localhost:*".to_owned(), format!("*:{port}"), "*:*".into()] {
        let mut guest = start(&[&grant]).await;
        let refused = guest.act("connect", to.clone()).await;
        assert_eq!(refused.unwrap_err(), "access-denied", "{grant}");
    }
    let mut guest = start(&["localhost:1", &address.to_string()]).await;
    assert_eq!(guest.act("connect", to).await.unwrap(), "HELLO");
}

#[tokio::test]
async fn other_spellings_of_an_address_are_no_way_in() {
    let (address, _ended) = shouting().await;
    let port = address.port();
    let mut guest = start(&["1.1.1.1:*", "api.example.com:*"]).await;
    for host in [
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "127.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let to = json!({"to": format!("{host}:{port}"), "text": "x"});
        let refused = guest.act("connect", to).await.unwrap_err();
        assert!(
            matches!(&*refused, "access-denied" | "invalid-argument"),
            "{host}: {refused}"
        );
    }
}

#[tokio::test]
async fn nobody_can_connect_to_a_guest() {
    let mut guest = start(&["*:*", "127.0.0.1:*"]).await;
    for at in ["127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:18080", "0.0.0.0:80"] {
        let refused = guest.act("listen", json!({ "to": at })).await;
        assert_eq!(refused.unwrap_err(), "access-denied", "{at}");
    }
}

#[tokio::test]
async fn datagrams_go_to_those_who_are_granted() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = server.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut piece = [0; 1_024];
        while let Ok((read, from)) = server.recv_from(&mut piece).await {
            stranger.send_to(b"not for you", from).await.unwrap();
            let answer = piece[..read].to_ascii_uppercase();
            server.send_to(&answer, from).await.unwrap();
        }
    });
    let mut guest = start(&[]).await;
    let datagram = json!({"to": to, "text": "hello"});
    let denied = guest.act("datagram", datagram.clone()).await;
    assert_eq!(denied.unwrap_err(), "access-denied");
    guest.grant(Network, &to);
    guest.denied();
    assert_eq!(guest.act("datagram", datagram).await.unwrap(), "HELLO");
    assert!(
        guest.denied().is_empty(),
        "a stranger's datagram is no denial"
    );
}

#[tokio::test]
async fn a_turn_that_waits_for_an_answer_ends_at_its_deadline() {
    let (address, mut ended) = shouting().await;
    let to = address.to_string();
    let limits = Limits {
        turn_wall_ms: 3_000,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&[(Network, &to)], Provisions::default(), limits).await;
    guest.act("hold", json!({"to": to})).await.unwrap();
    let waiting = guest.turn("talk", json!({"text": "silence"}));
    let error = timeout(Duration::from_secs(60), waiting).await.unwrap();
    assert!(matches!(error, Err(WasmError::Timeout(_))), "{error:?}");
    assert!(!guest.store.is_live());
    // The connection is closed with the instance that had it.
    let ended = timeout(Duration::from_secs(60), ended.recv()).await;
    assert_eq!(ended.unwrap(), Some(()));
    guest.activate().await;
    let exchange = json!({"to": to, "text": "again"});
    assert_eq!(guest.act("connect", exchange).await.unwrap(), "AGAIN");
}

#[tokio::test]
async fn sockets_are_bounded() {
    let mut guest = start(&[]).await;
    let made = guest.act("connect-many", json!({"count": 1_000})).await;
    let made = made.unwrap();
    assert_eq!(made[1], "new-socket-limit");
    assert!(made[0].as_u64().unwrap() <= 128, "{made}");
}
