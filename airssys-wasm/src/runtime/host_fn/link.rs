//! The linker that all components share.

// Layer 2: Third-party crate imports
use wasmtime::component::{HasData, Linker};
use wasmtime::{Engine, Result};

// Layer 3: Internal module imports
use crate::runtime::bindings;
use crate::runtime::host_fn::messaging::MessagingView;
use crate::runtime::host_fn::rpc::RpcView;
use crate::runtime::host_fn::services::ServicesView;
use crate::runtime::host_fn::storage::StorageView;
use crate::runtime::host_fn::wasi::link as wasi;
use crate::runtime::state::StoreState;

/// A linker with everything that a guest may import.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<StoreState>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    bindings::types::add_to_linker::<_, Types>(l, |_| NoState)?;
    bindings::messaging::add_to_linker::<_, Messaging>(l, |s| MessagingView::new(s))?;
    bindings::rpc::add_to_linker::<_, Rpc>(l, |s| RpcView::new(s))?;
    bindings::storage::add_to_linker::<_, Storage>(l, |s| StorageView::new(s))?;
    bindings::services::add_to_linker::<_, Services>(l, |s| ServicesView::new(s))?;
    wasi::add_to_linker(l)?;
    Ok(linker)
}

/// The interface `types` has no functions and works on nothing.
struct NoState;

impl bindings::types::Host for NoState {}

/// Names the view that each interface gets.
struct Types;
struct Messaging;
struct Rpc;
struct Storage;
struct Services;

impl HasData for Types {
    type Data<'a> = NoState;
}
impl HasData for Messaging {
    type Data<'a> = MessagingView<'a>;
}
impl HasData for Rpc {
    type Data<'a> = RpcView<'a>;
}
impl HasData for Storage {
    type Data<'a> = StorageView<'a>;
}
impl HasData for Services {
    type Data<'a> = ServicesView<'a>;
}
