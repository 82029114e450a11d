// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::runtime::inspection::Inspection;

use crate::support::{bytes, start};

#[tokio::test]
async fn it_asks_for_little_and_tries_everything() {
    let needs = Inspection::of(&bytes("modest")).unwrap().needs.unwrap();
    assert_eq!(
        serde_json::to_value(&needs).unwrap(),
        json!({"send": ["test/sink"]})
    );

    let mut modest = start("modest").await;
    let to = json!({"target": "test/sink/1", "kind": "hi"});
    assert_eq!(
        modest.ask_json("messaging.send", to).await,
        json!({"ok": null})
    );
    let topic = json!({"topic": "news.today", "kind": "hi"});
    assert_eq!(
        modest.ask_json("messaging.publish", topic).await,
        json!({"ok": null})
    );
    let error = modest.ask("fly", "{}").await.unwrap_err();
    assert!(error.to_string().contains("unknown kind `fly`"), "{error}");
}
