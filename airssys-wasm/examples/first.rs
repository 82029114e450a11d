//! A first program: a system with one component, and one of its actors.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

const COUNTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/bin/counter.wasm");

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder()
        .component("demo/counter", COUNTER)
        .start()
        .await?;
    let alice = "demo/counter/alice".parse()?;
    system.ask(&alice, "add", "2").await?;
    let sum = system.ask(&alice, "add", "3").await?.unwrap_or_default();
    println!(
        "alice has counted to {}",
        String::from_utf8_lossy(sum.as_bytes())
    );
    system.shutdown().await;
    Ok(())
}
