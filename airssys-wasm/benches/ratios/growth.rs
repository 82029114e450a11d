//! Asking actors of which ever more exist, most of them not live: those of a working set,
//! and any of them. And what a working set costs by itself, since its actors do not all fit
//! into the processor's caches.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

// Layer 2: Third-party crate imports
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::handle::System;

use crate::density::resident_kib;
use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, Spread, per_run};
use crate::ours::message;
use crate::raw::{Raw, RawComponent};
use crate::stage::{Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;
const LIVE: usize = 2_000;
const WORKING_SET: usize = 1_000;
const ASKS: u32 = 20_000;

const SIZES: [(usize, &str); 5] = [
    (1, "1"),
    (100, "100"),
    (10_000, "10k"),
    (100_000, "100k"),
    (1_000_000, "1m"),
];

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(1)?;
    let system = stage.system(
        guest::committed("echo")?,
        |_defaults| {},
        |system| system.max_live_actors = LIVE,
    )?;
    let (mut working, mut any, mut kib) = (Vec::new(), Vec::new(), Vec::new());
    let mut exist = 0;
    for (size, name) in SIZES {
        if size > plan.addresses {
            break;
        }
        stage.run(ask_range(system.clone(), exist, size))?;
        exist = size;
        kib.push((size, resident_kib()?));
        working.push((name, spread(&stage, &system, plan, size.min(WORKING_SET))?));
        any.push((name, spread(&stage, &system, plan, size)?));
    }
    let mut figures = beside_the_best("growth", &working);
    figures.push(working_set(&stage, &system, plan)?);
    figures.extend(beside_the_best("growth_any", &any));
    if let [.., (fewer, before), (more, after)] = kib[..] {
        let each = 1_024.0 * (after - before) / (more - fewer) as f64;
        let each = Spread::of(vec![each]);
        figures.push(Figure::plain("growth_address", each).in_unit("B"));
    }
    Ok(figures)
}

/// The actors of the working set, beside as many instances that are called in the same order.
fn working_set(stage: &Stage, system: &System, plan: Plan) -> Outcome<Figure> {
    let engine = WasmtimeEngine::new()?;
    let linker = Linker::new(engine.engine());
    let component = RawComponent::new(linker, &guest::committed("echo")?)?;
    let raws: Outcome<Vec<Raw>> = (0..WORKING_SET).map(|_| component.instantiate()).collect();
    let raws = Arc::new(Mutex::new(raws?));
    let ours = spread(stage, system, plan, WORKING_SET)?;
    let calls = |number| stage.run(calls(Arc::clone(&raws), number));
    calls(0)?;
    let floor: Outcome<Vec<f64>> = (1..=plan.windows).map(calls).collect();
    Ok(Figure::ratio(
        "growth_working_set",
        (ours, Spread::of(floor?)),
    ))
}

async fn calls(raws: Arc<Mutex<Vec<Raw>>>, number: usize) -> Outcome<f64> {
    let message = message(PAYLOAD_BYTES);
    let mut raws = raws.lock().unwrap_or_else(PoisonError::into_inner);
    let mut random = number as u64 + 1;
    let picks: Vec<_> = (0..ASKS).map(|_| pick(&mut random, WORKING_SET)).collect();
    let started = Instant::now();
    for pick in picks {
        raws[pick].call(&message)?;
    }
    Ok(per_run(started.elapsed(), ASKS))
}

/// Each size beside the one at which an ask takes least.
fn beside_the_best(key: &str, sizes: &[(&str, Spread)]) -> Vec<Figure> {
    let spreads = sizes.iter().map(|(_, spread)| *spread);
    let Some(best) = spreads.min_by(|a, b| a.median().total_cmp(&b.median())) else {
        return Vec::new();
    };
    let figure =
        |(name, spread): &(&str, Spread)| Figure::ratio(format!("{key}_{name}"), (*spread, best));
    sizes.iter().map(figure).collect()
}

async fn ask_range(system: System, first: usize, end: usize) -> Outcome {
    let payload = message(PAYLOAD_BYTES).payload().clone();
    for number in first..end {
        system.ask(&actor(number), "say", payload.clone()).await?;
    }
    Ok(())
}

/// The time of one ask of any of the first `size` actors, after a window to warm up.
fn spread(stage: &Stage, system: &System, plan: Plan, size: usize) -> Outcome<Spread> {
    let window = |number: usize| {
        // What the addresses take is not measured, nor what making them takes.
        let mut random = number as u64 + 1;
        let actors = (0..ASKS).map(|_| actor(pick(&mut random, size))).collect();
        stage.run(asks(system.clone(), actors))
    };
    window(0)?;
    let times: Outcome<Vec<f64>> = (1..=plan.windows).map(window).collect();
    Ok(Spread::of(times?))
}

/// One of as many, by Marsaglia's generator "Xorshift RNGs" (2003).
fn pick(random: &mut u64, size: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random % size as u64) as usize
}

async fn asks(system: System, actors: Vec<ComponentId>) -> Outcome<f64> {
    let payload = message(PAYLOAD_BYTES).payload().clone();
    let started = Instant::now();
    for actor in &actors {
        system.ask(actor, "say", payload.clone()).await?;
    }
    Ok(per_run(started.elapsed(), ASKS))
}
