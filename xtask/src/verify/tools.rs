//! Where the tools that do not come with Rust are, or what to install.

// Layer 1: Standard library imports
use std::env;
use std::path::Path;
use std::process::Command;

/// A tool, the command that needs it and how to get it.
struct Tool {
    command: &'static str,
    program: &'static str,
    install: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        command: "wasm-tools ",
        program: "wasm-tools",
        install: "cargo install --locked wasm-tools",
    },
    Tool {
        command: "cargo llvm-cov ",
        program: "cargo-llvm-cov",
        install: "cargo install --locked cargo-llvm-cov",
    },
];

/// An environment variable and its value.
type Variable = (&'static str, String);

/// The variables that `command` needs to find its tools; fails with what to install if they are
/// missing.
pub(super) fn prepare(command: &str) -> Result<Vec<Variable>, String> {
    let needed = TOOLS.iter().find(|tool| command.starts_with(tool.command));
    if let Some(Tool {
        program, install, ..
    }) = needed.filter(|tool| !on_path(tool.program))
    {
        return Err(format!(
            "{program} is not installed; get it with `{install}`"
        ));
    }
    if command.starts_with("cargo llvm-cov ") {
        llvm()
    } else {
        Ok(Vec::new())
    }
}

/// cargo-llvm-cov needs an LLVM as new as the compiler's, and finds it by itself if the variables
/// are set already or if rustup has installed its own tools.
fn llvm() -> Result<Vec<Variable>, String> {
    let given = env::var_os("LLVM_COV").is_some() && env::var_os("LLVM_PROFDATA").is_some();
    if given || rustup_has_llvm() {
        return Ok(Vec::new());
    }
    let version = rustc(&["-vV"]);
    let major = llvm_major(&version).ok_or("`rustc -vV` names no LLVM version")?;
    let (cov, profdata) = (
        format!("llvm-cov-{major}"),
        format!("llvm-profdata-{major}"),
    );
    if on_path(&cov) && on_path(&profdata) {
        return Ok(vec![("LLVM_COV", cov), ("LLVM_PROFDATA", profdata)]);
    }
    Err(format!(
        "coverage needs llvm-cov and llvm-profdata; get them with `rustup component add llvm-tools` \
         or, on Debian, `apt-get install llvm-{major}`"
    ))
}

/// rustup's component `llvm-tools` stands beside the target's libraries.
fn rustup_has_llvm() -> bool {
    let libraries = rustc(&["--print", "target-libdir"]);
    Path::new(libraries.trim())
        .with_file_name("bin/llvm-cov")
        .is_file()
}

/// What the compiler prints; nothing if it cannot be run.
fn rustc(arguments: &[&str]) -> String {
    let output = Command::new("rustc").args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn llvm_major(version: &str) -> Option<&str> {
    let llvm = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    llvm.split('.').next()
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_up_on_the_path() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program"));
        assert_eq!(prepare("grep -rn x src/"), Ok(Vec::new()));
    }

    #[test]
    fn the_compiler_names_its_llvm() {
        assert_eq!(
            llvm_major("rustc 1.95.0\nhost: a\nLLVM version: 22.1.2\n"),
            Some("22")
        );
        assert_eq!(llvm_major("rustc 1.95.0\n"), None);
    }
}
