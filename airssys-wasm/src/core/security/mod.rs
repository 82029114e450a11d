//! What components may do, what they ask for, and what is written down of it.

pub mod address;
pub mod audit;
pub mod capabilities;
pub mod capability;
pub mod principal;
pub mod provisions;
