//! `cargo xtask advisories`: known vulnerabilities of what is in the lock files.
//!
//! cargo-deny compares them with the RustSec database, which is on GitHub. Where that cannot be
//! reached, it is said that nothing was checked, so that nobody takes silence for a good sign.

// Layer 1: Standard library imports
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use clap::Args;

/// Where cargo-deny fetches the database from.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// The workspaces whose programs others run.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "guests/Cargo.toml"];

/// What `cargo xtask advisories` is told.
#[derive(Args)]
pub(crate) struct AdvisoriesArgs {
    /// Fail when the database cannot be reached
    #[arg(long)]
    require: bool,
    /// A clone of the database, to be used in place of the one on GitHub
    #[arg(long, value_name = "FOLDER")]
    database: Option<PathBuf>,
}

/// Compares the lock files with the database, if it can be had.
pub(crate) fn run(args: &AdvisoriesArgs, root: &Path) -> anyhow::Result<()> {
    let instead = args.database.as_deref().map(clone_at).transpose()?;
    let source = instead.as_deref().unwrap_or(DATABASE);
    if !is_reachable(source)? {
        anyhow::ensure!(
            !args.require,
            "{source} cannot be reached, and nothing was checked; give a clone of it with `--database`"
        );
        println!("advisories: not checked (offline: {source} cannot be reached)");
        return Ok(());
    }
    for workspace in WORKSPACES {
        check(root, workspace, instead.as_deref())?;
    }
    println!("advisories: checked with {source}");
    Ok(())
}

/// The address of a clone in a folder.
fn clone_at(folder: &Path) -> anyhow::Result<String> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", folder.display()))?;
    Ok(format!("file://{}", folder.display()))
}

fn is_reachable(source: &str) -> anyhow::Result<bool> {
    let mut git = Command::new("git");
    git.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=20"])
        .args(["ls-remote", "--exit-code", source, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = git.status().context("cannot run git")?;
    Ok(status.success())
}

fn check(root: &Path, workspace: &str, instead: Option<&str>) -> anyhow::Result<()> {
    let mut deny = Command::new("cargo");
    deny.args(["deny", "--manifest-path", workspace])
        .args(["--config", "deny.toml", "check", "advisories"])
        .current_dir(root);
    if let Some(source) = instead {
        // As cargo-deny has git fetch the database, git can be told where else it is.
        deny.env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("url.{source}.insteadOf"))
            .env("GIT_CONFIG_VALUE_0", DATABASE);
    }
    let status = deny.status().context("cannot run cargo")?;
    anyhow::ensure!(
        status.success(),
        "cargo-deny found something in the lock file beside {workspace}, or could not run: \
         {status}; get it with `cargo install --locked cargo-deny`"
    );
    Ok(())
}
