//! How long whoever asks an actor waits when its component changes to another version, in
//! units of how long it waits else.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::spawn;
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, Spread};
use crate::stage::{NAME, Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;

/// How long is asked before a version changes, and after.
const AROUND: Duration = Duration::from_millis(50);

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(available_parallelism()?.get())?;
    let echo = guest::committed("echo")?;
    let system = stage.system(echo.clone(), |_defaults| {}, |_defaults| {})?;
    let mut usual = Vec::new();
    let mut pauses = [const { Vec::new() }; 3];
    for number in 0..plan.windows as u32 {
        let next = guest::renumbered(&echo, number);
        let changes = [Change::Upgrade(next), Change::Rollback, Change::None];
        for (change, pauses) in changes.into_iter().zip(&mut pauses) {
            let (longest, p99) = stage.run(pause(system.clone(), change))?;
            pauses.push(longest);
            usual.push(p99);
        }
    }
    let [upgrade, rollback, none] = pauses.map(Spread::of);
    let usual = Spread::of(usual);
    Ok(vec![
        // The new version is compiled meanwhile, on all cores.
        Figure::ratio("upgrade_pause", (upgrade, usual)),
        // Nothing is: the earlier version was kept.
        Figure::ratio("rollback_pause", (rollback, usual)),
        // Whatever else the machine does.
        Figure::ratio("no_change_pause", (none, usual)),
    ])
}

/// What happens while somebody asks.
enum Change {
    Upgrade(Vec<u8>),
    Rollback,
    /// Nothing, for as long as an upgrade takes.
    None,
}

/// Asks while a change happens. Returns the longest wait after it had begun, and the wait
/// that one ask in a hundred exceeded before.
async fn pause(system: System, change: Change) -> Outcome<(f64, f64)> {
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = spawn(asks(system.clone(), Arc::clone(&is_over)));
    sleep(AROUND).await;
    let began = Instant::now();
    let report = match change {
        Change::Upgrade(next) => Some(system.upgrade(NAME, next).await?),
        Change::Rollback => Some(system.rollback(NAME, None).await?),
        Change::None => {
            sleep(AROUND).await;
            None
        }
    };
    if report.is_some_and(|report| report.switched != 1 || report.is_reverted) {
        return Err("the actor has not switched".into());
    }
    sleep(AROUND).await;
    is_over.store(true, Ordering::Relaxed);
    let waits = asking.await??;
    let (before, after): (Vec<_>, Vec<_>) = waits.into_iter().partition(|(at, _)| *at < began);
    let longest = after.iter().map(|(_, wait)| *wait).max();
    let mut before: Vec<Duration> = before.into_iter().map(|(_, wait)| wait).collect();
    before.sort_unstable();
    let p99 = before.get(before.len() * 99 / 100);
    let nanos = |wait: Option<Duration>| wait.map_or(0.0, |wait| wait.as_nanos() as f64);
    Ok((nanos(longest), nanos(p99.copied())))
}

/// When each answer came, and how long after the one before.
async fn asks(system: System, is_over: Arc<AtomicBool>) -> Outcome<Vec<(Instant, Duration)>> {
    let payload = MessagePayload::new(vec![b'x'; PAYLOAD_BYTES]);
    let mut waits = Vec::new();
    let mut last = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        system.ask(&actor(0), "say", payload.clone()).await?;
        let now = Instant::now();
        waits.push((now, now.duration_since(last)));
        last = now;
    }
    Ok(waits)
}
