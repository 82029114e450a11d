//! Grants, policy, signatures and the audit log.

pub mod audit;
pub mod policy;
pub mod signature;
