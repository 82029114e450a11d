//! The process that compiles one component.

// Layer 1: Standard library imports
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use wasmtime::{Engine, Error, OutOfMemory};

// Layer 3: Internal module imports
use crate::core::text::cut;
use crate::runtime::compiler::task::{MAX_LINE_BYTES, Outcome, Task};
use crate::runtime::config::MemoryAccess;

/// By how much a worker gives way to actors, as `nice` counts.
const NICE: i32 = 10;

/// Compiles the component that a host writes to standard input, within the limits that it
/// names, and writes what it was compiled to to standard output.
///
/// It is the whole `main` of a program that a
/// [`CompilerCommand`](crate::runtime::compiler::command::CompilerCommand) starts. The process
/// gives itself the limits before it reads the component, and ends with its host.
#[must_use]
pub fn run() -> ExitCode {
    match work(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever started it by hand reads this.
            drop(writeln!(
                io::stderr(),
                "this compiles for a host of airssys, which tells it at standard input what to do: {error}"
            ));
            ExitCode::FAILURE
        }
    }
}

fn work(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = String::new();
    input.by_ref().take(MAX_LINE_BYTES).read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    confine(&task)?;
    let mut component = Vec::new();
    input.read_to_end(&mut component)?;
    let patience = Duration::from_millis(task.compile_ms);
    let began = Instant::now();
    let compiled = compiling(task.memory_access, component)?.recv_timeout(patience);
    let (outcome, artefact) = match compiled {
        // It is there, and yet late: this thread was not given the chance to see the time pass.
        Ok(_) if began.elapsed() >= patience => (Outcome::OutOfTime, Vec::new()),
        Ok(Ok(artefact)) => (Outcome::Compiled(artefact.len() as u64), artefact),
        Ok(Err(error)) if error.is::<OutOfMemory>() => (Outcome::OutOfMemory, Vec::new()),
        Ok(Err(error)) => (Outcome::Refused(cut(format!("{error:#}"))), Vec::new()),
        Err(RecvTimeoutError::Timeout) => (Outcome::OutOfTime, Vec::new()),
        Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("it panicked")),
    };
    serde_json::to_writer(&mut output, &outcome)?;
    output.write_all(b"\n")?;
    output.write_all(&artefact)?;
    output.flush()
}

/// Compiles on another thread, since this one has to tell the time.
fn compiling(
    memory_access: MemoryAccess,
    component: Vec<u8>,
) -> io::Result<Receiver<Result<Vec<u8>, Error>>> {
    let (done, compiled) = sync_channel(1);
    let compile = move || {
        let engine = Engine::new(&memory_access.config());
        let artefact = engine.and_then(|engine| engine.precompile_component(&component));
        // Its time may be over.
        drop(done.send(artefact));
    };
    Builder::new().name("compile".into()).spawn(compile)?;
    Ok(compiled)
}

/// Takes from this process what it could harm others with: memory, and their turn.
fn confine(task: &Task) -> io::Result<()> {
    end_with_the_host()?;
    lower(Resource::Data, task.compile_bytes)?;
    // It is no accident when it ends for lack of memory.
    lower(Resource::Core, 0)?;
    nice(NICE)?;
    Ok(())
}

/// Lowers a limit of the process for good.
fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(to, |most| most.min(to));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}

#[cfg(target_os = "linux")]
fn end_with_the_host() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Elsewhere it ends when its time is over.
#[cfg(not(target_os = "linux"))]
fn end_with_the_host() -> io::Result<()> {
    Ok(())
}
