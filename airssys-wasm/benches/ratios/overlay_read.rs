//! Reading a key that a durable actor has committed, beside an import that hands out a value
//! which it holds.

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::handle::System;

use crate::disk::folder;
use crate::figure::Figure;
use crate::guest;
use crate::host_call::{READS, per_bare_read};
use crate::measure::{Outcome, Plan, compare, per_run, process_time};
use crate::stage::{Stage, actor};

/// How many turns with reads a batch has, and how many with hardly any.
const TURNS: u32 = 50;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(1)?;
    let folder = folder()?;
    let data = folder.path().join("data");
    let component = guest::from_text(include_str!("guests/reads_kept.wat"))?;
    let system = stage.system(component, |_defaults| {}, |system| system.data = Some(data))?;
    let ours = || stage.run(reads(system.clone(), actor(0)));
    // The key is on disk from here on.
    ours()?;
    let engine = WasmtimeEngine::new()?;
    let compared = compare(plan, ours, per_bare_read(plan, &engine)?)?;
    Ok(vec![Figure::ratio("overlay_read", compared)])
}

/// The CPU time of one read: of turns with many, less that of turns with hardly any.
async fn reads(system: System, actor: ComponentId) -> Outcome<f64> {
    let reading = turns(&system, &actor, READS).await?;
    let idle = turns(&system, &actor, 0).await?;
    Ok((reading - idle) / f64::from(READS))
}

async fn turns(system: &System, actor: &ComponentId, reads: u32) -> Outcome<f64> {
    let payload = vec![0; reads as usize];
    let began = process_time();
    for _ in 0..TURNS {
        system.ask(actor, "read", payload.clone()).await?;
    }
    Ok(per_run(process_time().saturating_sub(began), TURNS))
}
