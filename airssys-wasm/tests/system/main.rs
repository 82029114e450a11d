//! Whole systems of real components.

mod basics;
