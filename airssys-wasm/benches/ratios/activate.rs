//! The first message to an address: the time until its reply, beside instantiating the
//! component and calling it.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::sleep;
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, compare, per_run, process_time};
use crate::ours::message;
use crate::raw::RawComponent;
use crate::stage::{Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;

/// Addresses in a batch. All of them have room at once, and are passivated after it.
const IN_A_BATCH: u32 = 512;

/// Long enough that none is passivated within a batch.
const IDLE_MS: u64 = 50;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    Ok(vec![
        first_message("activate_first_message", "reverse", plan)?,
        // Exports `lifecycle`, so that activating it calls it, which the floor does not.
        first_message("activate_first_message_with_init", "echo", plan)?,
    ])
}

fn first_message(key: &str, guest: &str, plan: Plan) -> Outcome<Figure> {
    let stage = Stage::new(1)?;
    let bytes = guest::committed(guest)?;
    let message = message(PAYLOAD_BYTES);
    let engine = WasmtimeEngine::new()?;
    let component = RawComponent::new(Linker::new(engine.engine()), &bytes)?;
    let component = Arc::new(Mutex::new(component));
    let system = stage.system(
        bytes,
        |component| component.idle_ms = IDLE_MS,
        |_default| {},
    )?;
    let mut used = 0;
    let mut ours = || {
        let (first, payload) = (used, message.payload().clone());
        used += IN_A_BATCH as usize;
        stage.run(first_asks(system.clone(), first, payload))
    };
    let floor = || {
        let (component, message) = (Arc::clone(&component), message.clone());
        stage.run(async move {
            let component = component.lock().unwrap_or_else(PoisonError::into_inner);
            let mut live = Vec::with_capacity(IN_A_BATCH as usize);
            let started = process_time();
            for _ in 0..IN_A_BATCH {
                let mut raw = component.instantiate()?;
                raw.call(&message)?;
                live.push(raw);
            }
            // Dropping them is not part of it, as passivating ours is not.
            Ok(per_run(process_time().saturating_sub(started), IN_A_BATCH))
        })
    };
    // Slots of the pool that were never used take longer.
    ours()?;
    floor()?;
    Ok(Figure::ratio(key, compare(plan, ours, floor)?))
}

/// The CPU time of an ask of an address that was never used. All are passivated when this
/// returns.
async fn first_asks(system: System, first: usize, payload: MessagePayload) -> Outcome<f64> {
    let actors: Vec<_> = (first..first + IN_A_BATCH as usize).map(actor).collect();
    let started = process_time();
    for actor in &actors {
        system.ask(actor, "say", payload.clone()).await?;
    }
    let taken = process_time().saturating_sub(started);
    while system.status().live_actors > 0 {
        sleep(LOOK_AGAIN).await;
    }
    Ok(per_run(taken, IN_A_BATCH))
}
