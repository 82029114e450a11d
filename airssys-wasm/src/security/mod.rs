//! Grants, policy, signatures and the audit log.

pub mod access;
pub mod audit;
pub mod denial;
pub mod granted;
pub mod grants;
pub mod pattern;
pub mod policy;
pub mod signature;
pub(crate) mod wildcard;
