//! What peers' calls cost, in the same batches as ours: a bare call in Extism, and an actor
//! of plain Rust in Kameo.

// Layer 1: Standard library imports
use std::env;
use std::process::ExitCode;

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use measure::{Outcome, Plan, Spread};

mod calls;
#[path = "../../ratios/measure.rs"]
#[expect(dead_code, reason = "a peer has no floor here to be compared with")]
mod measure;
mod native;

/// What both are sent, and reply with.
const PAYLOAD_BYTES: usize = 1024;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let plan = if env::args().any(|argument| argument == "--quick") {
        Plan::QUICK
    } else {
        Plan::FULL
    };
    print("extism_call_1k", calls::measure(plan)?);
    print("kameo_ask_1k", native::measure(plan)?);
    Ok(())
}

/// The line that `cargo xtask bench` reads.
fn print(key: &str, spread: Spread) {
    let line = json!({ "key": key, "unit": "ns", "ours": spread.to_json(), "floor": null });
    println!("{line}");
}
