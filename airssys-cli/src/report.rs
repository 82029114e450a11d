//! What came of a trial, for people.

// Layer 1: Standard library imports
use std::io::Write;
use std::iter;

// Layer 3: Internal module imports
use crate::actor::Use;
use crate::distribution::Distribution;
use crate::effect::{Effect, UnansweredCall};
use crate::exit::Exit;
use crate::measurement::Measurement;
use crate::output::{LABEL, QUIET};
use crate::quantity::{bytes, count, time};
use crate::trial::{Trial, Turn};

/// Effects that are shown. With `--json` there are all of them.
const MAX_SHOWN: usize = 20;

/// How wide labels are written, and the columns of a table.
const LABEL_WIDTH: usize = 9;
const COLUMN_WIDTH: usize = 14;

/// A label, which may be empty, and what belongs to it.
type Row = (&'static str, String);

/// Writes what a turn did and took. Where standard error is closed, there is nobody to
/// tell.
pub(crate) fn write(out: &mut impl Write, trial: &Trial) {
    let mut rows = Vec::new();
    let init = trial.activation.iter().flat_map(|a| &a.effects);
    rows.extend(effect_rows("init", init.collect()));
    rows.extend(empty_reply_row(trial));
    rows.extend(trial.turn.iter().flat_map(|turn| done_rows(turn, trial)));
    rows.extend(trial.turn.iter().flat_map(|turn| cost_rows(turn, trial)));
    rows.extend(start_row(trial));
    for (label, text) in rows {
        let _ = writeln!(out, "{LABEL}{label:<LABEL_WIDTH$}{LABEL:#}{text}");
    }
}

/// Says that there is nothing to be seen on standard output.
fn empty_reply_row(trial: &Trial) -> Option<Row> {
    let turn = trial.turn.as_ref().filter(|_| trial.error.is_none())?;
    match &turn.reply {
        Some(reply) if reply.0.is_empty() => Some(("reply", "empty".to_owned())),
        Some(_) => None,
        None => Some(("reply", "none".to_owned())),
    }
}

fn cost_rows(turn: &Turn, trial: &Trial) -> Vec<Row> {
    let limits = &trial.limits;
    let wall = time(turn.cost.wall_ns);
    let fuel = count(turn.cost.guest.fuel);
    let memory = bytes(turn.cost.guest.peak_memory_bytes);
    // The guest keeps its count to itself until it calls the host or returns.
    let fuel = match trial.exit() {
        Exit::Failed | Exit::Timeout | Exit::LimitExceeded => format!("at least {fuel}"),
        _ => fuel,
    };
    let allowed_wall = time(limits.turn_wall_ms.saturating_mul(1_000_000));
    vec![
        ("time", of(&wall, &allowed_wall)),
        ("fuel", of(&fuel, &count(limits.turn_fuel))),
        ("memory", of(&memory, &bytes(limits.memory_bytes))),
    ]
}

/// How much was used of what is allowed.
fn of(used: &str, allowed: &str) -> String {
    format!("{used} {QUIET}of {allowed}{QUIET:#}")
}

fn start_row(trial: &Trial) -> Option<Row> {
    let loaded = time(trial.component.as_ref()?.load_ns);
    let activation = trial.activation.as_ref()?;
    let wall = time(activation.cost.wall_ns);
    let text = match trial.turn.is_none() && trial.repeat.is_none() && trial.error.is_some() {
        true => format!("loaded in {loaded}, failed {wall} later"),
        false => format!("loaded in {loaded}, activated in {wall}"),
    };
    Some(("start", text))
}

/// The calls that a turn made, and the effects that it recorded.
fn done_rows(turn: &Turn, trial: &Trial) -> Vec<Row> {
    let calls = turn.calls.iter().take(MAX_SHOWN);
    let mut rows = labelled("calls", calls.map(UnansweredCall::describe).collect());
    rows.extend(left_out(turn.calls.len()));
    let uses = turn.uses.iter().take(MAX_SHOWN);
    rows.extend(labelled("grants", uses.map(Use::describe).collect()));
    rows.extend(left_out(turn.uses.len()));
    if trial.error.is_some() {
        rows.push((
            "effects",
            "none: a turn that fails leaves no trace".to_owned(),
        ));
    } else if turn.effects.is_empty() {
        rows.push(("effects", "none".to_owned()));
    } else {
        rows.extend(effect_rows("effects", turn.effects.iter().collect()));
        rows.push(("", format!("{QUIET}(recorded, not carried out){QUIET:#}")));
    }
    rows
}

fn effect_rows(label: &'static str, effects: Vec<&Effect>) -> Vec<Row> {
    let total = effects.len();
    let shown = effects.into_iter().take(MAX_SHOWN).map(Effect::describe);
    let shown: Vec<(&str, String)> = shown.collect();
    let width = shown.iter().map(|(verb, _)| verb.len()).max().unwrap_or(0);
    let lines = shown
        .into_iter()
        .map(|(verb, what)| format!("would {verb:<width$} {what}"));
    let mut rows = labelled(label, lines.collect());
    rows.extend(left_out(total));
    rows
}

/// Lines below each other, the first behind the label.
fn labelled(label: &'static str, lines: Vec<String>) -> Vec<Row> {
    iter::once(label)
        .chain(iter::repeat(""))
        .zip(lines)
        .collect()
}

fn left_out(total: usize) -> Option<Row> {
    let more = total.checked_sub(MAX_SHOWN).filter(|more| *more > 0)?;
    let text = format!("… and {} more, which --json shows", count(more as u64));
    Some(("", text))
}

/// The distribution over many turns, as a table.
pub(crate) fn table(measurement: &Measurement) -> String {
    let heads = ["min", "p50", "p90", "p99", "max"];
    let figures = |figures: Distribution, show: &dyn Fn(u64) -> String| figures.values().map(show);
    let memory = bytes(measurement.peak_memory_bytes);
    let turns = count(measurement.turns as u64);
    [
        line("", &heads.map(str::to_owned)),
        line("time", &figures(measurement.wall_ns, &time)),
        line("fuel", &figures(measurement.fuel, &count)),
        line("memory", &[memory]),
        line("turns", &[turns]),
    ]
    .concat()
}

fn line(label: &str, cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| format!("{cell:>COLUMN_WIDTH$}"))
        .collect();
    format!("{label:<LABEL_WIDTH$}{cells}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_columns_below_each_other() {
        let table = table(&Measurement {
            turns: 1_000,
            wall_ns: Distribution::of(vec![8_110, 8_730, 4_420_000]).unwrap(),
            fuel: Distribution::of(vec![1_000_000_000]).unwrap(),
            peak_memory_bytes: 128 << 10,
        });
        assert_eq!(
            table.lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "                    min           p50           p90           p99           max",
                "time            8.11 µs       8.73 µs       4.42 ms       4.42 ms       4.42 ms",
                "fuel      1,000,000,000 1,000,000,000 1,000,000,000 1,000,000,000 1,000,000,000",
                "memory          128 KiB",
                "turns             1,000",
            ]
        );
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(left_out(MAX_SHOWN), None);
        let (_, text) = left_out(MAX_SHOWN + 1_004).unwrap();
        assert_eq!(text, "… and 1,004 more, which --json shows");
    }

    #[test]
    fn only_the_first_of_several_lines_has_the_label() {
        let lines = vec!["a".to_owned(), "b".to_owned()];
        let labels: Vec<&str> = labelled("x", lines).into_iter().map(|(l, _)| l).collect();
        assert_eq!(labels, ["x", ""]);
    }
}
