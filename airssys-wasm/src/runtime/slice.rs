//! The slice of time after which a turn holds up others.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::thread;
use std::time::Duration;

// Layer 2: Third-party crate imports
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use wasmtime::UpdateDeadline;

// Layer 3: Internal module imports
use crate::runtime::pace::Pace;
use crate::runtime::settings::Overrun;

/// How long a turn may compute, once a tick of the epoch has found it computing, before it
/// counts as overrunning.
const SLICE: Duration = Duration::from_millis(1);

/// How long a thread that a guest holds up rests at each tick. It takes another thread
/// about so long to go on with its tasks.
const HAND_OVER: Duration = Duration::from_micros(100);

/// Watches the turns of one instance.
///
/// Most turns end before any tick finds them, and are never looked at. For the others the
/// time is what their thread has computed: a turn that was kept waiting on a busy machine
/// has held up nobody.
#[derive(Debug)]
pub(crate) struct Slice {
    pace: Arc<Pace>,
    overrun: Overrun,
    mode: Mode,
    /// What the thread had computed at the tick that found the turn.
    found: Option<Duration>,
    has_overrun: bool,
}

/// How a guest is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On the stack of whoever calls it. It cannot be interrupted for others to run.
    Direct,
    /// On a stack of its own, which it leaves for others at every other tick and while it
    /// waits.
    Fiber,
}

impl Slice {
    pub(crate) fn new(pace: Arc<Pace>, overrun: Overrun) -> Self {
        Self {
            pace,
            overrun,
            mode: Mode::Direct,
            found: None,
            has_overrun: false,
        }
    }

    /// Begins a turn.
    #[inline]
    pub(crate) fn begin(&mut self, mode: Mode) {
        self.mode = mode;
        self.found = None;
        self.has_overrun = false;
    }

    /// Ends a turn.
    #[inline]
    pub(crate) fn end(&mut self) {
        if !self.has_overrun {
            self.pace.was_quick();
        }
    }

    /// What a guest that has not met its deadline is told at a tick.
    pub(crate) fn at_tick(&mut self) -> UpdateDeadline {
        let computed = computed();
        let Some(found) = self.found else {
            self.found = Some(computed);
            return UpdateDeadline::Continue(1);
        };
        if computed.saturating_sub(found) >= SLICE {
            self.has_overrun = true;
        }
        match self.mode {
            Mode::Fiber => {
                if self.has_overrun {
                    self.pace.overran();
                }
                // Others compute on this thread meanwhile, or it goes on on another.
                self.found = None;
                UpdateDeadline::Yield(1)
            }
            Mode::Direct => {
                if self.has_overrun && self.overrun == Overrun::HandOver {
                    self.pace.overran();
                    hand_over();
                }
                UpdateDeadline::Continue(1)
            }
        }
    }
}

/// What this thread has computed so far. Costs a system call.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Lets another thread go on with the tasks of this one. Should none have come, there is
/// another chance at the next tick; where one has, this is a pause in which others run.
#[expect(
    clippy::disallowed_methods,
    reason = "the thread is held up as it is, and the runtime is known to have others"
)]
fn hand_over() {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
        block_in_place(|| thread::sleep(HAND_OVER));
    }
}
