//! One actor at a time.

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ask_and_count() {
    let system = System::builder()
        .component("demo/counter", "../guests/bin/counter.wasm")
        .start()
        .await
        .unwrap();
    let alice: ComponentId = "demo/counter/alice".parse().unwrap();
    for n in 1..=5 {
        let sum = system.ask(&alice, "add", "2").await.unwrap();
        assert_eq!(sum.unwrap().as_bytes(), (2 * n).to_string().as_bytes());
    }
    let nobody: ComponentId = "demo/nobody/alice".parse().unwrap();
    assert_eq!(
        system.ask(&nobody, "add", "2").await,
        Err(AskError::Refused(Refusal::UnknownTarget))
    );
    let error = system.ask(&alice, "add-then-trap", "3").await;
    println!("{error:?}");
    println!("{:#?}", system.status());
    println!("{:#?}", system.list());
    println!("{:?}", system.shutdown().await);
}
