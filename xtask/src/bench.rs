//! `cargo xtask bench`: what airssys costs beside what wasmtime costs by itself, and beside a
//! peer; as a table and as `target/bench/ratios.json`.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use clap::Args;

// Layer 3: Internal module imports
use figure::{Figure, Ratio};
use table::Table;

mod figure;
mod table;

/// The crate that measures a peer. It stands outside of the workspace, with a lock file of its
/// own, since the peer brings another version of wasmtime.
const PEER: &str = "airssys-wasm/benches/peers/Cargo.toml";

/// What the peer is measured at, and our figure for the same.
const PEER_KEY: &str = "extism_call_1k";
const OUR_KEY: &str = "call_sync_1k";

/// Processes that measure the same, one after the other.
const ROUNDS: usize = 5;

/// Arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Measure less: for a first look, not for conclusions
    #[arg(long)]
    quick: bool,

    /// Leave out the peer, which takes minutes to build the first time
    #[arg(long)]
    no_peer: bool,
}

/// Builds everything, and only then measures, so that nothing is compiled meanwhile. Prints the
/// table and writes the ratios.
pub(crate) fn run(args: &BenchArgs, root: &Path) -> anyhow::Result<()> {
    let built = ours(root).arg("--no-run").status()?;
    anyhow::ensure!(built.success(), "the benchmarks do not build");
    let peer_built = !args.no_peer && peer(root, "build").status()?.success();

    let mut figures = measure(args, || ours(root))?;
    if peer_built {
        let peers = measure(args, || peer(root, "run"))?;
        let extism = peers.into_iter().find(|figure| figure.key == PEER_KEY);
        let like_ours = figures.iter_mut().find(|figure| figure.key == OUR_KEY);
        if let (Some(extism), Some(ours)) = (extism, like_ours) {
            ours.peer = Some(extism.ours);
        }
    }

    println!("{}", Table::of(&figures));
    if !peer_built {
        println!("extism: not built");
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

/// The command that builds or runs what measures the peer.
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

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root);
    command
}

/// Measures in several processes, since where a process has its code and its memory makes a
/// difference of some percent, for as long as it lives.
fn measure(args: &BenchArgs, command: impl Fn() -> Command) -> anyhow::Result<Vec<Figure>> {
    let rounds = if args.quick { 1 } else { ROUNDS };
    let rounds = (0..rounds).map(|_| measure_once(args, command()));
    Ok(Figure::over_rounds(rounds.collect::<Result<_, _>>()?))
}

/// Runs a program that prints a figure per line.
fn measure_once(args: &BenchArgs, mut command: Command) -> anyhow::Result<Vec<Figure>> {
    command.args(["--quiet", "--"]).stderr(Stdio::inherit());
    // With these set, every error that a peer makes and drops costs it a walk of the stack.
    command
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE");
    if args.quick {
        command.arg("--quick");
    }
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

/// Every figure under its key, and that of ours for which there is a peer's under the peer's
/// key as well, with the peer as its floor.
fn ratios(figures: &[Figure]) -> BTreeMap<&str, Ratio<'_>> {
    let mut ratios = BTreeMap::new();
    for figure in figures {
        ratios.insert(figure.key.as_str(), figure.to_ratio(figure.floor));
        if figure.peer.is_some() {
            ratios.insert(PEER_KEY, figure.to_ratio(figure.peer));
        }
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ratios_are_flat_and_the_peer_is_a_floor_too() {
        let spread = |median: f64| json!({ "median": median, "p10": median, "p90": median });
        let figures: Vec<Figure> = serde_json::from_value(json!([
            { "key": OUR_KEY, "unit": "ns", "ours": spread(300.0), "floor": spread(250.0), "peer": spread(3000.0) },
            { "key": "load_cached_read", "unit": "ns", "ours": spread(12.0), "floor": null },
        ]))
        .unwrap();
        assert_eq!(
            serde_json::to_value(ratios(&figures)).unwrap(),
            json!({
                "call_sync_1k": { "ours": 300.0, "floor": 250.0, "ratio": 1.2, "unit": "ns" },
                "extism_call_1k": { "ours": 300.0, "floor": 3000.0, "ratio": 0.1, "unit": "ns" },
                "load_cached_read": { "ours": 12.0, "floor": null, "ratio": null, "unit": "ns" },
            })
        );
    }
}
