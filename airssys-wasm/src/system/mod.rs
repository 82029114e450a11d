//! The composition root: what a system is made of, and the file that says so.

pub mod component_name;
pub mod config;
pub mod manifest;
pub mod manifest_error;
pub mod manifest_folder;
