//! One line of the result.

// Layer 2: Third-party crate imports
use serde_json::json;

// Layer 3: Internal module imports
use crate::measure::Spread;

/// A figure under its key.
pub(crate) struct Figure {
    key: String,
    unit: &'static str,
    ours: Spread,
    floor: Option<Spread>,
}

impl Figure {
    /// Ours beside the floor.
    pub(crate) fn ratio(key: impl Into<String>, (ours, floor): (Spread, Spread)) -> Self {
        Self {
            key: key.into(),
            unit: "ns",
            ours,
            floor: Some(floor),
        }
    }

    /// A figure that has no floor.
    pub(crate) fn plain(key: impl Into<String>, ours: Spread) -> Self {
        Self {
            key: key.into(),
            unit: "ns",
            ours,
            floor: None,
        }
    }

    /// The figure in another unit than nanoseconds.
    pub(crate) fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The figure under a longer key.
    pub(crate) fn with_suffix(self, suffix: &str) -> Self {
        let key = self.key + suffix;
        Self { key, ..self }
    }

    /// The line that `cargo xtask bench` reads.
    pub(crate) fn line(&self) -> String {
        let ours = self.ours.to_json();
        let floor = self.floor.map(Spread::to_json);
        json!({ "key": self.key, "unit": self.unit, "ours": ours, "floor": floor }).to_string()
    }
}
