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
    pub(crate) unit: String,
    pub(crate) ours: Spread,
    /// What wasmtime takes for the same by itself, or a peer.
    pub(crate) floor: Option<Spread>,
    /// Whether the ratio tells how many times as fast ours is, and not as slow.
    #[serde(default)]
    pub(crate) is_speed_up: bool,
}

/// The middle one of all batches, and the ends of the middle eight tenths. Over several rounds:
/// the middle round's middle, and the outermost ends.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
}

impl Spread {
    fn over(self, others: impl Iterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = others.collect();
        all.push(self);
        all.sort_by(|a, b| a.median.total_cmp(&b.median));
        Self {
            median: all[all.len() / 2].median,
            p10: all.iter().map(|s| s.p10).fold(f64::INFINITY, f64::min),
            p90: all.iter().map(|s| s.p90).fold(0.0, f64::max),
        }
    }
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
    /// One figure for each key, in the order of the first round.
    pub(crate) fn over_rounds(mut rounds: Vec<Vec<Self>>) -> Vec<Self> {
        if rounds.is_empty() {
            return Vec::new();
        }
        let mut figures = rounds.remove(0);
        for figure in &mut figures {
            let same = || rounds.iter().flatten().filter(|f| f.key == figure.key);
            let floors = same().filter_map(|other| other.floor);
            figure.floor = figure.floor.map(|floor| floor.over(floors));
            figure.ours = figure.ours.over(same().map(|other| other.ours));
        }
        figures
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Ours ÷ floor, or for a speed-up the other way round.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let ours = self.ours.median;
        self.floor.map(|floor| match self.is_speed_up {
            true => floor.median / ours,
            false => ours / floor.median,
        })
    }

    /// The figure as it stands in the file.
    pub(crate) fn to_ratio(&self) -> Ratio<'_> {
        Ratio {
            ours: self.ours.median,
            floor: self.floor.map(|floor| floor.median),
            ratio: self.ratio(),
            unit: &self.unit,
        }
    }

    /// Whether the floor varied so much that the ratio says nothing.
    pub(crate) fn is_noisy(&self) -> bool {
        self.floor
            .is_some_and(|floor| floor.p90 > NOISY * floor.p10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rounds_become_one() {
        let round = |median: f64| -> Vec<Figure> {
            let spread = json!({ "median": median, "p10": median - 1.0, "p90": median + 1.0 });
            serde_json::from_value(json!([
                { "key": "a", "unit": "ns", "ours": spread, "floor": spread },
                { "key": "b", "unit": "ns", "ours": spread, "floor": null },
            ]))
            .unwrap()
        };
        let figures = Figure::over_rounds(vec![round(20.0), round(10.0), round(60.0)]);
        let expected = Spread {
            median: 20.0,
            p10: 9.0,
            p90: 61.0,
        };
        assert_eq!(figures.len(), 2);
        assert_eq!(figures[0].floor, Some(expected));
        assert_eq!((figures[1].ours, figures[1].floor), (expected, None));
        assert!(Figure::over_rounds(Vec::new()).is_empty());
    }
}
