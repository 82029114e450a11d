// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use airssys_wasm::runtime::difference::Difference;
use airssys_wasm::runtime::inspection::Inspection;

use crate::support::{bytes, start};

#[tokio::test]
async fn it_does_the_same_and_asks_for_more() {
    let old = Inspection::of(&bytes("modest")).unwrap();
    let new = Inspection::of(&bytes("modest-v2")).unwrap();
    assert_eq!(old.may_use, new.may_use);
    assert!(Difference::between(&old, &new).asks_for_more());
    assert!(!Difference::between(&new, &old).asks_for_more());

    let mut modest = start("modest-v2").await;
    let topic = json!({"topic": "news.today", "kind": "hi"});
    assert_eq!(
        modest.ask_json("messaging.publish", topic).await,
        json!({"ok": null})
    );
}
