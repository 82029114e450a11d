//! Where actors are measured: a runtime, in which whoever asks them is a task too.

// Layer 1: Standard library imports
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
use tokio::runtime::{Builder, Handle, Runtime};

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::handle::System;

use crate::measure::{Outcome, process_time, sample_by};
use crate::raw::Raw;

/// The component that is measured.
pub(crate) const NAME: &str = "bench/guest";

/// A runtime. With one worker, whoever asks and whoever is asked run on one thread, as do
/// the raw calls that they are compared with. The clock is the CPU time of all threads:
/// should a turn be moved to another after all, that is part of what it costs.
pub(crate) struct Stage {
    runtime: Handle,
    /// Taken when this is dropped.
    whole: Option<Runtime>,
}

impl Stage {
    /// A runtime with as many workers.
    pub(crate) fn new(workers: usize) -> Outcome<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_time()
            .build()?;
        Ok(Self {
            runtime: runtime.handle().clone(),
            whole: Some(runtime),
        })
    }

    /// Runs a task on a worker and waits for it.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        self.runtime.block_on(self.runtime.spawn(task))?
    }

    /// A handle to the runtime, for threads of one's own.
    pub(crate) fn handle(&self) -> Handle {
        self.runtime.clone()
    }

    /// A system of one component that runs here.
    pub(crate) fn system(
        &self,
        component: Vec<u8>,
        component_settings: impl FnOnce(&mut ComponentConfig),
        system_settings: impl FnOnce(&mut SystemConfig),
    ) -> Outcome<System> {
        self.start(
            System::builder()
                .defaults(|component| component.grants = Capabilities::trusted())
                .component_with(NAME, component, component_settings)
                .configure(system_settings),
        )
    }

    /// Starts a system here.
    pub(crate) fn start(&self, builder: SystemBuilder) -> Outcome<System> {
        self.run(async move { Ok(builder.start().await?) })
    }

    /// The CPU time of a raw call on a worker, over as many runs.
    pub(crate) fn calls(
        &self,
        raw: &Arc<Mutex<Raw>>,
        message: &ComponentMessage,
        runs: u32,
    ) -> Outcome<f64> {
        let (raw, message) = (Arc::clone(raw), message.clone());
        self.run(async move {
            let mut raw = raw.lock().unwrap_or_else(PoisonError::into_inner);
            sample_by(process_time, runs, || raw.call(&message).map(|_reply| ()))
        })
    }
}

impl Drop for Stage {
    /// Waits for nobody: there may be endless loops.
    fn drop(&mut self) {
        if let Some(runtime) = self.whole.take() {
            runtime.shutdown_background();
        }
    }
}

/// An actor of the component that is measured.
pub(crate) fn actor(number: usize) -> ComponentId {
    ComponentId::new("bench", "guest", number.to_string())
}
