//! Where actors run: quick ones among the program's own tasks, slow ones apart.

// Layer 1: Standard library imports
use std::future::Future;
use std::io;
use std::thread::available_parallelism;

// Layer 2: Third-party crate imports
use rustix::process::nice;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

// Layer 3: Internal module imports
use crate::core::turn::guest::Pace;

/// By how much the threads of slow actors yield to all others, of 19.
const NICENESS: i32 = 10;

/// The threads that actors run on.
///
/// Quick actors run among the tasks of the runtime that the system was started in, so that
/// asking one costs no change of threads. An actor whose turns take long runs on threads
/// of their own with less priority, where it is interrupted for others of its kind: as
/// many endless loops as there are cores hold up nobody but each other.
#[derive(Debug)]
pub(crate) struct Lanes {
    quick: Handle,
    /// The quick lane, where the system was not started in a runtime of many threads.
    own: Option<Runtime>,
    slow: Option<Runtime>,
}

impl Lanes {
    /// Starts the threads.
    pub(crate) fn start() -> io::Result<Self> {
        let threads = available_parallelism().map_or(1, usize::from);
        let slow = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("airssys-slow")
            .on_thread_start(|| {
                // Where that is forbidden, slow actors compete on equal terms.
                if let Err(error) = nice(NICENESS) {
                    tracing::debug!(target: "airssys", %error, "no less priority");
                }
            })
            .enable_io()
            .enable_time()
            .build()?;
        let ambient = Handle::try_current().ok();
        let shared = ambient.filter(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
        let (quick, own) = match shared {
            Some(shared) => (shared, None),
            None => {
                let own = Builder::new_multi_thread()
                    .worker_threads(threads)
                    .thread_name("airssys-actors")
                    .enable_io()
                    .enable_time()
                    .build()?;
                (own.handle().clone(), Some(own))
            }
        };
        Ok(Self {
            quick,
            own,
            slow: Some(slow),
        })
    }

    /// Runs a task among those of its pace.
    pub(crate) fn spawn(&self, pace: Pace, task: impl Future<Output = ()> + Send + 'static) {
        match (pace, &self.slow) {
            (Pace::Slow, Some(slow)) => drop(slow.spawn(task)),
            _ => drop(self.quick.spawn(task)),
        }
    }

    /// Where quick actors run.
    pub(crate) fn quick(&self) -> &Handle {
        &self.quick
    }
}

impl Drop for Lanes {
    /// A runtime cannot be waited for where it may be dropped: in a task.
    fn drop(&mut self) {
        let runtimes = self.slow.take().into_iter().chain(self.own.take());
        runtimes.for_each(Runtime::shutdown_background);
    }
}
