//! Asking durable actors, each turn of which writes one key, beside one sync of the disk: by
//! one caller, and by many at once.

// Layer 1: Standard library imports
use std::thread::available_parallelism;
use std::time::Instant;

// Layer 2: Third-party crate imports
use tokio::task::JoinSet;

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

use crate::disk::{SyncedFile, folder};
use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, Spread};
use crate::stage::{Stage, actor};

/// How many ask at once, and how often each does in one window.
const CALLERS: [(usize, usize); 3] = [(1, 200), (64, 50), (1_024, 20)];

/// Syncs in one window.
const SYNCS: usize = 100;

const PAYLOAD_BYTES: usize = 100;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(available_parallelism()?.get())?;
    let folder = folder()?;
    let mut file = SyncedFile::new(folder.path())?;
    let data = folder.path().join("data");
    let system = stage.system(
        guest::committed("baton")?,
        |_defaults| {},
        |system| system.data = Some(data),
    )?;
    // Activates all actors.
    let [.., (all, _)] = CALLERS;
    stage.run(waits(system.clone(), all, 1))?;
    let mut syncs = Vec::new();
    let mut asks = CALLERS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..plan.windows {
        let window: Outcome<Vec<f64>> = (0..SYNCS).map(|_| file.sync()).collect();
        syncs.push(percentile(&mut window?, 50));
        for ((p50, p99), (callers, each)) in asks.iter_mut().zip(CALLERS) {
            let mut waits = stage.run(waits(system.clone(), callers, each))?;
            p50.push(percentile(&mut waits, 50));
            p99.push(percentile(&mut waits, 99));
        }
    }
    let sync = Spread::of(syncs);
    let mut figures = Vec::new();
    for ((p50, p99), (callers, _)) in asks.into_iter().zip(CALLERS) {
        for (name, waits) in [("p50", p50), ("p99", p99)] {
            let key = format!("durable_ask_{name}_{callers}");
            figures.push(Figure::ratio(key, (Spread::of(waits), sync)));
        }
    }
    Ok(figures)
}

/// How long each ask took, in nanoseconds, where all callers ask at once, each an actor of its
/// own.
async fn waits(system: System, callers: usize, each: usize) -> Outcome<Vec<f64>> {
    let mut asking = JoinSet::new();
    for caller in 0..callers {
        asking.spawn(asks(system.clone(), caller, each));
    }
    let mut waits = Vec::with_capacity(callers * each);
    while let Some(asked) = asking.join_next().await {
        waits.extend(asked??);
    }
    Ok(waits)
}

async fn asks(system: System, caller: usize, each: usize) -> Outcome<Vec<f64>> {
    let actor = actor(caller);
    let mut waits = Vec::with_capacity(each);
    for _ in 0..each {
        let asked = Instant::now();
        system
            .ask(&actor, "keep", vec![b'x'; PAYLOAD_BYTES])
            .await?;
        waits.push(asked.elapsed().as_nanos() as f64);
    }
    Ok(waits)
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * percent / 100]
}
