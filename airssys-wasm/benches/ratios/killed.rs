//! The lives of a process that ends by being killed.

// Layer 1: Standard library imports
use std::env;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::task::JoinSet;
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::system::handle::System;

use crate::density::resident_kib;
use crate::guest;
use crate::measure::{Outcome, Plan};
use crate::stage::{NAME, Stage, actor};

/// The variables with the folders of data and of compiled components.
pub(crate) const DATA: &str = "AIRSSYS_BENCH_DATA";
pub(crate) const CACHE: &str = "AIRSSYS_BENCH_CACHE";

/// Its lives: the one that makes the data, and those that begin with it.
pub(crate) type Life = (&'static str, fn(Plan) -> Outcome);
pub(crate) const LIVES: [Life; 2] = [(FILL, fill), (OPEN, open)];
pub(crate) const FILL: &str = "recovery_fill";
pub(crate) const OPEN: &str = "recovery_open";

/// How many are asked at once.
const CALLERS: usize = 512;

const STATE_BYTES: usize = 100;

/// Until everything is in the tables that was committed.
const SETTLING: Duration = Duration::from_secs(4);

/// No process lives longer, should nobody kill it.
const MAX_LIFE: Duration = Duration::from_secs(60);

/// What a life tells, on one line.
pub(crate) struct Told {
    /// How long it took until the first answer, or to make the data.
    pub(crate) nanos: f64,
    /// What the process takes of memory at the first answer, or what the second half of the
    /// actors took.
    pub(crate) kib: f64,
}

impl Told {
    fn tell(&self) {
        println!("{} {}", self.nanos, self.kib);
    }

    pub(crate) fn parse(line: &str) -> Outcome<Self> {
        let (nanos, kib) = line.trim().split_once(' ').ok_or("there are no numbers")?;
        Ok(Self {
            nanos: nanos.parse()?,
            kib: kib.parse()?,
        })
    }
}

/// How many actors have state when all is filled, or half of which take `kib` of memory.
pub(crate) fn actors(plan: Plan) -> usize {
    match plan.is_quick() {
        true => 100_000,
        false => 1_000_000,
    }
}

/// Gives all actors state, and lets many work until the process is killed.
fn fill(plan: Plan) -> Outcome {
    let (stage, actors) = (Stage::new(available_parallelism()?.get())?, actors(plan));
    let began = Instant::now();
    let system = stage.run(start())?;
    // Caches have grown by then, and as many are live.
    stage.run(keep_all(system.clone(), 0, actors / 2))?;
    let half = resident_kib()?;
    stage.run(keep_all(system.clone(), actors / 2, actors))?;
    let told = Told {
        nanos: began.elapsed().as_nanos() as f64,
        kib: 2.0 * (resident_kib()? - half),
    };
    told.tell();
    stage.run(work(system, actors))
}

/// Starts, asks one actor for its state, and lets many work until the process is killed.
fn open(plan: Plan) -> Outcome {
    let (stage, actors) = (Stage::new(available_parallelism()?.get())?, actors(plan));
    let has_data = env::var_os(DATA).is_some();
    let (system, nanos) = stage.run(async move {
        let began = Instant::now();
        let system = start().await?;
        let kept = system.ask(&actor(actors / 3), "kept", "").await?;
        let nanos = began.elapsed().as_nanos() as f64;
        if kept.is_some_and(|kept| kept.len() == STATE_BYTES) != has_data {
            return Err("the state is not as it was left".into());
        }
        Ok((system, nanos))
    })?;
    let kib = resident_kib()?;
    Told { nanos, kib }.tell();
    match has_data {
        true => stage.run(work(system, actors)),
        false => stage.run(rest()),
    }
}

/// A system with the folders that the environment names.
async fn start() -> Outcome<System> {
    let cache = env::var_os(CACHE).ok_or("there is no cache")?;
    let data = env::var_os(DATA);
    let builder = System::builder()
        .defaults(|component| component.grants = Capabilities::trusted())
        .component(NAME, guest::committed("baton")?)
        .cache(CompileCache::open(cache)?)
        .configure(|system| system.data = data.map(PathBuf::from));
    Ok(builder.start().await?)
}

/// Has each of these actors keep something, and waits until the tables have it.
async fn keep_all(system: System, first: usize, end: usize) -> Outcome {
    let mut asking = JoinSet::new();
    for caller in 0..CALLERS {
        let own = (first + caller..end).step_by(CALLERS);
        asking.spawn(keep(system.clone(), own));
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    sleep(SETTLING).await;
    Ok(())
}

async fn keep(system: System, own: impl Iterator<Item = usize>) -> Outcome {
    for number in own {
        let state = vec![b'x'; STATE_BYTES];
        system.ask(&actor(number), "keep", state).await?;
    }
    Ok(())
}

/// Has actors here and there keep something.
async fn work(system: System, actors: usize) -> Outcome {
    // It has no divisor in common with how many there are, so that it comes to all of them.
    const STRIDE: usize = 7_919;
    let mut asking = JoinSet::new();
    for caller in 0..CALLERS {
        let own = (caller..).step_by(CALLERS);
        let own = own.map(move |number| number * STRIDE % actors);
        asking.spawn(keep(system.clone(), own));
    }
    let ended = asking.join_next();
    tokio::select! {
        Some(ended) = ended => ended?,
        lived = rest() => lived,
    }
}

async fn rest() -> Outcome {
    sleep(MAX_LIFE).await;
    Err("nobody killed the process".into())
}
