//! One turn with 1 KiB in and 1 KiB out, beside the raw typed call of the same component.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tokio::runtime::Builder;
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::runtime::engine::WasmtimeEngine;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, batches, compare};
use crate::ours::{Ours, message};
use crate::raw::Raw;

const PAYLOAD_BYTES: usize = 1024;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    Ok(vec![sync(plan)?, by_handle(plan)?, suspending(plan)?])
}

/// A guest that cannot wait.
fn sync(plan: Plan) -> Outcome<Figure> {
    let engine = Arc::new(WasmtimeEngine::new()?);
    let echo = guest::committed("echo")?;
    let message = message(PAYLOAD_BYTES);
    let mut ours = Ours::new(&engine, &echo, Keyspace::default())?;
    let mut raw = Raw::new(Linker::new(engine.engine()), &echo)?;
    let compared = compare(
        plan,
        batches(plan, || echoed(ours.turn(&message)?))?,
        batches(plan, || echoed(raw.call(&message)?))?,
    )?;
    Ok(Figure::ratio("call_sync_1k", compared))
}

/// The same by handle: behind a lock, with the time and a seed for each turn, committed.
fn by_handle(plan: Plan) -> Outcome<Figure> {
    let engine = WasmtimeEngine::new()?;
    let echo = guest::committed("echo")?;
    let message = message(PAYLOAD_BYTES);
    let handle = engine.load_component(message.to(), &echo)?;
    let mut raw = Raw::new(Linker::new(engine.engine()), &echo)?;
    let ours = || {
        let reply = engine.call_handle_message(&handle, &message)?;
        echoed(reply.map_or(0, |reply| reply.len()))
    };
    let compared = compare(
        plan,
        batches(plan, ours)?,
        batches(plan, || echoed(raw.call(&message)?))?,
    )?;
    Ok(Figure::ratio("call_by_handle_1k", compared))
}

/// A guest that could wait.
fn suspending(plan: Plan) -> Outcome<Figure> {
    let engine = Arc::new(WasmtimeEngine::new()?);
    let waits = guest::from_text(include_str!("guests/waits.wat"))?;
    let message = message(PAYLOAD_BYTES);
    // Our turn has a deadline also while it waits, which takes a timer.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();
    let mut ours = Ours::new(&engine, &waits, Keyspace::default())?;
    let mut raw = Raw::new(Linker::new(engine.engine()), &waits)?;
    let compared = compare(
        plan,
        batches(plan, || echoed(ours.turn(&message)?))?,
        batches(plan, || echoed(raw.call_async(&message)?))?,
    )?;
    Ok(Figure::ratio("call_suspending_1k", compared))
}

fn echoed(bytes: usize) -> Outcome {
    if bytes == PAYLOAD_BYTES {
        Ok(())
    } else {
        Err(format!("{bytes} bytes came back").into())
    }
}
