//! Telling actors 1 KiB, beside raw calls of the same component: one actor whose mailbox
//! never runs dry, and ten thousand by turns.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
use tokio::task::yield_now;
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, compare, per_run, process_time, sample_by, timed_batches};
use crate::ours::message;
use crate::raw::{Raw, RawComponent};
use crate::stage::{Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;

/// Actors that are live, and are told something by turns.
const ACTORS: usize = 10_000;
const ROOM: usize = 10_500;

/// How many of them are told something before they get to run.
const IN_A_ROW: usize = 100;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    Ok(vec![hot(plan)?, cold(plan)?])
}

fn sink() -> Outcome<Vec<u8>> {
    guest::from_text(include_str!("guests/sink.wat"))
}

/// One actor that always finds a message.
fn hot(plan: Plan) -> Outcome<Figure> {
    let stage = Stage::new(1)?;
    let sink = sink()?;
    let message = message(PAYLOAD_BYTES);
    let engine = WasmtimeEngine::new()?;
    let raw = Raw::new(Linker::new(engine.engine()), &sink)?;
    let raw = Arc::new(Mutex::new(raw));
    let system = stage.system(sink, |_defaults| {}, |_defaults| {})?;
    let ours = |runs| stage.run(tells(system.clone(), message.clone(), runs));
    let compared = compare(
        plan,
        timed_batches(plan, ours)?,
        timed_batches(plan, |runs| stage.calls(&raw, &message, runs))?,
    )?;
    Ok(Figure::ratio("tell_hot", compared))
}

/// The CPU time of one tell: sent until the mailbox is full, then again when the actor has
/// run. The last is asked for, so that all are handled.
async fn tells(system: System, message: ComponentMessage, runs: u32) -> Outcome<f64> {
    let (to, payload) = (actor(0), message.payload());
    let started = process_time();
    for _ in 1..runs {
        let mut sent = system.send(&to, "say", payload.clone()).await;
        while let Err(refused) = sent {
            if refused.reason != Refusal::MailboxFull {
                return Err(refused.into());
            }
            yield_now().await;
            sent = system.send_message(*refused.message).await;
        }
    }
    while system.ask(&to, "say", payload.clone()).await.is_err() {
        yield_now().await;
    }
    Ok(per_run(process_time().saturating_sub(started), runs))
}

/// Ten thousand actors, each of which has to be found, woken and brought back into the
/// caches.
fn cold(plan: Plan) -> Outcome<Figure> {
    let stage = Stage::new(1)?;
    let sink = sink()?;
    let message = message(PAYLOAD_BYTES);
    let system = stage.system(
        sink.clone(),
        |_defaults| {},
        |system| {
            system.max_live_actors = ROOM;
            system.memory = MemoryLayout::Density;
        },
    )?;
    let engine = WasmtimeEngine::with_config(EngineConfig {
        profile: Profile::Density {
            instances: ROOM as u32,
        },
        ..EngineConfig::default()
    })?;
    let component = RawComponent::new(Linker::new(engine.engine()), &sink)?;
    let raws: Outcome<Vec<Raw>> = (0..ACTORS).map(|_| component.instantiate()).collect();
    let raws = Arc::new(Mutex::new(raws?));
    let actors: Arc<[ComponentId]> = (0..ACTORS).map(actor).collect();
    let ours = |rounds| stage.run(tells_all(system.clone(), Arc::clone(&actors), rounds));
    let floor = |rounds| {
        let (raws, message) = (Arc::clone(&raws), message.clone());
        stage.run(async move {
            let mut raws = raws.lock().unwrap_or_else(PoisonError::into_inner);
            sample_by(process_time, rounds, || calls_all(&mut raws, &message)).map(each)
        })
    };
    let compared = compare(plan, timed_rounds(ours)?, timed_rounds(floor)?)?;
    Ok(Figure::ratio("tell_10k_cold", compared))
}

/// Batches of one round each, which is long enough, after one that activates all.
fn timed_rounds(
    mut timed: impl FnMut(u32) -> Outcome<f64>,
) -> Outcome<impl FnMut() -> Outcome<f64>> {
    timed(1)?;
    Ok(move || timed(1))
}

fn calls_all(raws: &mut [Raw], message: &ComponentMessage) -> Outcome {
    for raw in raws {
        raw.call(message)?;
    }
    Ok(())
}

/// The CPU time of one tell, over as many rounds.
async fn tells_all(system: System, actors: Arc<[ComponentId]>, rounds: u32) -> Outcome<f64> {
    let payload = message(PAYLOAD_BYTES).payload().clone();
    let handled = handled(&system) + u64::from(rounds) * ACTORS as u64;
    let started = process_time();
    for _ in 0..rounds {
        for row in actors.chunks(IN_A_ROW) {
            for actor in row {
                system.send(actor, "say", payload.clone()).await?;
            }
            yield_now().await;
        }
    }
    let mut taken = process_time().saturating_sub(started);
    // Looking whether all are done takes time of its own, so the clock stands meanwhile.
    while self::handled(&system) < handled {
        let waited = process_time();
        yield_now().await;
        taken += process_time().saturating_sub(waited);
    }
    Ok(each(per_run(taken, rounds)))
}

/// How many messages were handled so far.
fn handled(system: &System) -> u64 {
    let status = system.status();
    status.components.iter().map(|it| it.counts.handled).sum()
}

/// Of a round, the part of one actor.
fn each(round: f64) -> f64 {
    round / ACTORS as f64
}
