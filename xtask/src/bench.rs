//! `cargo xtask bench`: what airssys costs beside what wasmtime costs by itself, and beside
//! peers; as a table and as `target/bench/ratios.json`.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use clap::Args;
use clap::builder::PossibleValuesParser;

// Layer 3: Internal module imports
use figure::{Figure, Ratio};
use peer::besides;
use table::Table;

mod figure;
mod peer;
mod table;

/// The crate that measures peers. It stands outside of the workspace, with a lock file of its
/// own, since they bring another version of wasmtime.
const PEER: &str = "airssys-wasm/benches/peers/Cargo.toml";

/// What is measured in several processes, one after the other.
const REPEATED: [&str; 12] = [
    "call",
    "host_call",
    "instantiate",
    "load",
    "ask",
    "tell",
    "activate",
    "overlay_read",
    "grant_check",
    "policy",
    "guarded",
    "hop_durable",
];
const ROUNDS: usize = 5;

/// What takes long, and each a process of its own.
const ONCE: [&str; 9] = [
    "fairness",
    "fairness_known",
    "upgrade",
    "density",
    "growth",
    "durable_turns",
    "durable_ask",
    "recovery",
    "audit_write",
];

/// Arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Measure less: for a first look, not for conclusions
    #[arg(long)]
    quick: bool,

    /// Leave out the peers, which take minutes to build the first time
    #[arg(long)]
    no_peer: bool,

    /// Measure these groups of figures and no others
    #[arg(value_parser = groups())]
    groups: Vec<String>,
}

/// The names of all groups.
fn groups() -> PossibleValuesParser {
    PossibleValuesParser::new(REPEATED.into_iter().chain(ONCE))
}

/// Builds everything, and only then measures, so that nothing is compiled meanwhile. Prints the
/// table and writes the ratios.
pub(crate) fn run(args: &BenchArgs, root: &Path) -> anyhow::Result<()> {
    let built = ours(root).arg("--no-run").status()?;
    anyhow::ensure!(built.success(), "the benchmarks do not build");
    let peer_built = !args.no_peer && peer(root, "build").status()?.success();

    let mut figures = measure_ours(args, root)?;
    if peer_built {
        let peers = measure(args, || with_groups(peer(root, "run"), args, &[]))?;
        figures.extend(besides(&figures, &peers));
    }

    println!("{}", Table::of(&figures));
    if !peer_built {
        println!("the peers: not built");
    }
    for noisy in figures.iter().filter(|figure| figure.is_noisy()) {
        println!(
            "warning: {} says nothing, so much its floor varied",
            noisy.key
        );
    }
    let path = write(root, &figures)?;
    println!("the ratios are in {}", path.display());
    Ok(())
}

/// The command that builds and measures ours.
fn ours(root: &Path) -> Command {
    let mut command = cargo(root);
    command.args(["bench", "--package", "airssys-wasm", "--bench", "ratios"]);
    command
}

/// The command that builds or runs what measures the peers.
fn peer(root: &Path, subcommand: &str) -> Command {
    let mut command = cargo(root);
    command.args([subcommand, "--release", "--locked"]).args([
        "--manifest-path",
        PEER,
        "--target-dir",
        "target/peers",
    ]);
    command
}

/// What the program that measures is told.
fn with_groups(mut command: Command, args: &BenchArgs, groups: &[&str]) -> Command {
    command.args(["--quiet", "--"]).args(groups);
    if args.quick {
        command.arg("--quick");
    }
    command
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root);
    command
}

/// Measures what was chosen.
fn measure_ours(args: &BenchArgs, root: &Path) -> anyhow::Result<Vec<Figure>> {
    let chosen = |group: &&str| args.groups.is_empty() || args.groups.iter().any(|it| it == group);
    let repeated: Vec<&str> = REPEATED.into_iter().filter(chosen).collect();
    let mut figures = Vec::new();
    if !repeated.is_empty() {
        figures = measure(args, || with_groups(ours(root), args, &repeated))?;
    }
    for group in ONCE.into_iter().filter(chosen) {
        let command = with_groups(ours(root), args, &[group]);
        figures.extend(measure_once(command)?);
    }
    Ok(figures)
}

/// Measures in several processes, since where a process has its code and its memory makes a
/// difference of some percent, for as long as it lives.
fn measure(args: &BenchArgs, command: impl Fn() -> Command) -> anyhow::Result<Vec<Figure>> {
    let rounds = if args.quick { 1 } else { ROUNDS };
    let rounds = (0..rounds).map(|_| measure_once(command()));
    Ok(Figure::over_rounds(rounds.collect::<Result<_, _>>()?))
}

/// Runs a program that prints a figure per line.
fn measure_once(mut command: Command) -> anyhow::Result<Vec<Figure>> {
    command.stderr(Stdio::inherit());
    // With these set, every error that a peer makes and drops costs it a walk of the stack.
    command
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE");
    let output = command.output().context("cannot run cargo")?;
    anyhow::ensure!(output.status.success(), "the measurement failed");
    String::from_utf8(output.stdout)?
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("no figure: {line}")))
        .collect()
}

fn write(root: &Path, figures: &[Figure]) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join("ratios.json");
    let mut text = serde_json::to_string_pretty(&ratios(figures))?;
    text.push('\n');
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Every figure under its key.
fn ratios(figures: &[Figure]) -> BTreeMap<&str, Ratio<'_>> {
    let keyed = |figure| (Figure::key(figure), Figure::to_ratio(figure));
    figures.iter().map(keyed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ratios_are_flat() {
        let spread = |median: f64| json!({ "median": median, "p10": median, "p90": median });
        let figures: Vec<Figure> = serde_json::from_value(json!([
            { "key": "ask_1k", "unit": "ns", "ours": spread(300.0), "floor": spread(250.0) },
            { "key": "load_cached_read", "unit": "ns", "ours": spread(12.0), "floor": null },
        ]))
        .unwrap();
        assert_eq!(
            serde_json::to_value(ratios(&figures)).unwrap(),
            json!({
                "ask_1k": { "ours": 300.0, "floor": 250.0, "ratio": 1.2, "unit": "ns" },
                "load_cached_read": { "ours": 12.0, "floor": null, "ratio": null, "unit": "ns" },
            })
        );
    }
}
