//! How long a well-behaved actor lets whoever asks it wait, with as many endless loops
//! beside it as there are cores, and without.

// Layer 1: Standard library imports
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::runtime::Handle;
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, Spread};
use crate::stage::{NAME, Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;

/// Asks in a window, of which the hundredth part may be slower than the figure.
const ASKS: usize = 20_000;
const PACED_ASKS: usize = 1_000;

/// How long whoever asks now and then rests before the next ask.
const REST: Duration = Duration::from_millis(1);

/// Until endless loops have come to where they stay.
const SETTLING: Duration = Duration::from_millis(100);

/// Longer than the measurement.
const HOG_TURN_MS: u64 = 600_000;
/// Long enough to be seen as slow.
const SCOUT_TURN_MS: u64 = 50;

/// What becomes of endless loops that nobody knew of.
pub(crate) fn measure_new(plan: Plan) -> Outcome<Vec<Figure>> {
    measure("", plan, |_stage, _system| Ok(()))
}

/// And of those whose component was seen to be slow before.
pub(crate) fn measure_known(plan: Plan) -> Outcome<Vec<Figure>> {
    measure("_known", plan, |stage, system| {
        let system = system.clone();
        stage.run(async move {
            let scout = ComponentId::new("bench", "scout", "one");
            drop(system.ask(&scout, "run", "").await);
            for hog in hogs() {
                system.spawn(&hog).await?;
            }
            Ok(())
        })
    })
}

fn measure(
    suffix: &str,
    plan: Plan,
    prepare: impl FnOnce(&Stage, &System) -> Outcome,
) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(available_parallelism()?.get())?;
    let hog = guest::committed("endless-loop")?;
    let builder = System::builder()
        .defaults(|component| component.grants = Capabilities::trusted())
        .component(NAME, guest::committed("echo")?)
        .component_with("bench/hog", hog.clone(), |hog| endless(hog, HOG_TURN_MS))
        .component_with("bench/scout", hog, |scout| endless(scout, SCOUT_TURN_MS));
    let system = stage.start(builder)?;
    let windows = plan.windows;
    let idle = both(&stage, &system, windows)?;
    prepare(&stage, &system)?;
    let hogged = system.clone();
    stage.run(async move {
        for hog in hogs() {
            hogged.send(&hog, "run", "").await?;
        }
        // Until they have settled where they run.
        sleep(SETTLING).await;
        Ok(())
    })?;
    let beside = both(&stage, &system, windows)?;
    if system
        .list()
        .iter()
        .filter(|it| is_running_hog(&it.address))
        .count()
        != hogs().count()
    {
        return Err("the endless loops ended".into());
    }
    let figure = |name: &str, (ours, floor)| {
        Figure::ratio(format!("fairness_p99{name}{suffix}"), (ours, floor))
    };
    Ok(vec![
        figure("", (beside.0, idle.0)),
        figure("_paced", (beside.1, idle.1)),
    ])
}

fn is_running_hog(address: &ComponentId) -> bool {
    address.name() == "hog"
}

/// As many as there are cores.
fn hogs() -> impl Iterator<Item = ComponentId> {
    let cores = available_parallelism().map_or(1, usize::from);
    (0..cores).map(|i| ComponentId::new("bench", "hog", i.to_string()))
}

fn endless(config: &mut ComponentConfig, turn_ms: u64) {
    config.limits.turn_wall_ms = turn_ms;
    config.limits.turn_fuel = u64::MAX / 2;
    config.retry.attempts = 1;
}

/// The wait that one ask in a hundred exceeds: of asks that follow each other, and of one
/// now and then by a thread that is no part of the runtime.
fn both(stage: &Stage, system: &System, windows: usize) -> Outcome<(Spread, Spread)> {
    let (mut dense, mut paced) = (Vec::new(), Vec::new());
    for _ in 0..windows {
        dense.push(stage.run(one_after_the_other(system.clone()))?);
        let (system, runtime) = (system.clone(), stage.handle());
        let thread = thread::spawn(move || now_and_then(&system, &runtime));
        paced.push(thread.join().map_err(|_| "the asking thread panicked")??);
    }
    Ok((Spread::of(dense), Spread::of(paced)))
}

async fn one_after_the_other(system: System) -> Outcome<f64> {
    let payload = payload();
    let mut waits = Vec::with_capacity(ASKS);
    for _ in 0..ASKS {
        let asked = Instant::now();
        system.ask(&actor(0), "say", payload.clone()).await?;
        waits.push(asked.elapsed());
    }
    Ok(p99(waits))
}

fn now_and_then(system: &System, runtime: &Handle) -> Outcome<f64> {
    let payload = payload();
    let mut waits = Vec::with_capacity(PACED_ASKS);
    for _ in 0..PACED_ASKS {
        thread::park_timeout(REST);
        let asked = Instant::now();
        runtime.block_on(system.ask(&actor(0), "say", payload.clone()))?;
        waits.push(asked.elapsed());
    }
    Ok(p99(waits))
}

fn payload() -> MessagePayload {
    MessagePayload::new(vec![b'x'; PAYLOAD_BYTES])
}

fn p99(mut waits: Vec<Duration>) -> f64 {
    waits.sort_unstable();
    waits[waits.len() * 99 / 100].as_nanos() as f64
}
