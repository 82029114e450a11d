//! `cargo xtask verify`: the sixteen commands that say whether the runtime layer is as specified,
//! each with what it must show.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use clap::Args;

// Layer 3: Internal module imports
use expect::{Expect, Seen};

mod coverage;
mod expect;
mod tools;

/// Arguments of `cargo xtask verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Run only the commands with these numbers
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=16))]
    numbers: Vec<u8>,

    /// Leave out the last command, which builds everything once more
    #[arg(long)]
    skip_coverage: bool,
}

/// A command as it would be typed in `airssys-wasm/`. A number with several commands holds when
/// all of them do.
struct Verification {
    number: u8,
    command: &'static str,
    expect: Expect,
}

const VERIFICATIONS: &[Verification] = &[
    Verification {
        number: 1,
        command: "cargo build -p airssys-wasm",
        expect: Expect::NoWarnings,
    },
    Verification {
        number: 2,
        command: "cargo clippy -p airssys-wasm --all-targets -- -D warnings",
        expect: Expect::NoWarnings,
    },
    Verification {
        number: 3,
        command: "cargo test -p airssys-wasm --lib runtime::engine",
        expect: Expect::Tests { at_least: 7 },
    },
    Verification {
        number: 4,
        command: "cargo test -p airssys-wasm --test engine-integration-tests",
        expect: Expect::Tests { at_least: 11 },
    },
    Verification {
        number: 5,
        command: "cargo test -p airssys-wasm",
        expect: Expect::Tests { at_least: 18 },
    },
    // The runtime knows nothing of the layers above it.
    Verification {
        number: 6,
        command: r#"grep -rn "use crate::component\|use crate::messaging\|use crate::system" src/runtime/"#,
        expect: Expect::Nothing,
    },
    // One error type, `WasmError`, and no second one beside it.
    Verification {
        number: 7,
        command: r#"grep -rn "RuntimeError" src/runtime/engine.rs"#,
        expect: Expect::Nothing,
    },
    Verification {
        number: 8,
        command: r#"grep -rn "use crate::core::runtime::errors::WasmError" src/runtime/engine.rs"#,
        expect: Expect::Prints(&["WasmError"]),
    },
    Verification {
        number: 9,
        command: r##"grep -rn "#\[error(" src/core/runtime/errors.rs"##,
        expect: Expect::Prints(&["#[error("]),
    },
    // No fully qualified names in type annotations.
    Verification {
        number: 10,
        command: r#"grep -rnE "struct\s+\w+\s*\{[^}]*std::::" src/runtime/engine.rs"#,
        expect: Expect::Nothing,
    },
    Verification {
        number: 10,
        command: r#"grep -rnE "fn\s+\w+\([^)]*:std::::" src/runtime/engine.rs"#,
        expect: Expect::Nothing,
    },
    Verification {
        number: 10,
        // Without `-e`, grep takes the arrow for an option.
        command: r#"grep -rnE -e "->\s*Result<std::::|->\s*std::::" src/runtime/engine.rs"#,
        expect: Expect::Nothing,
    },
    Verification {
        number: 11,
        command: r#"grep -A5 "^// Layer" src/runtime/engine.rs | grep -E "^(//|use)" | head -10"#,
        expect: Expect::Prints(&["// Layer 1", "// Layer 2", "// Layer 3", "use "]),
    },
    Verification {
        number: 12,
        command: r#"grep -v "^\s*//" src/runtime/mod.rs | grep -v "^$" | grep -v "^pub mod" | grep -v "^// Future""#,
        expect: Expect::Nothing,
    },
    Verification {
        number: 13,
        command: "ls -lh tests/fixtures/minimal-component.wasm tests/fixtures/minimal-component.wit",
        expect: Expect::Success,
    },
    // More than 100 bytes and less than 1 KiB.
    Verification {
        number: 13,
        command: "find tests/fixtures/minimal-component.wasm -size +100c -size -1024c",
        expect: Expect::Prints(&["minimal-component.wasm"]),
    },
    Verification {
        number: 14,
        command: "wasm-tools validate tests/fixtures/minimal-component.wasm",
        expect: Expect::Success,
    },
    Verification {
        number: 15,
        command: r#"wasm-tools print tests/fixtures/minimal-component.wasm | grep "(component""#,
        expect: Expect::Prints(&["(component"]),
    },
    Verification {
        number: COVERAGE,
        command: coverage::COMMAND,
        expect: Expect::Covered,
    },
];

/// The number of the command that measures coverage.
const COVERAGE: u8 = 16;

/// Runs the commands that `args` choose and prints a line for each; fails if one of them does.
pub(crate) fn run(args: &VerifyArgs, root: &Path) -> anyhow::Result<()> {
    let chosen: Vec<&Verification> = VERIFICATIONS
        .iter()
        .filter(|v| args.choose(v.number))
        .collect();
    let mut tally = Tally::default();
    for verification in chosen {
        print!("{:>2}  {} ... ", verification.number, verification.command);
        io::stdout().flush()?;
        let started = Instant::now();
        let verdict = verification.run(root)?;
        let seconds = started.elapsed().as_secs_f64();
        match &verdict {
            Ok(detail) => println!("ok{detail} ({seconds:.1} s)"),
            Err(complaint) => print!("FAILED\n{}", indented(complaint)),
        }
        tally.count(verification.number, verdict.is_ok());
    }
    println!("{tally}");
    let failed = tally.failed();
    anyhow::ensure!(failed.is_empty(), "number {} failed", failed.join(", "));
    Ok(())
}

impl VerifyArgs {
    fn choose(&self, number: u8) -> bool {
        let picked = self.numbers.is_empty() || self.numbers.contains(&number);
        picked && !(self.skip_coverage && number == COVERAGE)
    }
}

/// What a command showed beyond success, or what it should have shown and what it did.
type Verdict = Result<String, String>;

impl Verification {
    fn run(&self, root: &Path) -> anyhow::Result<Verdict> {
        let variables = match tools::prepare(self.command) {
            Ok(variables) => variables,
            Err(missing) => return Ok(Err(missing)),
        };
        let output = Command::new("sh")
            .args(["-c", self.command])
            .current_dir(root.join("airssys-wasm"))
            .env("CARGO_TERM_COLOR", "never")
            .envs(variables)
            .output()
            .with_context(|| format!("running {}", self.command))?;
        let seen = Seen {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        Ok(match self.expect {
            Expect::Covered => coverage::judge(root, &seen),
            _ => self.expect.judge(&seen),
        })
    }
}

/// The numbers, each with whether all of its commands held.
#[derive(Default)]
struct Tally(BTreeMap<u8, bool>);

impl Tally {
    fn count(&mut self, number: u8, ok: bool) {
        *self.0.entry(number).or_insert(true) &= ok;
    }

    fn failed(&self) -> Vec<String> {
        let failed = self.0.iter().filter(|(_, ok)| !**ok);
        failed.map(|(number, _)| number.to_string()).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failed().len();
        write!(f, "{} passed, {failed} failed", self.0.len() - failed)
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixteen_commands_are_there_in_order() {
        let mut numbers: Vec<u8> = VERIFICATIONS.iter().map(|v| v.number).collect();
        assert!(numbers.is_sorted());
        numbers.dedup();
        assert_eq!(numbers, (1..=16).collect::<Vec<u8>>());
    }

    #[test]
    fn commands_are_chosen_by_number() {
        let args = |numbers: &[u8], skip_coverage| VerifyArgs {
            numbers: numbers.to_vec(),
            skip_coverage,
        };
        assert!((1..=16).all(|number| args(&[], false).choose(number)));
        assert!(!args(&[], true).choose(16));
        assert!(args(&[6, 7], false).choose(7));
        assert!(!args(&[6, 7], false).choose(8));
    }

    #[test]
    fn a_number_passes_when_all_its_commands_do() {
        let mut tally = Tally::default();
        for (number, ok) in [(9, true), (10, true), (10, false), (10, true), (11, true)] {
            tally.count(number, ok);
        }
        assert_eq!(tally.to_string(), "2 passed, 1 failed");
        assert_eq!(tally.failed(), ["10"]);
    }

    #[test]
    fn a_command_runs_in_the_crates_folder() {
        let verification = Verification {
            number: 13,
            command: "ls Cargo.toml src/lib.rs",
            expect: Expect::Success,
        };
        assert_eq!(
            verification.run(&crate::repository()).unwrap(),
            Ok(String::new())
        );
        let wrong = Verification {
            expect: Expect::Nothing,
            ..verification
        };
        let complaint = wrong.run(&crate::repository()).unwrap().unwrap_err();
        assert!(complaint.contains("Cargo.toml"), "{complaint}");
    }
}
