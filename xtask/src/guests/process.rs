//! Running a tool.

// Layer 1: Standard library imports
use std::process::Command;

// Layer 2: Third-party crate imports
use anyhow::Context as _;

/// Runs a command, which reports on the terminal, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    anyhow::ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
