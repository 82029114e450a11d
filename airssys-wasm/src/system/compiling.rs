//! How many components compile at once, and for how long.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::runtime::errors::WasmError;

/// The most components that wait for a processor. Each holds its bytes.
const MAX_WAITING: usize = 64;

/// Compiles components, each on a thread of its own: no more at once than there are
/// processors, while a few others wait.
///
/// Whoever waits for one that takes too long is told so. Its thread keeps its processor until it
/// is done: one that compiles itself cannot be stopped, and one that waits for a
/// [process](crate::runtime::compiler) ends with that. Nothing waits for it when the system ends.
#[derive(Debug)]
pub(crate) struct Compiling {
    processors: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Compiling {
    fn default() -> Self {
        Self::on(available_parallelism().map_or(1, usize::from))
    }
}

impl Compiling {
    fn on(processors: usize) -> Self {
        Self {
            processors: Arc::new(Semaphore::new(processors)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Compiles something, when there is a processor for it.
    ///
    /// # Errors
    ///
    /// That of `compile`, and [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded)
    /// when it is not done in time, which includes that it waits, or too many wait.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        compile_ms: u64,
        compile: impl FnOnce() -> Result<T, WasmError> + Send + 'static,
    ) -> Result<T, WasmError> {
        let compiled = async {
            let processor = self.processor().await?;
            on_a_thread(processor, compile).await
        };
        let patience = Duration::from_millis(compile_ms);
        let began = Instant::now();
        match timeout(patience, compiled).await {
            // What is there when somebody looks for it may be late all the same.
            Ok(done) if done.is_err() || began.elapsed() < patience => done,
            Ok(_) | Err(_) => {
                let exceeded = LimitExceeded::beyond(Limit::CompileMs, compile_ms);
                Err(WasmError::ResourceLimitExceeded(exceeded))
            }
        }
    }

    async fn processor(&self) -> Result<OwnedSemaphorePermit, WasmError> {
        let waiting = Waiting::among(&self.waiting)?;
        let processor = Arc::clone(&self.processors).acquire_owned().await;
        drop(waiting);
        processor.map_err(|closed| WasmError::InstantiationFailed(closed.to_string()))
    }
}

/// One that waits, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(count: &'a AtomicUsize) -> Result<Self, WasmError> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            let allowed = MAX_WAITING as u64;
            let exceeded = LimitExceeded::beyond(Limit::WaitingCompilations, allowed);
            return Err(WasmError::ResourceLimitExceeded(exceeded));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Not on one of the runtime's threads, since the runtime would not end before those do.
async fn on_a_thread<T: Send + 'static>(
    processor: OwnedSemaphorePermit,
    compile: impl FnOnce() -> Result<T, WasmError> + Send + 'static,
) -> Result<T, WasmError> {
    let (done, compiled) = oneshot::channel();
    let work = move || {
        // Nobody may be waiting any more.
        drop(done.send(compile()));
        drop(processor);
    };
    let started = Builder::new().name("airssys-compile".into()).spawn(work);
    started.map_err(|e| WasmError::InstantiationFailed(format!("no thread to compile on: {e}")))?;
    compiled.await.unwrap_or_else(|_panicked| {
        let why = "the compiler failed at this component";
        Err(WasmError::InstantiationFailed(why.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread::yield_now;
    use tokio::time::{advance, resume};

    fn limit(result: Result<u32, WasmError>) -> Limit {
        let Err(WasmError::ResourceLimitExceeded(exceeded)) = result else {
            panic!("{result:?}");
        };
        exceeded.limit
    }

    #[tokio::test]
    async fn what_comes_out_is_passed_on() {
        let compiling = Compiling::default();
        assert_eq!(compiling.run(60_000, || Ok(7)).await, Ok(7));
        let failed = || Err::<u32, _>(WasmError::InstantiationFailed("no".into()));
        assert_eq!(compiling.run(60_000, failed).await, failed());
        let panics = || -> Result<u32, WasmError> { panic!("at this one") };
        assert!(compiling.run(60_000, panics).await.is_err());
        assert_eq!(compiling.run(60_000, || Ok(8)).await, Ok(8));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_too_long_keeps_its_processor_and_nobody_waiting() {
        let compiling = Compiling::on(1);
        let (end, ended) = mpsc::sync_channel::<()>(0);
        let endless = move || {
            // It ends when the other side is dropped.
            assert!(ended.recv().is_err());
            Ok(1)
        };
        let began = Instant::now();
        assert_eq!(limit(compiling.run(1_000, endless).await), Limit::CompileMs);
        let behind = compiling.run(1_000, || Ok(2)).await;
        assert_eq!(limit(behind), Limit::CompileMs, "it waits as long");
        assert_eq!(began.elapsed().as_secs(), 2);
        drop(end);
        let free = Arc::clone(&compiling.processors).acquire_owned().await;
        drop(free);
        // A thread takes its time, which a paused clock would skip.
        resume();
        assert_eq!(compiling.run(60_000, || Ok(3)).await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_too_late_is_late_though_nobody_looked_meanwhile() {
        let compiling = Compiling::on(1);
        let (end, ended) = mpsc::sync_channel::<()>(0);
        let compile = move || {
            assert!(ended.recv().is_err());
            Ok(1)
        };
        let meanwhile = async {
            drop(end);
            while compiling.processors.available_permits() == 0 {
                yield_now();
            }
            advance(Duration::from_millis(2)).await;
        };
        let (done, ()) = tokio::join!(compiling.run(1, compile), meanwhile);
        assert_eq!(limit(done), Limit::CompileMs);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_wait_and_no_more() {
        let compiling = Compiling::on(0);
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Box::pin(compiling.run(1_000, || Ok(1))))
            .collect();
        let mut waiting = futures_of(waiting);
        waiting.begin();
        let refused = compiling.run(1_000, || Ok(1)).await;
        assert_eq!(limit(refused), Limit::WaitingCompilations);
        drop(waiting);
        assert_eq!(limit(compiling.run(1, || Ok(1)).await), Limit::CompileMs);
    }

    /// Futures that are polled once.
    struct Begun<F>(Vec<F>);

    fn futures_of<F>(futures: Vec<F>) -> Begun<F> {
        Begun(futures)
    }

    impl<F: Future<Output = Result<u32, WasmError>> + Unpin> Begun<F> {
        fn begin(&mut self) {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            for future in &mut self.0 {
                let polled = std::pin::Pin::new(future).poll(&mut cx);
                assert!(polled.is_pending());
            }
        }
    }
}
