//! The figures as a table for people.

// Layer 1: Standard library imports
use std::fmt;

// Layer 3: Internal module imports
use super::figure::{Figure, Spread};

/// What a figure must reach, and what we dream of.
struct Goal {
    key: &'static str,
    measure: Measure,
    goal: f64,
    moonshot: Option<f64>,
}

/// What of a figure the goal is for.
#[derive(Clone, Copy, PartialEq)]
enum Measure {
    /// Its ratio, which is to be small.
    Ratio,
    /// Its ratio, which is to be large: a speed-up, or one of rates.
    SpeedUp,
    /// Ours by itself, which is to be small.
    Ours,
}

const fn ratio(key: &'static str, goal: f64, moonshot: Option<f64>) -> Goal {
    Goal {
        key,
        measure: Measure::Ratio,
        goal,
        moonshot,
    }
}

const GOALS: [Goal; 27] = [
    ratio("call_sync_1k", 1.25, Some(1.1)),
    ratio("host_call", 3.0, None),
    ratio("instantiate", 1.5, None),
    ratio("instantiate_density", 1.5, None),
    ratio("load_cached", 2.0, None),
    ratio("ask_1k", 2.8, Some(2.0)),
    Goal {
        key: "ask_vs_extism",
        measure: Measure::SpeedUp,
        goal: 4.0,
        moonshot: Some(7.0),
    },
    ratio("tell_hot", 1.7, Some(1.3)),
    ratio("tell_10k_cold", 1.5, Some(1.1)),
    ratio("activate_first_message", 3.0, Some(1.5)),
    Goal {
        key: "density_100k",
        measure: Measure::Ours,
        goal: 48.0,
        moonshot: Some(36.0),
    },
    ratio("fairness_p99", 3.0, None),
    ratio("fairness_p99_known", 3.0, None),
    ratio("growth_1", 2.0, None),
    ratio("growth_100", 2.0, None),
    ratio("growth_10k", 2.0, None),
    ratio("growth_100k", 2.0, None),
    ratio("growth_1m", 2.0, None),
    ratio("hop_durable", 2.0, Some(1.2)),
    Goal {
        key: "durable_turns",
        measure: Measure::SpeedUp,
        goal: 0.8,
        moonshot: Some(1.5),
    },
    ratio("durability_tax", 3.0, None),
    ratio("durable_ask_p50_1", 2.0, None),
    ratio("overlay_read", 3.0, None),
    // In nanoseconds.
    Goal {
        key: "grant_check",
        measure: Measure::Ours,
        goal: 100.0,
        moonshot: Some(20.0),
    },
    ratio("ask_1k_guarded", 1.05, None),
    // In milliseconds.
    Goal {
        key: "recovery_1m",
        measure: Measure::Ours,
        goal: 1_000.0,
        moonshot: Some(100.0),
    },
    // In bytes.
    Goal {
        key: "passivated_memory",
        measure: Measure::Ours,
        goal: 64.0,
        moonshot: None,
    },
];

const COLUMNS: usize = 7;
const HEADINGS: [&str; COLUMNS] = [
    "figure", "floor", "ours", "ratio", "goal", "moonshot", "met?",
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
    let text = |number: Option<f64>| number.map(|it| format!("{it:.2}")).unwrap_or_default();
    [
        figure.key.clone(),
        figure
            .floor
            .map(|floor| amount(floor, &figure.unit))
            .unwrap_or_default(),
        amount(figure.ours, &figure.unit),
        text(figure.ratio()),
        text(goal.map(|goal| goal.goal)),
        text(goal.and_then(|goal| goal.moonshot)),
        goal.map(|goal| verdict(figure, goal)).unwrap_or_default(),
    ]
}

fn verdict(figure: &Figure, goal: &Goal) -> String {
    let reached = match goal.measure {
        Measure::Ours => figure.ours.median,
        Measure::Ratio | Measure::SpeedUp => figure.ratio().unwrap_or(f64::NAN),
    };
    let is_reached = |bound: f64| match goal.measure {
        Measure::SpeedUp => reached >= bound,
        Measure::Ratio | Measure::Ours => reached <= bound,
    };
    let verdict = if figure.is_noisy() && goal.measure != Measure::Ours {
        "noisy"
    } else if goal.moonshot.is_some_and(is_reached) {
        "moonshot"
    } else if is_reached(goal.goal) {
        "yes"
    } else {
        "no"
    };
    verdict.to_owned()
}

/// An amount with its spread; a time in a unit in which it is short.
fn amount(spread: Spread, unit: &str) -> String {
    let (unit, divisor) = match spread.median {
        _ if unit != "ns" => (unit, 1.0),
        ns if ns < 10_000.0 => ("ns", 1.0),
        ns if ns < 10_000_000.0 => ("µs", 1_000.0),
        _ => ("ms", 1_000_000.0),
    };
    let digits = usize::from(spread.median / divisor < 100.0);
    let number = |amount: f64| format!("{:.digits$}", amount / divisor);
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
        assert_eq!(row(&other)[3..], ["9.00", "", "", ""]);
    }

    #[test]
    fn a_goal_is_for_a_ratio_a_speed_up_or_an_amount() {
        let dense = figure("density_100k", 35.0, [10.0, 10.0, 10.0]);
        assert_eq!(row(&dense)[COLUMNS - 1], "moonshot");
        let mut fast = figure("ask_vs_extism", 1_000.0, [5_000.0, 5_000.0, 5_000.0]);
        fast.is_speed_up = true;
        assert_eq!(row(&fast)[3..], ["5.00", "4.00", "7.00", "yes"]);
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
figure                   floor                 ours  ratio  goal  moonshot  met?
a             275 ns (270–290)     284 ns (284–284)   1.03
host_call  6170 ns (6000–6200)  12.3 µs (12.3–12.3)   2.00  3.00             yes
"
        );
    }
}
