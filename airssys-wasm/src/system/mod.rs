//! The composition root: what a system is made of, and what one talks to.

mod admission;
pub mod asking;
pub mod builder;
mod burial;
pub mod component_name;
pub mod config;
pub mod data;
pub mod error;
pub mod handle;
pub mod janitor;
pub mod lanes;
pub mod manifest;
pub mod manifest_error;
pub mod manifest_folder;
pub mod neighbourhood;
pub mod node;
pub mod operating;
pub mod program;
mod recovery;
pub mod replay;
mod sending;
pub mod shutdown;
mod sleepers;
pub mod status;
pub mod supervising;
pub mod upgrade;
pub mod waiting;
