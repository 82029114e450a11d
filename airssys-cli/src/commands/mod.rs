//! One file for each subcommand.

pub(crate) mod inspect;
pub(crate) mod r#try;
