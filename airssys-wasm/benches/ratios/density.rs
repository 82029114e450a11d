//! What a live actor that has nothing to do takes of memory, beside an instance in its
//! store that was called as often: with all memories in one mapping, each in a process of
//! its own.

// Layer 1: Standard library imports
use std::env::current_exe;
use std::fs;
use std::process::Command;

// Layer 2: Third-party crate imports
use wasmtime::component::Linker;

// Layer 3: Internal module imports
use airssys_wasm::runtime::config::{EngineConfig, Profile};
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::handle::System;

use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, Spread};
use crate::ours::message;
use crate::raw::RawComponent;
use crate::stage::{Stage, actor};

const PAYLOAD_BYTES: usize = 1_024;
const SPARE: usize = 500;

/// What is measured in a process of its own.
pub(crate) type Alone = (&'static str, fn(Plan) -> Outcome<f64>);
pub(crate) const ALONE: [Alone; 2] = [
    ("density_of_actors", of_actors),
    ("density_of_instances", of_instances),
];

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let [ours, floor] = ALONE.map(|(name, _)| in_a_process(name, plan));
    let compared = (Spread::of(vec![ours?]), Spread::of(vec![floor?]));
    Ok(vec![Figure::ratio("density_100k", compared).in_unit("KiB")])
}

fn in_a_process(name: &str, plan: Plan) -> Outcome<f64> {
    let mut command = Command::new(current_exe()?);
    command.arg(name);
    if plan.is_quick() {
        command.arg("--quick");
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn of_actors(plan: Plan) -> Outcome<f64> {
    let stage = Stage::new(1)?;
    let system = stage.system(
        guest::committed("echo")?,
        |component| component.idle_ms = 3_600_000,
        |system| {
            system.max_live_actors = plan.live + SPARE;
            system.memory = MemoryLayout::Density;
        },
    )?;
    // What the first takes is not for itself alone.
    stage.run(ask_all(system.clone(), 0, 1))?;
    let before = resident_kib()?;
    stage.run(ask_all(system.clone(), 1, plan.live))?;
    let after = resident_kib()?;
    if system.status().live_actors != plan.live {
        return Err("some actors are not live".into());
    }
    Ok((after - before) / (plan.live - 1) as f64)
}

async fn ask_all(system: System, first: usize, end: usize) -> Outcome {
    let payload = message(PAYLOAD_BYTES).payload().clone();
    for number in first..end {
        system.ask(&actor(number), "say", payload.clone()).await?;
    }
    Ok(())
}

fn of_instances(plan: Plan) -> Outcome<f64> {
    let engine = WasmtimeEngine::with_config(EngineConfig {
        profile: Profile::Density {
            instances: u32::try_from(plan.live + SPARE)?,
        },
        ..EngineConfig::default()
    })?;
    let message = message(PAYLOAD_BYTES);
    let linker = Linker::new(engine.engine());
    let component = RawComponent::new(linker, &guest::committed("echo")?)?;
    let mut live = Vec::with_capacity(plan.live);
    let mut before = 0.0;
    for number in 0..plan.live {
        let mut raw = component.instantiate()?;
        raw.call(&message)?;
        live.push(raw);
        if number == 0 {
            before = resident_kib()?;
        }
    }
    Ok((resident_kib()? - before) / (plan.live - 1) as f64)
}

/// What this process takes of memory, page tables included.
pub(crate) fn resident_kib() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut total = 0.0;
    for field in ["VmRSS:", "VmPTE:"] {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        total += kib.ok_or("no such field")?.trim().parse::<f64>()?;
    }
    Ok(total)
}
