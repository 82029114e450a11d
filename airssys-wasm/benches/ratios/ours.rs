//! Our side: an instance in its store, without a mailbox.

// Layer 1: Standard library imports
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::message::ComponentMessage;
use airssys_wasm::core::storage::keyspace::Keyspace;
use airssys_wasm::core::turn::context::TurnContext;
use airssys_wasm::core::turn::report::TurnOutcome;
use airssys_wasm::runtime::engine::WasmtimeEngine;
use airssys_wasm::runtime::loader::ComponentLoader;
use airssys_wasm::runtime::settings::InstanceSettings;
use airssys_wasm::runtime::store::StoreManager;

use crate::measure::Outcome;

/// An activated instance.
pub(crate) struct Ours {
    store: StoreManager,
    turns: u64,
}

impl Ours {
    /// An instance of `bytes` that continues from `keys`.
    pub(crate) fn new(engine: &Arc<WasmtimeEngine>, bytes: &[u8], keys: Keyspace) -> Outcome<Self> {
        let component = ComponentLoader::new(Arc::clone(engine)).load_bytes(bytes)?;
        let mut store = engine.store(&component, settings(), keys);
        finish(pin!(store.activate(context(0))))?;
        Ok(Self { store, turns: 0 })
    }

    /// One turn, which succeeds, and the length of its reply.
    pub(crate) fn turn(&mut self, message: &ComponentMessage) -> Outcome<usize> {
        self.turns += 1;
        let turn = pin!(self.store.handle_message(message, context(self.turns)));
        match finish(turn)?.outcome {
            TurnOutcome::Replied(reply) => Ok(reply.map_or(0, |reply| reply.len())),
            failed => Err(format!("the turn failed: {failed:?}").into()),
        }
    }
}

/// Default limits.
pub(crate) fn settings() -> InstanceSettings {
    InstanceSettings::new(ComponentId::new("bench", "guest", "one"))
}

/// What a turn is given, at a fixed time.
pub(crate) fn context(turn: u64) -> TurnContext {
    TurnContext {
        turn,
        now_ms: 1_700_000_000_000,
        seed: [7; 32],
        ..TurnContext::default()
    }
}

/// A message with as many bytes of payload.
pub(crate) fn message(payload_bytes: usize) -> ComponentMessage {
    let from = ComponentId::new("airssys", "bench", "main");
    let to = ComponentId::new("bench", "guest", "one");
    let payload = MessagePayload::new(vec![b'x'; payload_bytes]);
    ComponentMessage::new(from, to, "say".to_owned(), payload)
}

/// Polls a future until it is done. A turn that cannot wait is done at once; one that could
/// lets others run when an epoch is over, and here there are no others.
pub(crate) fn finish<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
