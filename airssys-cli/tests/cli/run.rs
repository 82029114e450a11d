//! One run of the command, and what it left behind.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run ended with.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The command in the repository's root, with a cache that all tests share and an
/// otherwise empty environment.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airssys"));
    command
        .args(args)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_clear()
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    command
}

/// Runs the command.
pub(crate) fn airssys<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    finish(command(args))
}

/// Runs the command with these bytes at its standard input.
pub(crate) fn airssys_with_stdin<const N: usize>(args: [&str; N], stdin: &[u8]) -> Run {
    let mut command = command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may refuse the input before it has read all of it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap().into()
}

/// Runs a command that was prepared.
pub(crate) fn finish(mut command: Command) -> Run {
    command.output().unwrap().into()
}

/// A guest's file, relative to the repository's root.
pub(crate) fn guest(name: &str) -> String {
    format!("guests/bin/{name}.wasm")
}

/// Writes a guest that says it needs this: to its bytes a section is added.
pub(crate) fn write_needs(to: &Path, guest_name: &str, needs: &str) {
    let from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(guest(guest_name));
    let mut bytes = fs::read(from).unwrap();
    let name = "airssys:needs";
    let section = u8::try_from(1 + name.len() + needs.len()).unwrap();
    assert!(section < 0x80, "a length of one byte");
    bytes.extend([0, section, u8::try_from(name.len()).unwrap()]);
    bytes.extend([name.as_bytes(), needs.as_bytes()].concat());
    fs::write(to, bytes).unwrap();
}

/// `try` of a guest, with the arguments behind it, which are parted by spaces.
pub(crate) fn try_guest(name: &str, args: &str) -> Run {
    let file = guest(name);
    airssys(["try", &file].into_iter().chain(args.split_whitespace()))
}

/// `try --json` of a guest, with its exit code.
pub(crate) fn try_json(name: &str, args: &str) -> (i32, Value) {
    let run = try_guest(name, &format!("--json {args}"));
    let json = run.json();
    (run.code, json)
}

/// The guests of this repository that are meant to fail.
pub(crate) fn hostile_guests() -> Vec<String> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/hostile"));
    let files = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

impl Run {
    /// Standard output as text.
    pub(crate) fn out(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }

    /// Standard output as the one line of JSON that it is.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let line = self.out().strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        serde_json::from_str(line).unwrap()
    }

    /// Fails unless it ended with this code, and shows what it said.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        let out = String::from_utf8_lossy(&self.stdout);
        assert_eq!(
            self.code, code,
            "\n--- stdout\n{out}\n--- stderr\n{}",
            self.stderr
        );
        self
    }

    /// Fails unless all of these stand in standard error.
    #[track_caller]
    pub(crate) fn assert_err(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "no {text:?} in\n{}",
                self.stderr
            );
        }
        self
    }
}

impl From<std::process::Output> for Run {
    fn from(output: std::process::Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked at airssys"), "{stderr}");
        Self {
            // What a signal ended has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr,
        }
    }
}
