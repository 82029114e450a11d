//! Asking an actor, beside the raw typed call of its component: 1 KiB in and out.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex};

// Layer 2: Third-party crate imports
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, compare, per_run, process_time, timed_batches};
use crate::ours::message;
use crate::raw::Raw;
use crate::stage::{Stage, actor};

pub(crate) const PAYLOAD_BYTES: usize = 1_024;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(1)?;
    let echo = guest::committed("echo")?;
    let message = message(PAYLOAD_BYTES);
    let engine = WasmtimeEngine::new()?;
    let raw = Raw::new(Linker::new(engine.engine()), &echo)?;
    let raw = Arc::new(Mutex::new(raw));
    let system = stage.system(echo, |_defaults| {}, |_defaults| {})?;
    let ours = |runs| {
        let asks = asks(system.clone(), actor(0), message.payload().clone(), runs);
        stage.run(asks)
    };
    let compared = compare(
        plan,
        timed_batches(plan, ours)?,
        timed_batches(plan, |runs| stage.calls(&raw, &message, runs))?,
    )?;
    Ok(vec![Figure::ratio("ask_1k", compared)])
}

/// The CPU time of one ask of 1 KiB, over as many that follow each other.
pub(crate) async fn asks(
    system: System,
    actor: ComponentId,
    payload: MessagePayload,
    runs: u32,
) -> Outcome<f64> {
    let started = process_time();
    for _ in 0..runs {
        let reply = system.ask(&actor, "say", payload.clone()).await?;
        if reply.is_none_or(|reply| reply.len() != PAYLOAD_BYTES) {
            return Err("the echo is not what was said".into());
        }
    }
    Ok(per_run(process_time().saturating_sub(started), runs))
}
