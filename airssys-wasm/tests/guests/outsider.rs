//! A guest that reaches beyond its actor. What it may reach is tested with the runtime; here
//! it was given nothing.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use crate::support::start;

#[tokio::test]
async fn without_a_grant_there_is_nothing() {
    let mut outsider = start("outsider").await;
    for (kind, arguments, answer) in [
        ("folders", json!({}), json!({"ok": []})),
        ("env", json!({}), json!({"ok": {}})),
        ("arguments", json!({}), json!({"ok": []})),
        (
            "read",
            json!({"path": "/etc/passwd"}),
            json!({"error": "not-there"}),
        ),
        (
            "lookup",
            json!({"host": "example.com"}),
            json!({"error": "access-denied"}),
        ),
        (
            "connect",
            json!({"to": "1.1.1.1:80"}),
            json!({"error": "access-denied"}),
        ),
        (
            "datagram",
            json!({"to": "1.1.1.1:53"}),
            json!({"error": "access-denied"}),
        ),
        (
            "listen",
            json!({"to": "0.0.0.0:0"}),
            json!({"error": "access-denied"}),
        ),
        (
            "get",
            json!({"url": "http://example.com/"}),
            json!({"error": "http-request-denied"}),
        ),
    ] {
        assert_eq!(outsider.ask_json(kind, arguments).await, answer, "{kind}");
    }
}
