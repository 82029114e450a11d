//! Actors without WebAssembly, in a world whose time the test moves.

pub(crate) mod guest;
pub(crate) mod world;
