//! Run code you don't trust as actors you can rely on.
//!
//! A host for WebAssembly *components* that runs them as actors: one message at a
//! time, each turn within limits that are on by default, and nothing a turn does
//! takes effect unless the turn succeeds.
//!
//! A first program starts a system and asks one of its actors:
//!
//! ```
//! use airssys_wasm::system::handle::System;
//!
//! # #[tokio::main(flavor = "multi_thread", worker_threads = 1)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::builder()
//!     .component("demo/counter", "../guests/bin/counter.wasm")
//!     .start()
//!     .await?;
//! let alice = "demo/counter/alice".parse()?;
//! let sum = system.ask(&alice, "add", "5").await?;
//! assert_eq!(sum.unwrap().as_bytes(), b"5");
//! system.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! - [`core`]: types and traits, which know no engine, no clock and no sockets.
//! - [`runtime`]: running components; the only place that knows wasmtime. Its
//!   [`WasmtimeEngine`](runtime::engine::WasmtimeEngine) also calls them by handle, for
//!   programs that have no actors.
//! - [`storage`]: where the state of actors is kept.
//! - [`component`]: one actor: its mailbox, its turns, its life.
//! - [`messaging`]: what lies between actors.
//! - [`system`]: the composition root, and what one talks to:
//!   [`System`](system::handle::System).

pub mod component;
pub mod core;
pub mod messaging;
pub mod runtime;
pub mod security;
pub mod storage;
pub mod system;
