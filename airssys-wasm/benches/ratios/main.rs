//! What airssys costs, each figure beside its floor: wasmtime doing the same by itself.
//!
//! `cargo xtask bench` runs this and prints a table. By itself it prints a JSON object for
//! each figure; `--quick` measures less, and words choose among the groups.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

// Layer 1: Standard library imports
use std::env;
use std::process::ExitCode;

// Layer 3: Internal module imports
use figure::Figure;
use measure::{Outcome, Plan};

mod activate;
mod ask;
mod audit_write;
mod bare_store;
mod call;
mod density;
mod disk;
mod durable_ask;
mod durable_turns;
mod fairness;
mod figure;
mod grant_check;
mod growth;
mod guarded;
mod guest;
mod hop_durable;
mod host_call;
mod instantiate;
mod killed;
mod load;
mod measure;
mod ours;
mod overlay_read;
mod policy;
mod raw;
mod recovery;
mod ring;
mod stage;
mod tell;
mod upgrade;

type Group = (&'static str, fn(Plan) -> Outcome<Vec<Figure>>);

const GROUPS: [Group; 21] = [
    ("call", call::measure),
    ("host_call", host_call::measure),
    ("instantiate", instantiate::measure),
    ("load", load::measure),
    ("ask", ask::measure),
    ("tell", tell::measure),
    ("activate", activate::measure),
    ("overlay_read", overlay_read::measure),
    ("grant_check", grant_check::measure),
    ("guarded", guarded::measure),
    ("policy", policy::measure),
    ("hop_durable", hop_durable::measure),
    ("fairness", fairness::measure_new),
    ("fairness_known", fairness::measure_known),
    ("upgrade", upgrade::measure),
    ("density", density::measure),
    ("growth", growth::measure),
    ("durable_turns", durable_turns::measure),
    ("durable_ask", durable_ask::measure),
    ("recovery", recovery::measure),
    ("audit_write", audit_write::measure),
];

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
    // Cargo passes `--bench`.
    let (options, groups): (Vec<String>, Vec<String>) = env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let plan = if options.iter().any(|option| option == "--quick") {
        Plan::QUICK
    } else {
        Plan::FULL
    };
    for (name, measure) in density::ALONE {
        if groups == [name] {
            println!("{}", measure(plan)?);
            return Ok(());
        }
    }
    for (name, live) in killed::LIVES {
        if groups == [name] {
            return live(plan);
        }
    }
    for (group, measure) in GROUPS {
        if groups.is_empty() || groups.iter().any(|chosen| chosen == group) {
            for figure in measure(plan)? {
                println!("{}", figure.line());
            }
        }
    }
    Ok(())
}
