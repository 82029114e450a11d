//! Systems that end and start again.

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::support::{ask, builder, guest, id};
use airssys_wasm::system::handle::System;

async fn counters(data: &TempDir) -> System {
    let builder = builder(data.path()).component("demo/counter", guest("counter").as_str());
    builder.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_there_after_a_restart() {
    let data = TempDir::new().unwrap();
    let system = counters(&data).await;
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "2");
    system
        .send(&id("demo/counter/a"), "add", "3")
        .await
        .unwrap();
    assert!(system.shutdown().await.is_clean());
    drop(system);

    let system = counters(&data).await;
    assert_eq!(ask(&system, "demo/counter/a", "add", "1").await, "6");
    assert!(system.shutdown().await.is_clean());
}
