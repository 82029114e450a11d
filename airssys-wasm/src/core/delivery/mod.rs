//! Messages on their way.

pub mod dead_letter;
pub mod envelope;
pub mod post;
pub mod refusal;
