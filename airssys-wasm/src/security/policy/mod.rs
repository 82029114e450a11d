//! An operator's rules above grants, written in Cedar.
