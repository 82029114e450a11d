//! Compiling components where it can be broken off.
//!
//! How long a function takes to compile, and how much memory, is not bounded by its size: 30 KB
//! made for it take half a minute and 1.4 GB. A thread cannot be stopped from outside, and memory
//! belongs to a process. So a host that takes components from strangers compiles each in a
//! process of its own, a [worker], which it starts by a [command]. What the two tell each other
//! is in `task.rs`.

pub mod command;
pub(crate) mod task;
pub mod worker;
