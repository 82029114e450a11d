//! The figures as a table for people.

// Layer 1: Standard library imports
use std::fmt;

// Layer 3: Internal module imports
use super::figure::{Figure, Spread};

/// The ratio that a figure must not exceed, and the one that we dream of.
struct Goal {
    key: &'static str,
    goal: f64,
    moonshot: Option<f64>,
}

const GOALS: [Goal; 5] = [
    Goal {
        key: "call_sync_1k",
        goal: 1.25,
        moonshot: Some(1.1),
    },
    Goal {
        key: "host_call",
        goal: 3.0,
        moonshot: None,
    },
    Goal {
        key: "instantiate",
        goal: 1.5,
        moonshot: None,
    },
    Goal {
        key: "instantiate_density",
        goal: 1.5,
        moonshot: None,
    },
    Goal {
        key: "load_cached",
        goal: 2.0,
        moonshot: None,
    },
];

const COLUMNS: usize = 8;
const HEADINGS: [&str; COLUMNS] = [
    "figure", "floor", "ours", "extism", "ratio", "goal", "moonshot", "met?",
];

/// The rows, as text.
pub(crate) struct Table(Vec<[String; COLUMNS]>);

impl Table {
    pub(crate) fn of(figures: &[Figure]) -> Self {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        rows.extend(figures.iter().map(row));
        Self(rows)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.0.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        for row in &self.0 {
            let mut line = format!("{:1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(widths).skip(1) {
                line.push_str(&format!("  {cell:>width$}"));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn row(figure: &Figure) -> [String; COLUMNS] {
    let goal = GOALS.iter().find(|goal| goal.key == figure.key);
    let moonshot = goal.and_then(|goal| goal.moonshot);
    [
        figure.key.clone(),
        figure.floor.map(time).unwrap_or_default(),
        time(figure.ours),
        figure.peer.map(time).unwrap_or_default(),
        figure
            .ratio()
            .map(|r| format!("{r:.2}"))
            .unwrap_or_default(),
        goal.map(|goal| format!("{:.2}", goal.goal))
            .unwrap_or_default(),
        moonshot.map(|m| format!("{m:.2}")).unwrap_or_default(),
        goal.map(|goal| verdict(figure, goal)).unwrap_or_default(),
    ]
}

fn verdict(figure: &Figure, goal: &Goal) -> String {
    let ratio = figure.ratio().unwrap_or(f64::INFINITY);
    let verdict = if figure.is_noisy() {
        "noisy"
    } else if goal.moonshot.is_some_and(|moonshot| ratio <= moonshot) {
        "moonshot"
    } else if ratio <= goal.goal {
        "yes"
    } else {
        "no"
    };
    verdict.to_owned()
}

/// A time in a unit in which it is short, with its spread.
fn time(spread: Spread) -> String {
    let (unit, divisor) = match spread.median {
        ns if ns < 10_000.0 => ("ns", 1.0),
        ns if ns < 10_000_000.0 => ("µs", 1_000.0),
        _ => ("ms", 1_000_000.0),
    };
    let digits = usize::from(spread.median / divisor < 100.0);
    let number = |ns: f64| format!("{:.digits$}", ns / divisor);
    let (median, p10, p90) = (spread.median, spread.p10, spread.p90);
    format!(
        "{} {unit} ({}–{})",
        number(median),
        number(p10),
        number(p90)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn figure(key: &str, ours: f64, floor: [f64; 3]) -> Figure {
        serde_json::from_value(json!({
            "key": key,
            "unit": "ns",
            "ours": { "median": ours, "p10": ours, "p90": ours },
            "floor": { "p10": floor[0], "median": floor[1], "p90": floor[2] },
        }))
        .unwrap()
    }

    #[test]
    fn a_goal_is_met_or_not_or_nobody_knows() {
        let quiet = [99.0, 100.0, 101.0];
        for (ours, floor, expected) in [
            (109.0, quiet, "moonshot"),
            (124.0, quiet, "yes"),
            (126.0, quiet, "no"),
            (109.0, [80.0, 100.0, 130.0], "noisy"),
        ] {
            let figure = figure("call_sync_1k", ours, floor);
            assert_eq!(row(&figure)[COLUMNS - 1], expected);
        }
        let other = figure("other", 900.0, quiet);
        assert_eq!(row(&other)[4..], ["9.00", "", "", ""]);
    }

    #[test]
    fn columns_are_aligned() {
        let figures = [
            figure("a", 284.4, [270.0, 275.0, 290.0]),
            figure("host_call", 12_340.0, [6_000.0, 6_170.0, 6_200.0]),
        ];
        assert_eq!(
            Table::of(&figures).to_string(),
            "\
figure                   floor                 ours  extism  ratio  goal  moonshot  met?
a             275 ns (270–290)     284 ns (284–284)           1.03
host_call  6170 ns (6000–6200)  12.3 µs (12.3–12.3)           2.00  3.00             yes
"
        );
    }
}
