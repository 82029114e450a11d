//! The slice of time after which a turn holds up others.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::thread;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use wasmtime::UpdateDeadline;

// Layer 3: Internal module imports
use crate::runtime::pace::Pace;
use crate::runtime::settings::Overrun;

/// How many ticks of the epoch a turn may compute before it counts as overrunning. A
/// turn begins somewhere within a tick, so that one of them tells nothing.
pub(crate) const SLICE_TICKS: u64 = 2;

/// How long a thread that a guest holds up rests at each tick. It takes another thread
/// about so long to go on with its tasks.
const HAND_OVER: Duration = Duration::from_micros(100);

/// Watches the turns of one instance.
#[derive(Debug)]
pub(crate) struct Slice {
    pace: Arc<Pace>,
    overrun: Overrun,
    mode: Mode,
    /// Ticks in which the turn was seen computing.
    ticks: u64,
}

/// How a guest is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On the stack of whoever calls it. It cannot be interrupted for others to run.
    Direct,
    /// On a stack of its own, which it leaves at every tick and while it waits.
    Fiber,
}

impl Slice {
    pub(crate) fn new(pace: Arc<Pace>, overrun: Overrun) -> Self {
        Self {
            pace,
            overrun,
            mode: Mode::Direct,
            ticks: 0,
        }
    }

    /// Begins a turn.
    #[inline]
    pub(crate) fn begin(&mut self, mode: Mode) {
        self.mode = mode;
        self.ticks = 0;
    }

    /// Ends a turn.
    #[inline]
    pub(crate) fn end(&mut self) {
        if self.ticks == 0 {
            self.pace.was_quick();
        }
    }

    /// What a guest that has not met its deadline is told at a tick.
    pub(crate) fn at_tick(&mut self) -> UpdateDeadline {
        match self.mode {
            Mode::Fiber => {
                self.ticks += 1;
                if self.ticks >= SLICE_TICKS {
                    self.pace.overran();
                }
                UpdateDeadline::Yield(1)
            }
            Mode::Direct => {
                self.ticks += SLICE_TICKS;
                if self.overrun == Overrun::HandOver {
                    self.pace.overran();
                    hand_over();
                }
                UpdateDeadline::Continue(1)
            }
        }
    }
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
