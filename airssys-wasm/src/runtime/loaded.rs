//! A component that was loaded by handle, with the one instance that serves it.

// Layer 1: Standard library imports
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::SystemTime;

// Layer 2: Third-party crate imports
use tokio::runtime::Builder;

// Layer 3: Internal module imports
use crate::core::component::MessagePayload;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
use crate::core::storage::keyspace::Keyspace;
use crate::core::time::unix_ms;
use crate::core::turn::call::Reply;
use crate::core::turn::context::TurnContext;
use crate::core::turn::report::TurnOutcome;
use crate::core::turn::surroundings::Nobody;
use crate::runtime::compiled::CompiledComponent;
use crate::runtime::outline::{CALLBACK, HANDLER};
use crate::runtime::settings::InstanceSettings;
use crate::runtime::store::StoreManager;

/// What a turn is about.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A message.
    Message(&'a ComponentMessage),
    /// The reply to an earlier request.
    Reply(&'a Reply),
}

/// What stands behind a handle: an instance that is made when it is first called, and
/// made anew, from the committed state, after it failed.
pub(crate) struct LoadedComponent {
    store: StoreManager,
    turns: u64,
}

impl LoadedComponent {
    pub(crate) fn new(id: &ComponentId, component: Arc<CompiledComponent>) -> Self {
        let settings = InstanceSettings {
            surroundings: Arc::new(Nobody {
                component: id.component().to_owned(),
            }),
            ..InstanceSettings::new(id.clone())
        };
        Self {
            store: StoreManager::new(component, settings, Keyspace::default()),
            turns: 0,
        }
    }

    /// Runs one turn to its end, and commits what it wrote.
    pub(crate) fn run(&mut self, input: Input<'_>) -> Result<Option<MessagePayload>, WasmError> {
        let component = self.store.component();
        match input {
            Input::Message(_) => component.require_export(HANDLER)?,
            Input::Reply(_) => component.require_export(CALLBACK)?,
        }
        if component.may_suspend() {
            block_on(self.turn(input))
        } else {
            poll_once(self.turn(input))
        }
    }

    async fn turn(&mut self, input: Input<'_>) -> Result<Option<MessagePayload>, WasmError> {
        if !self.store.is_live() {
            let context = self.next_context();
            let effects = self.store.activate(context).await?;
            self.store.commit(effects);
        }
        let context = self.next_context();
        let report = match input {
            Input::Message(message) => self.store.handle_message(message, context).await?,
            Input::Reply(reply) => self.store.handle_callback(reply, context).await?,
        };
        let fault = |kind, why| Err(WasmError::RuntimeError(GuestFault::new(kind, why)));
        match report.outcome {
            TurnOutcome::Replied(reply) => {
                self.store.commit(report.effects);
                Ok(reply)
            }
            TurnOutcome::Rejected(why) => fault(FaultKind::Rejected, why),
            TurnOutcome::Retry(why) => fault(FaultKind::RetryRequested, why),
        }
    }

    fn next_context(&mut self) -> TurnContext {
        self.turns += 1;
        TurnContext {
            turn: self.turns,
            now_ms: unix_ms(SystemTime::now()),
            seed: rand::random(),
            ..TurnContext::default()
        }
    }
}

/// Finishes a turn that cannot wait for anything.
fn poll_once<T>(turn: impl Future<Output = Result<T, WasmError>>) -> Result<T, WasmError> {
    match pin!(turn).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(WasmError::RuntimeError(GuestFault::new(
            FaultKind::Other,
            "a host function that must not wait did",
        ))),
    }
}

/// Waits for a turn on a thread of its own, since the caller's may belong to an async
/// runtime, where waiting is forbidden. Costs about 50 µs.
fn block_on<T: Send>(
    turn: impl Future<Output = Result<T, WasmError>> + Send,
) -> Result<T, WasmError> {
    let unable = |e| WasmError::InstantiationFailed(format!("no thread to wait on: {e}"));
    let wait = || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.map_err(unable)?.block_on(turn)
    };
    thread::scope(|scope| {
        let waiting = thread::Builder::new()
            .name("airssys-call".into())
            .spawn_scoped(scope, wait)
            .map_err(unable)?;
        waiting.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
