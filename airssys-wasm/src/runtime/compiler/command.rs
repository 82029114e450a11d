//! How a host starts a worker, and what it makes of its end.

// Layer 1: Standard library imports
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, available_parallelism};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::runtime::errors::WasmError;
use crate::core::text::cut;
use crate::runtime::compiler::task::{MAX_LINE_BYTES, Outcome, Task};
use crate::runtime::config::MemoryAccess;

/// What Rust programs say at their end when they get no more memory.
const OUT_OF_MEMORY: &str = "memory allocation of ";

/// The most threads that compile one component. Each has a stack in the memory that a worker may
/// have, and as many workers run at once as there are processors.
const MAX_THREADS: usize = 8;

/// A program that compiles one component and ends: one whose `main` is
/// [`worker::run`](crate::runtime::compiler::worker::run), such as `airssys-compile`, which
/// comes with this crate.
///
/// The program is trusted like the host itself, which runs what it writes. It must be built
/// of the same version of this crate.
///
/// ```
/// use airssys_wasm::runtime::compiler::command::CompilerCommand;
/// use airssys_wasm::system::handle::System;
///
/// let building = System::builder().compiler(CompilerCommand::new("airssys-compile"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl CompilerCommand {
    /// This program, which is looked for in `PATH` if it has no slash.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
        }
    }

    /// The program that this process runs, even if its file was replaced meanwhile. One of its
    /// [arguments](Self::argument) has to tell it that it is a worker.
    ///
    /// # Errors
    ///
    /// Where the system does not tell which program that is.
    pub fn of_this_program() -> io::Result<Self> {
        if cfg!(target_os = "linux") {
            Ok(Self::new("/proc/self/exe"))
        } else {
            env::current_exe().map(Self::new)
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Compiles a component in a process of its own, and waits for it.
    ///
    /// # Errors
    ///
    /// [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded) when it takes more time or
    /// memory than it may, and [`InstantiationFailed`](WasmError::InstantiationFailed) when it
    /// cannot be compiled, or the program is not there or does not do what it should.
    pub(crate) fn compile(
        &self,
        memory_access: MemoryAccess,
        limits: &Limits,
        component: &[u8],
    ) -> Result<Vec<u8>, WasmError> {
        let task = Task {
            memory_access,
            compile_ms: limits.compile_ms,
            compile_bytes: limits.compile_bytes,
        };
        let answer = self.start().and_then(|it| converse(it, &task, component));
        let answer = answer.map_err(|error| {
            let program = self.program.display();
            WasmError::InstantiationFailed(format!("the compiler {program}: {error}"))
        })?;
        answer.judge(limits)
    }

    /// Away from the terminal, whose Ctrl-C is for the host to act upon.
    fn start(&self) -> io::Result<Child> {
        let threads = available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MAX_THREADS);
        Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What lists of processes show.
            .arg0("airssys-compile")
            .env("RAYON_NUM_THREADS", threads.to_string())
            .process_group(0)
            .spawn()
    }
}

/// Tells a worker what to do, and listens until it has ended.
fn converse(mut worker: Child, task: &Task, component: &[u8]) -> io::Result<Answer> {
    let (input, output, errors) = pipes(&mut worker)?;
    let mut output = BufReader::new(output);
    let (mut line, mut artefact, mut words) = (Vec::new(), Vec::new(), Vec::new());
    let heard = thread::scope(|scope| {
        // One that ends before it has read all says elsewhere why.
        scope.spawn(|| drop(tell(input, task, component)));
        let heard = (&mut output)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            // It cannot have more in its memory.
            .and_then(|_| output.take(task.compile_bytes).read_to_end(&mut artefact))
            .and_then(|_| errors.take(MAX_LINE_BYTES).read_to_end(&mut words));
        // It has closed its side, and so has ended, or it is no worker.
        heard.and(worker.kill())
    });
    let status = worker.wait()?;
    heard?;
    Ok(Answer {
        outcome: serde_json::from_slice(&line).ok(),
        artefact,
        words: cut(String::from_utf8_lossy(&words).into_owned()),
        status,
    })
}

fn pipes(worker: &mut Child) -> io::Result<(ChildStdin, ChildStdout, ChildStderr)> {
    let (input, output) = (worker.stdin.take(), worker.stdout.take());
    let pipes = input.zip(output).zip(worker.stderr.take());
    let ((input, output), errors) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((input, output, errors))
}

fn tell(mut input: ChildStdin, task: &Task, component: &[u8]) -> io::Result<()> {
    serde_json::to_writer(&mut input, task)?;
    input.write_all(b"\n")?;
    input.write_all(component)
}

/// All that a worker said until it ended.
#[derive(Debug)]
struct Answer {
    outcome: Option<Outcome>,
    artefact: Vec<u8>,
    words: String,
    status: ExitStatus,
}

impl Answer {
    fn judge(self, limits: &Limits) -> Result<Vec<u8>, WasmError> {
        let exceeded = |limit| {
            let allowed = limits.get(limit).unwrap_or_default();
            let exceeded = LimitExceeded::beyond(limit, allowed);
            Err(WasmError::ResourceLimitExceeded(exceeded))
        };
        let Self { words, status, .. } = &self;
        match self.outcome {
            Some(Outcome::Compiled(bytes)) if bytes == self.artefact.len() as u64 => {
                Ok(self.artefact)
            }
            Some(Outcome::Refused(why)) => Err(WasmError::InstantiationFailed(why)),
            Some(Outcome::OutOfTime) => exceeded(Limit::CompileMs),
            Some(Outcome::OutOfMemory) => exceeded(Limit::CompileBytes),
            _ if words.contains(OUT_OF_MEMORY) => exceeded(Limit::CompileBytes),
            _ => {
                let why = format!("the compiler ended with {status}, and said: {words}");
                Err(WasmError::InstantiationFailed(why))
            }
        }
    }
}
