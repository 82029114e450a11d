//! The floor: wasmtime by itself, in the very engine that ours runs in.

// Layer 1: Standard library imports
use std::pin::pin;

// Layer 2: Third-party crate imports
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

// Layer 3: Internal module imports
use airssys_wasm::core::component::message::ComponentMessage;

use crate::measure::Outcome;
use crate::ours::finish;
use generated::airssys::actor::types::Message;
use generated::exports::airssys::actor::handler::{Guest, GuestIndices, TurnError};

pub(crate) use generated::airssys::actor::types::HostErrorResult;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "full-actor",
        imports: { "airssys:actor/rpc.call": async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// As much as our limits allow, so that the two arm the same.
const FUEL: u64 = 1_000_000_000;
const EPOCHS: u64 = 5_001;

/// A component that was compiled and linked.
pub(crate) struct RawComponent {
    pre: InstancePre<()>,
    indices: GuestIndices,
}

/// An instance of a component.
pub(crate) struct Raw {
    store: Store<()>,
    guest: Guest,
}

impl RawComponent {
    /// A component whose imports are those of `linker`; what it lacks traps.
    pub(crate) fn new(mut linker: Linker<()>, bytes: &[u8]) -> Outcome<Self> {
        let pre = link(&mut linker, bytes)?;
        let indices = GuestIndices::new(&pre)?;
        Ok(Self { pre, indices })
    }

    /// An instance of it.
    pub(crate) fn instantiate(&self) -> Outcome<Raw> {
        let mut store = store(self.pre.engine())?;
        let instance = self.pre.instantiate(&mut store)?;
        let guest = self.indices.load(&mut store, &instance)?;
        Ok(Raw { store, guest })
    }
}

impl Raw {
    /// An instance whose imports are those of `linker`; what it lacks traps.
    pub(crate) fn new(linker: Linker<()>, bytes: &[u8]) -> Outcome<Self> {
        RawComponent::new(linker, bytes)?.instantiate()
    }

    /// One typed call with fuel and epoch armed afresh, and the length of its reply.
    pub(crate) fn call(&mut self, message: &ComponentMessage) -> Outcome<usize> {
        self.store.set_fuel(FUEL)?;
        self.store.set_epoch_deadline(EPOCHS);
        let handle_message = self.guest.func_handle_message();
        let (reply,) = handle_message.call(&mut self.store, (params(message),))?;
        length(reply)
    }

    /// The same on a stack of its own, which the guest leaves at each epoch.
    pub(crate) fn call_async(&mut self, message: &ComponentMessage) -> Outcome<usize> {
        self.store.set_fuel(FUEL)?;
        self.store.epoch_deadline_async_yield_and_update(1);
        self.store.set_epoch_deadline(1);
        let handle_message = self.guest.func_handle_message();
        let call = pin!(handle_message.call_async(&mut self.store, (params(message),)));
        let (reply,) = finish(call)?;
        length(reply)
    }
}

/// Compiles and links a component; imports that `linker` lacks trap.
pub(crate) fn link(linker: &mut Linker<()>, bytes: &[u8]) -> Outcome<InstancePre<()>> {
    let component = Component::from_binary(linker.engine(), bytes)?;
    linker.define_unknown_imports_as_traps(&component)?;
    Ok(linker.instantiate_pre(&component)?)
}

/// A store in which a guest can run.
pub(crate) fn store(engine: &Engine) -> Outcome<Store<()>> {
    let mut store = Store::new(engine, ());
    store.set_fuel(FUEL)?;
    store.set_epoch_deadline(EPOCHS);
    Ok(store)
}

fn params(message: &ComponentMessage) -> Message<'_> {
    Message {
        sender: message.from().as_str(),
        kind: message.message_type(),
        correlation: message.correlation(),
        payload: message.payload().as_bytes(),
    }
}

fn length(reply: Result<Option<Vec<u8>>, TurnError>) -> Outcome<usize> {
    match reply {
        Ok(reply) => Ok(reply.map_or(0, |reply| reply.len())),
        Err(failed) => Err(format!("the call failed: {failed:?}").into()),
    }
}
