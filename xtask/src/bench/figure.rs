//! What was measured under one key.

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

/// Where the slower batches of a floor take so many times as long as the quicker ones, the
/// machine was busy with something else.
const NOISY: f64 = 1.5;

/// Ours, and what it is compared with.
#[derive(Deserialize)]
pub(crate) struct Figure {
    pub(crate) key: String,
    unit: String,
    pub(crate) ours: Spread,
    /// What wasmtime takes for the same by itself.
    pub(crate) floor: Option<Spread>,
    /// What a peer takes for the same.
    #[serde(default)]
    pub(crate) peer: Option<Spread>,
}

/// The middle one of all batches, and the ends of the middle eight tenths; in nanoseconds.
#[derive(Deserialize, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
}

/// A figure as it stands in the file.
#[derive(Serialize)]
pub(crate) struct Ratio<'a> {
    ours: f64,
    floor: Option<f64>,
    ratio: Option<f64>,
    unit: &'a str,
}

impl Figure {
    /// Ours ÷ floor.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.floor.map(|floor| self.ours.median / floor.median)
    }

    /// The figure against `floor`.
    pub(crate) fn to_ratio(&self, floor: Option<Spread>) -> Ratio<'_> {
        let ours = self.ours.median;
        let floor = floor.map(|floor| floor.median);
        Ratio {
            ours,
            floor,
            ratio: floor.map(|floor| ours / floor),
            unit: &self.unit,
        }
    }

    /// Whether the floor varied so much that the ratio says nothing.
    pub(crate) fn is_noisy(&self) -> bool {
        self.floor
            .is_some_and(|floor| floor.p90 > NOISY * floor.p10)
    }
}
