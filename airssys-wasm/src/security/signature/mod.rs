//! Detached signatures of components, and whom to trust.
