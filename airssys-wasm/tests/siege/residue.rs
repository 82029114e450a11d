//! What an attack could leave behind: in a system, and in the process.

// Layer 1: Standard library imports
use std::fs;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::system::handle::System;

/// How much more memory a process may have than before. Its allocator gives back what lies
/// between other things late or never.
const SPARE_BYTES: u64 = 64 << 20;

/// How long a process may take to let go of threads, and of processes that it has started.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a system has open at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Residue {
    live_actors: Vec<String>,
    timers: usize,
    requests: usize,
    subscriptions: usize,
    waiting: usize,
    waiting_bytes: u64,
    on_disk: u64,
    on_disk_bytes: u64,
    dead_letters: usize,
    storage_keys: u64,
    memory_bytes: u64,
    given_up_actors: usize,
}

impl Residue {
    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.waiting == 0 && self.requests == 0
    }

    pub(crate) fn of(system: &System) -> Self {
        let status = system.status();
        let actors = system.list();
        Self {
            live_actors: actors.iter().map(|it| it.address.to_string()).collect(),
            timers: status.open.timers,
            requests: status.open.requests,
            subscriptions: status.open.subscriptions,
            waiting: status.components.iter().map(|it| it.waiting).sum(),
            waiting_bytes: status.components.iter().map(|it| it.waiting_bytes).sum(),
            on_disk: status.components.iter().map(|it| it.on_disk).sum(),
            on_disk_bytes: status.components.iter().map(|it| it.on_disk_bytes).sum(),
            dead_letters: status.dead_letters,
            storage_keys: status.components.iter().map(|it| it.storage_keys).sum(),
            // The neighbour's is what it counts as well, of which there is ever more.
            memory_bytes: (status.components.iter())
                .filter(|it| !it.name.starts_with("demo/"))
                .map(|it| it.memory_bytes)
                .sum(),
            given_up_actors: status.given_up_actors.len(),
        }
    }
}

/// What a process has at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    threads: usize,
    children: usize,
    files: usize,
    resident_bytes: u64,
}

impl Process {
    pub(crate) fn now() -> Self {
        let entries = |folder| fs::read_dir(folder).map_or(0, Iterator::count);
        let statm = fs::read_to_string("/proc/self/statm").expect("memory in pages");
        let resident = statm
            .split(' ')
            .nth(1)
            .and_then(|it| it.parse::<u64>().ok());
        Self {
            threads: threads(),
            children: children(),
            files: entries("/proc/self/fd"),
            resident_bytes: resident.expect("a number of pages") * 4_096,
        }
    }

    /// Waits until the process has no more than it had.
    pub(crate) async fn returns_to(before: Self) {
        let began = Instant::now();
        loop {
            let now = Self::now();
            let is_back = now.threads <= before.threads
                && now.children <= before.children
                && now.files <= before.files
                && now.resident_bytes <= before.resident_bytes + SPARE_BYTES;
            if is_back {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{now:?} is left of {before:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The threads of this process, but for those that wait for their turn to test something:
/// they are named after it.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("threads");
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| !name.contains("::")).count()
}

/// The processes that this one has started, and that have not ended.
fn children() -> usize {
    let tasks = fs::read_dir("/proc/self/task").expect("threads");
    let children =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    children.map(|it| it.split_whitespace().count()).sum()
}
