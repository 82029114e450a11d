//! A thousand actors at work, each turn of which writes two keys and sends a message to the
//! next one: durable, beside a bare store that is told the same, and beside ephemeral ones.
//! Once with a hundred keys and one for each actor, and once with no more than the two.

// Layer 1: Standard library imports
use std::thread::available_parallelism;

// Layer 3: Internal module imports
use crate::bare_store::{BareStore, logical_bytes};
use crate::disk::{folder, written_bytes};
use crate::figure::Figure;
use crate::measure::{Outcome, Plan, Spread};
use crate::ring::{Kind, Ring, Shape};
use crate::stage::Stage;

const ACTORS: usize = 1_000;

/// One of the two keys is always the same, and the other one of so many.
const ENTRIES: [(&str, u64); 2] = [("", 100), ("_two_keys", 1)];

/// How many turns of the bare store share a sync: the better of the two is the rival.
const WAITING: [u32; 2] = [64, 1_024];
const BARE_TURNS: u32 = 4_096;

/// How many windows are measured of a system or a store, before the other ones have their
/// turn: what one leaves to be written must not fall into the time of another.
const WINDOWS: usize = 5;

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(available_parallelism()?.get())?;
    let mut figures = Vec::new();
    for (suffix, entries) in ENTRIES {
        let actors = ACTORS;
        let shape = Shape { actors, entries };
        let measured = measure_shape(&stage, plan, shape)?;
        let keyed = measured.into_iter().map(|it| it.with_suffix(suffix));
        figures.extend(keyed);
    }
    Ok(figures)
}

fn measure_shape(stage: &Stage, plan: Plan, shape: Shape) -> Outcome<Vec<Figure>> {
    let turns = if plan.is_quick() { 100 } else { 300 };
    let (mut strict, mut ephemeral, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut bare = WAITING.map(|_| Samples::default());
    for _ in 0..plan.windows / WINDOWS {
        let ours = of_durable(stage, shape, turns)?;
        strict.extend(ours.times);
        bytes.extend(ours.bytes);
        ephemeral.extend(of_ephemeral(stage, shape, turns)?);
        for (bare, waiting) in bare.iter_mut().zip(WAITING) {
            let samples = of_bare(shape, waiting)?;
            bare.times.extend(samples.times);
            bare.bytes.extend(samples.bytes);
        }
    }
    let logical = Spread::of(vec![logical_bytes(shape)]);
    let [few, many] = bare.map(|it| (rate(&it.times), it.bytes));
    let (rival, rival_bytes) = match few.0.median() > many.0.median() {
        true => few,
        false => many,
    };
    Ok(vec![
        Figure::ratio("durable_turns", (rate(&strict), rival)).in_unit("/s"),
        Figure::ratio(
            "durability_tax",
            (Spread::of(strict), Spread::of(ephemeral)),
        ),
        Figure::ratio("bytes_per_turn", (Spread::of(bytes), logical)).in_unit("B"),
        Figure::ratio("bytes_per_turn_bare", (Spread::of(rival_bytes), logical)).in_unit("B"),
    ])
}

/// Turns in a second.
fn rate(times: &[f64]) -> Spread {
    Spread::of(times.iter().map(|ns| 1e9 / ns).collect())
}

#[derive(Default)]
struct Samples {
    /// Nanoseconds for a turn.
    times: Vec<f64>,
    /// Bytes on disk for a turn.
    bytes: Vec<f64>,
}

/// Durable actors. After the first window all are live and have all their keys; what each
/// window leaves for the tables is written in the next one.
fn of_durable(stage: &Stage, shape: Shape, turns: u32) -> Outcome<Samples> {
    let folder = folder()?;
    let ring = Ring::start(stage, shape, Some(&folder.path().join("data")))?;
    ring.run_to_disk(Kind::Work, ACTORS, turns)?;
    let before = written_bytes()?;
    let window = |_| ring.run_to_disk(Kind::Work, ACTORS, turns);
    let times: Outcome<Vec<f64>> = (0..WINDOWS).map(window).collect();
    // This brings everything into the tables.
    ring.end()?;
    let run = (WINDOWS * ACTORS) as f64 * f64::from(turns);
    Ok(Samples {
        times: times?,
        bytes: vec![(written_bytes()? - before) / run],
    })
}

fn of_ephemeral(stage: &Stage, shape: Shape, turns: u32) -> Outcome<Vec<f64>> {
    let ring = Ring::start(stage, shape, None)?;
    ring.run_to_disk(Kind::Work, ACTORS, turns)?;
    let window = |_| ring.run_to_disk(Kind::Work, ACTORS, turns);
    let times: Outcome<Vec<f64>> = (0..WINDOWS).map(window).collect();
    ring.end()?;
    times
}

fn of_bare(shape: Shape, waiting: u32) -> Outcome<Samples> {
    let folder = folder()?;
    let mut store = BareStore::new(folder.path(), shape)?;
    store.run(waiting, BARE_TURNS)?;
    let before = written_bytes()?;
    let times: Outcome<Vec<f64>> = (0..WINDOWS)
        .map(|_| store.run(waiting, BARE_TURNS))
        .collect();
    let run = WINDOWS as f64 * f64::from(BARE_TURNS);
    Ok(Samples {
        times: times?,
        bytes: vec![(written_bytes()? - before) / run],
    })
}
