//! All targets, by name.

// Layer 3: Internal module imports
use super::{
    address, audit_verify, component, inspection_diff, manifest, needs, policy, recorded_turn,
    signature, state_import, store_recovery,
};

/// Something that takes any bytes and does not panic.
pub(crate) struct Target {
    /// As the program and the folder of its corpus are called.
    pub(crate) name: &'static str,
    /// Takes bytes, and panics where it finds something.
    pub(crate) run: fn(&[u8]),
}

impl Target {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::new("address", address::run),
        Self::new("audit_verify", audit_verify::run),
        Self::new("component", component::run),
        Self::new("inspection_diff", inspection_diff::run),
        Self::new("manifest", manifest::run),
        Self::new("needs", needs::run),
        Self::new("policy", policy::run),
        Self::new("recorded_turn", recorded_turn::run),
        Self::new("signature", signature::run),
        Self::new("state_import", state_import::run),
        Self::new("store_recovery", store_recovery::run),
    ];

    const fn new(name: &'static str, run: fn(&[u8])) -> Self {
        Self { name, run }
    }
}
