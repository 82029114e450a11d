//! How long it takes until a system answers whose process was killed while a million actors
//! had state and many were at work, beside a start without data. And what those cost in
//! memory that are not live.

// Layer 1: Standard library imports
use std::env::current_exe;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

// Layer 3: Internal module imports
use crate::disk::folder;
use crate::figure::Figure;
use crate::killed::{CACHE, DATA, FILL, OPEN, Told, actors};
use crate::measure::{Outcome, Plan, Spread};

/// How long actors are at work before the process is killed.
const WORK: Duration = Duration::from_millis(500);

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let folder = folder()?;
    let life = |name, data: Option<&Path>| {
        let mut command = Command::new(current_exe()?);
        command.arg(name).env(CACHE, folder.path().join("cache"));
        command.env_remove(DATA).envs(data.map(|data| (DATA, data)));
        if plan.is_quick() {
            command.arg("--quick");
        }
        killed(command)
    };
    let data = folder.path().join("data");
    let filled = life(FILL, Some(&data))?;
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..plan.windows {
        full.push(life(OPEN, Some(&data))?);
        empty.push(life(OPEN, None)?);
    }
    let ms = |lives: &[Told]| Spread::of(lives.iter().map(|it| it.nanos / 1e6).collect());
    let mut figures = vec![Figure::ratio("recovery_1m", (ms(&full), ms(&empty))).in_unit("ms")];
    // Of few actors the most of it would be caches that still grow.
    if !plan.is_quick() {
        let kib = |lives: &[Told]| Spread::of(lives.iter().map(|it| it.kib).collect()).median();
        let bytes_each = |kib: f64| Spread::of(vec![1_024.0 * kib / actors(plan) as f64]);
        let plain = |key, kib| Figure::plain(key, bytes_each(kib)).in_unit("B");
        // Where they were at work, and were passivated.
        figures.push(plain("passivated_memory", filled.kib));
        // Where they are on disk since an earlier life of the process.
        figures.push(plain("recovered_memory", kib(&full) - kib(&empty)));
    }
    Ok(figures)
}

/// What a process tells before it is killed.
fn killed(mut command: Command) -> Outcome<Told> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let told = line(&mut child);
    if told.is_ok() {
        thread::park_timeout(WORK);
    }
    // This is SIGKILL.
    child.kill()?;
    child.wait()?;
    Told::parse(&told?)
}

fn line(child: &mut Child) -> Outcome<String> {
    let out = child.stdout.as_mut().ok_or("there is no output")?;
    let mut line = String::new();
    match BufReader::new(out).read_line(&mut line)? {
        0 => Err("the process ended before it was killed".into()),
        _ => Ok(line),
    }
}
