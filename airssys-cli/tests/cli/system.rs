//! A running system, and the commands that talk to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, command, finish};

/// A place for systems of a test, where no other is found.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The folder that systems are run from, with a manifest and these guests.
    pub(crate) fn with_manifest(guests: &[&str], manifest: &str) -> Self {
        let home = Self::new();
        for guest in guests {
            let binary = format!("{}/../guests/bin/{guest}.wasm", env!("CARGO_MANIFEST_DIR"));
            fs::copy(binary, home.path().join(format!("{guest}.wasm"))).unwrap();
        }
        if !manifest.is_empty() {
            let text = format!("version = 1\n{manifest}");
            fs::write(home.path().join("airssys.toml"), text).unwrap();
        }
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the file of a system is.
    pub(crate) fn server_file(&self, name: &str) -> PathBuf {
        self.path().join(format!("run/airssys/{name}.json"))
    }

    /// A command that finds the systems of this place alone. Its arguments are parted by
    /// spaces.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = command(args.split_whitespace());
        command.env("XDG_RUNTIME_DIR", self.path().join("run"));
        command
    }

    pub(crate) fn run(&self, args: &str) -> Run {
        finish(self.command(args))
    }

    /// The JSON of a command that succeeds.
    #[track_caller]
    pub(crate) fn json(&self, args: &str) -> Value {
        self.run(&format!("{args} --json")).assert_code(0).json()
    }

    /// `up` of this folder, with these arguments, up to its readiness line.
    pub(crate) fn up(&self, args: &str) -> Up {
        let mut command = self.command(&format!("up --json {args}"));
        command.arg(self.path());
        Self::up_by(command)
    }

    /// The same where no file may have more than so many blocks of 512 bytes, as if the
    /// disk were full.
    pub(crate) fn up_with_small_files(&self, blocks: u32) -> Up {
        self.up_after(&format!("trap '' XFSZ; ulimit -f {blocks}"))
    }

    /// The same where a process may have so many descriptors, and more if it asks for them.
    #[cfg(target_os = "linux")]
    pub(crate) fn up_with_few_descriptors(&self, descriptors: u32) -> Up {
        self.up_after(&format!("ulimit -Sn {descriptors}"))
    }

    /// `up` of this folder by a shell that does this first.
    fn up_after(&self, first: &str) -> Up {
        let command = self.command("up --json --no-cache");
        let script = format!("{first}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(command.get_program());
        shell.args(command.get_args()).arg(self.path());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Self::up_by(shell)
    }

    fn up_by(mut command: Command) -> Up {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        if line.is_empty() {
            let said: Vec<String> = stderr.by_ref().lines().map(Result::unwrap).collect();
            assert_eq!(said, [""; 0], "it did not start");
        }
        Up {
            ready: serde_json::from_str(&line).unwrap(),
            child,
            stdout: Box::new(stdout),
            stderr,
        }
    }
}

/// A running `up`. It ends with its test.
pub(crate) struct Up {
    /// Its readiness line.
    pub(crate) ready: Value,
    child: Child,
    stdout: Box<dyn BufRead>,
    stderr: BufReader<ChildStderr>,
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Up {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads its standard error until there is a line with this.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "no {words}");
        }
    }

    /// Waits until it has ended, and returns its exit code and what it said from now on.
    pub(crate) fn ended(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stderr.read_to_string(&mut stderr).unwrap();
        self.stdout.read_to_string(&mut stdout).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }

    /// Sends these bytes to where it listens, and returns the answer. The request has to
    /// end the connection.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        self.exchange(request, |_stream| {})
    }

    /// As [`raw`](Self::raw), and nothing comes after the bytes.
    pub(crate) fn raw_half_closed(&self, request: &[u8]) -> String {
        self.exchange(request, |stream| drop(stream.shutdown(Shutdown::Write)))
    }

    /// A connection to where it listens.
    pub(crate) fn connect(&self) -> TcpStream {
        let address = self.ready["url"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap();
        TcpStream::connect(address).unwrap()
    }

    /// What `/proc` has of it by this name.
    #[cfg(target_os = "linux")]
    pub(crate) fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.ready["pid"]))
    }

    fn exchange(&self, request: &[u8], then: impl FnOnce(&TcpStream)) -> String {
        let mut stream = self.connect();
        // It may refuse before it has read everything.
        drop(stream.write_all(request));
        then(&stream);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }
}
