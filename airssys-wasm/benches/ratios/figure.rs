//! One line of the result.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use crate::measure::Spread;

/// A figure under its key.
pub(crate) struct Figure {
    key: String,
    ours: Spread,
    floor: Option<Spread>,
}

impl Figure {
    /// Ours beside the floor.
    pub(crate) fn ratio(key: impl Into<String>, (ours, floor): (Spread, Spread)) -> Self {
        Self {
            key: key.into(),
            ours,
            floor: Some(floor),
        }
    }

    /// A figure that has no floor.
    pub(crate) fn plain(key: impl Into<String>, ours: Spread) -> Self {
        Self {
            key: key.into(),
            ours,
            floor: None,
        }
    }

    /// The line that `cargo xtask bench` reads.
    pub(crate) fn line(&self) -> String {
        let ours = self.ours.to_json();
        let floor = self.floor.map(Spread::to_json);
        json!({ "key": self.key, "unit": "ns", "ours": ours, "floor": floor }).to_string()
    }
}
