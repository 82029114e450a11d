//! Types and traits that every layer shares.
//!
//! This layer knows neither the WebAssembly engine nor the async runtime, does no
//! input or output, and reads no clock: time and randomness are handed in.

mod ceiling;
pub mod component;
pub mod delivery;
pub mod event;
pub mod limits;
pub mod memory;
pub mod mistake;
pub mod runtime;
pub mod security;
pub mod storage;
pub mod text;
pub mod ticker;
pub mod time;
pub mod turn;
