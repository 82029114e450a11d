//! What bytes are fed to, a file each.

pub(crate) mod address;
pub(crate) mod audit_verify;
pub(crate) mod component;
pub(crate) mod data_folder;
pub(crate) mod inspection_diff;
pub(crate) mod manifest;
pub(crate) mod needs;
pub(crate) mod policy;
pub(crate) mod recorded_turn;
pub(crate) mod signature;
pub(crate) mod state_import;
pub(crate) mod store_recovery;
pub(crate) mod target;
