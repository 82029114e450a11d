//! The chores of this repository, each a subcommand: `cargo xtask <chore>`.

#![expect(clippy::print_stdout, reason = "a chore reports on the terminal")]

// Layer 1: Standard library imports
use std::path::{Path, PathBuf};
use std::process::ExitCode;

// Layer 2: Third-party crate imports
use clap::{Parser, Subcommand};

// Layer 3: Internal module imports
use advisories::AdvisoriesArgs;
use bench::BenchArgs;
use guests::GuestsArgs;
use verify::VerifyArgs;

mod advisories;
mod bench;
mod guests;
mod tidy;
mod verify;

/// Chores of the airssys repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Look for known vulnerabilities of dependencies
    Advisories(AdvisoriesArgs),
    /// Measure against the floor and against peers
    Bench(BenchArgs),
    /// Build the guest programs in `guests/`, or check the committed binaries
    Guests(GuestsArgs),
    /// Check layers, imports and the other rules that no compiler checks
    Tidy,
    /// Run the sixteen commands that say whether the runtime layer is as specified
    Verify(VerifyArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Advisories(args) => advisories::run(&args, &repository()),
        Chore::Bench(args) => bench::run(&args, &repository()),
        Chore::Guests(args) => guests::run(&args, &repository()),
        Chore::Tidy => tidy::run(&repository()),
        Chore::Verify(args) => verify::run(&args, &repository()),
    }
}

/// The repository's root: the folder above this crate's.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
