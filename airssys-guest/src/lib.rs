//! Write an airssys actor in Rust: implement [`Actor`], export it with [`export!`].
//!
//! A complete guest, an actor that greets and remembers:
//!
//! ```
//! use airssys_guest::{Actor, Message, TurnError, export, storage};
//!
//! struct Greeter;
//!
//! impl Actor for Greeter {
//!     fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
//!         let name = message.text()?;
//!         let last = storage::get("last")?.unwrap_or_else(|| b"nobody".to_vec());
//!         storage::set("last", name)?;
//!         let last = String::from_utf8_lossy(&last);
//!         Ok(Some(format!("Hello, {name}! Before you came {last}.").into_bytes()))
//!     }
//! }
//! export!(Greeter);
//! ```
//!
//! Its crate has the crate type `cdylib` and is built for the target
//! `wasm32-unknown-unknown`; `wasm-tools component new` makes a component of the
//! result.
//!
//! The handling of one message is a *turn*. What a turn writes, sends and schedules
//! takes effect as one when it succeeds, and not at all when it fails: see
//! [`TurnError`]. What an actor may do is decided by its host at each call, and a
//! refusal is [`HostError::Denied`]. What it needs to be granted it says by [`needs!`].
//!
//! A component imports only those interfaces of the host that it uses. The contract
//! itself is in `wit/`, a copy of the one that the host is built from. On other
//! targets than WebAssembly this crate compiles, so that a guest's own logic can be
//! tested there, but every host function panics.

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod export;
pub mod messaging;
pub mod needs;
pub mod rpc;
pub mod services;
pub mod storage;

#[cfg(feature = "json")]
pub mod json;

mod actor;
mod config;
mod description;
mod duration;
mod error;
mod id;
mod message;
mod reply;
mod wire;

pub use crate::actor::Actor;
pub use crate::config::Config;
pub use crate::description::Description;
pub use crate::error::{CallError, Failure, HostError, TurnError};
pub use crate::id::{Correlation, TimerId};
pub use crate::message::Message;
pub use crate::reply::Reply;
