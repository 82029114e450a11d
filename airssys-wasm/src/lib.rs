//! Run code you don't trust as actors you can rely on.
//!
//! A host for WebAssembly *components* that runs them as actors: one message at a
//! time, each turn within limits that are on by default, and nothing a turn does
//! takes effect unless the turn succeeds.
//!
//! Today this crate is the foundation: it loads components, runs turns, and records
//! what they want to happen. A first program loads a component and sends it a
//! message:
//!
//! ```
//! use airssys_wasm::core::component::MessagePayload;
//! use airssys_wasm::core::component::id::ComponentId;
//! use airssys_wasm::core::component::message::ComponentMessage;
//! use airssys_wasm::runtime::engine::WasmtimeEngine;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = WasmtimeEngine::new()?;
//! let echo = ComponentId::new("demo", "echo", "one");
//! let handle = engine.load_component(&echo, &std::fs::read("../guests/bin/echo.wasm")?)?;
//!
//! let me = ComponentId::new("airssys", "program", "main");
//! let message = ComponentMessage::new(me, echo, "say".to_string(), MessagePayload::new("hello"));
//! let reply = engine.call_handle_message(&handle, &message)?;
//! assert_eq!(reply, Some(MessagePayload::new("hello")));
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! - [`core`]: types and traits, which know no engine, no clock and no sockets.
//! - [`runtime`]: the only place that knows wasmtime.

pub mod component;
pub mod core;
pub mod messaging;
pub mod runtime;
pub mod storage;
pub mod system;
