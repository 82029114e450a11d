//! What a call costs in Extism, by the same clock and in the same batches as ours.

// Layer 1: Standard library imports
use std::env;
use std::process::ExitCode;

// Layer 2: Third-party crate imports
use extism::{Manifest, Plugin, Wasm};
use serde_json::json;

// Layer 3: Internal module imports
use measure::{Outcome, Plan, alone, batches};

#[path = "../../ratios/measure.rs"]
#[expect(dead_code, reason = "a peer has no floor here to be compared with")]
mod measure;

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
    let module = wat::parse_str(include_str!("echo.wat"))?;
    let mut plugin = Plugin::new(Manifest::new([Wasm::data(module)]), [], false)?;
    let payload = vec![b'x'; PAYLOAD_BYTES];
    let call = || {
        let reply: &[u8] = plugin.call("echo", &payload[..])?;
        if reply.len() == PAYLOAD_BYTES {
            Ok(())
        } else {
            Err(format!("{} bytes came back", reply.len()).into())
        }
    };
    let spread = alone(plan, batches(plan, call)?)?;
    let line =
        json!({ "key": "extism_call_1k", "unit": "ns", "ours": spread.to_json(), "floor": null });
    println!("{line}");
    Ok(())
}
