//! Timing: batches of ours and of the floor by turns, most on the thread's CPU clock.

// Layer 1: Standard library imports
use std::error::Error;
use std::time::Duration;

// Layer 2: Third-party crate imports
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// What may go wrong is told as it comes: nobody handles it.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Batches of each side.
    pub(crate) batches: usize,
    /// The least time that a batch takes.
    pub(crate) batch: Duration,
    /// Windows of what is measured for longer, or upgrades.
    pub(crate) windows: usize,
    /// The largest number of addresses, and the number of live actors.
    pub(crate) addresses: usize,
    pub(crate) live: usize,
}

impl Plan {
    /// For figures to be published.
    pub(crate) const FULL: Self = Self {
        batches: 51,
        batch: Duration::from_millis(5),
        windows: 15,
        addresses: 1_000_000,
        live: 100_000,
    };

    /// Whether this is for a first look.
    pub(crate) fn is_quick(self) -> bool {
        self.batches == Self::QUICK.batches
    }

    /// For a first look.
    pub(crate) const QUICK: Self = Self {
        batches: 31,
        batch: Duration::from_millis(2),
        windows: 5,
        addresses: 10_000,
        live: 10_000,
    };
}

/// Nanoseconds for one run of what was measured: over all batches the middle one, and
/// the ends of the middle eight tenths.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    median: f64,
    p10: f64,
    p90: f64,
}

impl Spread {
    pub(crate) fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |tenths: usize| times[(times.len() - 1) * tenths / 10];
        Self {
            median: at(5),
            p10: at(1),
            p90: at(9),
        }
    }

    /// The middle one.
    pub(crate) fn median(self) -> f64 {
        self.median
    }

    pub(crate) fn to_json(self) -> Value {
        json!({ "median": self.median, "p10": self.p10, "p90": self.p90 })
    }
}

/// Measures two things by turns, so that a machine which gets slower meanwhile is slower
/// for both. Which of them comes first changes from batch to batch.
pub(crate) fn compare(
    plan: Plan,
    mut ours: impl FnMut() -> Outcome<f64>,
    mut floor: impl FnMut() -> Outcome<f64>,
) -> Outcome<(Spread, Spread)> {
    let (mut our_times, mut floor_times) = (Vec::new(), Vec::new());
    for batch in 0..plan.batches {
        if batch % 2 == 0 {
            our_times.push(ours()?);
            floor_times.push(floor()?);
        } else {
            floor_times.push(floor()?);
            our_times.push(ours()?);
        }
    }
    Ok((Spread::of(our_times), Spread::of(floor_times)))
}

/// Measures one thing.
pub(crate) fn alone(plan: Plan, mut sample: impl FnMut() -> Outcome<f64>) -> Outcome<Spread> {
    let times: Outcome<Vec<f64>> = (0..plan.batches).map(|_| sample()).collect();
    Ok(Spread::of(times?))
}

/// Makes batches of `run`: each sample is the time of one run.
pub(crate) fn batches(
    plan: Plan,
    mut run: impl FnMut() -> Outcome,
) -> Outcome<impl FnMut() -> Outcome<f64>> {
    timed_batches(plan, move |runs| sample(runs, &mut run))
}

/// Makes batches of what takes its own time: it runs as often as it is told, and returns
/// the time of one run.
pub(crate) fn timed_batches(
    plan: Plan,
    mut timed: impl FnMut(u32) -> Outcome<f64>,
) -> Outcome<impl FnMut() -> Outcome<f64>> {
    let runs = enough_for_a_batch(plan, &mut timed)?;
    Ok(move || timed(runs))
}

/// How many runs make a batch. Finding out warms up whatever there is to warm up.
pub(crate) fn runs_in_a_batch(plan: Plan, mut run: impl FnMut() -> Outcome) -> Outcome<u32> {
    enough_for_a_batch(plan, |runs| sample(runs, &mut run))
}

fn enough_for_a_batch(plan: Plan, mut timed: impl FnMut(u32) -> Outcome<f64>) -> Outcome<u32> {
    let mut runs = 1;
    while timed(runs)? * f64::from(runs) < plan.batch.as_nanos() as f64 {
        runs *= 2;
    }
    Ok(runs)
}

/// The time of one run, in nanoseconds, over as many `runs`.
pub(crate) fn sample(runs: u32, run: impl FnMut() -> Outcome) -> Outcome<f64> {
    sample_by(cpu_time, runs, run)
}

/// The same by another clock.
pub(crate) fn sample_by(
    clock: fn() -> Duration,
    runs: u32,
    mut run: impl FnMut() -> Outcome,
) -> Outcome<f64> {
    let started = clock();
    for _ in 0..runs {
        run()?;
    }
    Ok(per_run(clock().saturating_sub(started), runs))
}

/// A time divided by as many runs, in nanoseconds.
pub(crate) fn per_run(taken: Duration, runs: u32) -> f64 {
    taken.as_nanos() as f64 / f64::from(runs)
}

/// The time that this thread has computed, in the kernel or out of it.
fn cpu_time() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The time that all threads of this process have computed. For what may change threads.
pub(crate) fn process_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
