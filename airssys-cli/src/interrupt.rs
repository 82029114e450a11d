//! Stopping at Ctrl-C.

// Layer 1: Standard library imports
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::runtime::Builder;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// How long after Ctrl-C a run may take to say what it has so far. Its turn may be in
/// an endless loop.
const GRACE: Duration = Duration::from_millis(200);

/// Whether Ctrl-C was pressed. Shared by its clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Carries out `work`, on a thread of its own since a guest that computes lets nobody
/// else run. At Ctrl-C it is asked to stop and soon abandoned.
///
/// # Errors
///
/// When it was abandoned, or the system lacks what running it takes.
pub(crate) fn until_interrupted<T, F>(
    work: impl FnOnce(Stop) -> F + Send + 'static,
) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| no_runtime(&e))?;
    let handle = runtime.handle().clone();
    let finished = runtime.block_on(async {
        // Listening begins here, before there is anything to interrupt.
        let mut interrupts = signal(SignalKind::interrupt()).map_err(|e| no_runtime(&e))?;
        let stop = Stop::default();
        let asked = stop.clone();
        let mut worker = spawn_blocking(move || handle.block_on(work(asked)));
        let joined = select! {
            joined = &mut worker => joined,
            _ = interrupts.recv() => {
                stop.0.store(true, Ordering::Relaxed);
                timeout(GRACE, worker).await.map_err(|_elapsed| interrupted())?
            }
        };
        joined.map_err(|e| resume_unwind(e.into_panic()))
    });
    // Not waiting for a worker that was abandoned: it ends with the process.
    runtime.shutdown_background();
    finished
}

/// What a run that was stopped by Ctrl-C ends with.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted", "interrupted")
}

fn no_runtime(error: &io::Error) -> Failure {
    Failure::new(Exit::Internal, "internal", "cannot start running turns")
        .because(error)
        .next("the system may be out of threads or open files; see `ulimit -a`")
}
