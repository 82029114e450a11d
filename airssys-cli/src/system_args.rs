//! Which running system a command talks to.

// Layer 1: Standard library imports
use std::env;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

// Layer 2: Third-party crate imports
use clap::Args;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run_folder::{EXTENSION, RunFolder, parse_name};
use crate::server_file::ServerFile;

/// Says which system, as `--system` does.
const VARIABLE: &str = "AIRSSYS_SYSTEM";

/// How long a system of this machine may take to answer the phone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which running system is meant.
#[derive(Debug, Args)]
pub(crate) struct SystemArgs {
    /// The running system to talk to, where there are several [env: AIRSSYS_SYSTEM]
    #[arg(long, global = true, value_name = "NAME", value_parser = parse_name)]
    #[arg(help_heading = "System")]
    system: Option<String>,
}

impl SystemArgs {
    /// Finds the system: the one that is named, or the only one that runs.
    ///
    /// # Errors
    ///
    /// When it does not run, none runs, or several do and none is named.
    pub(crate) fn find(&self) -> Result<ServerFile, Failure> {
        let folder = RunFolder::open()?;
        let named = self.system.clone().or_else(|| env::var(VARIABLE).ok());
        let mut running = running(&folder)?;
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            let found = running.iter().position(|it| it.name == name);
            return match found {
                Some(index) => Ok(running.swap_remove(index)),
                None => Err(not_running(&name, &running)),
            };
        }
        match running.len() {
            1 => Ok(running.swap_remove(0)),
            0 => Err(nothing_runs()),
            _ => Err(several_run(&running)),
        }
    }
}

/// The systems that run. Files that others left, or that are none, are passed over.
fn running(folder: &RunFolder) -> Result<Vec<ServerFile>, Failure> {
    let names = folder.names()?;
    let files = names
        .iter()
        .filter_map(|name| ServerFile::read(&folder.file(name, EXTENSION)).ok()?);
    Ok(files.filter(is_running).collect())
}

/// Whether its process lives and its address is taken. A number and a port may be another
/// program's by now, which the answer shows.
fn is_running(file: &ServerFile) -> bool {
    let pid = i32::try_from(file.pid).ok().and_then(Pid::from_raw);
    let lives = pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(Errno::SRCH)));
    let answers = |address: SocketAddr| TcpStream::connect_timeout(&address, PATIENCE).is_ok();
    lives && file.address().is_some_and(answers)
}

fn nothing_runs() -> Failure {
    Failure::new(Exit::NoSystem, "no-system", "no system is running")
        .next("start one with `airssys up`, here or in another terminal")
}

fn not_running(name: &str, running: &[ServerFile]) -> Failure {
    let failure = Failure::new(
        Exit::NoSystem,
        "no-system",
        format!("no system {name} is running"),
    );
    match running {
        [] => failure.next("start it with `airssys up`"),
        others => failure
            .because(format!("there are {}", names(others)))
            .next("name one of them with `--system`, or start it with `airssys up`"),
    }
}

fn several_run(running: &[ServerFile]) -> Failure {
    Failure::new(
        Exit::NoSystem,
        "several-systems",
        "several systems are running",
    )
    .because(format!("there are {}", names(running)))
    .next(format!(
        "name the one that you mean: `--system {}`",
        running[0].name
    ))
}

fn names(files: &[ServerFile]) -> String {
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    names.join(", ")
}
