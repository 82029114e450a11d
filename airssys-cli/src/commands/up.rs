//! `airssys up`: run a system until Ctrl-C.

// Layer 1: Standard library imports
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, process};

// Layer 2: Third-party crate imports
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::manifest::Manifest;
use airssys_wasm::system::shutdown::ShutdownReport;
use clap::Args;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::select;

// Layer 3: Internal module imports
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::host::{Host, Interrupts, Starting};
use crate::log_book::LogBook;
use crate::logging::{self, LoggingArgs};
use crate::output::{Form, say};
use crate::quantity::{count, many};
use crate::run_folder::{RunFolder, parse_name};
use crate::server_file::Claim;
use crate::text::visible;
use crate::{cache, output, place};

const EXAMPLES: &str = "\
Examples:
  airssys up                       run the current folder
  airssys up examples/shop         run another one, or name an airssys.toml
  airssys up --data ~/shop-data     keep what actors commit there, and go on from it
  airssys up --listen 127.0.0.1:8080 --name shop
  airssys up --print-schema > airssys.schema.json";

const JSON_HELP: &str = "\
Print JSON on standard output: one line when it is ready, one when it has ended

The first line has name, url, components, actors, pid, server_file, and data (folder, and
waiting_at_start: how many messages waited on disk), or null. The last one has
ended, which is what was left: messages, busy_actors, timers, requests, dead_letters;
or it has error, as that of `airssys try --json`.";

/// Run a system of actors until Ctrl-C: what an airssys.toml says, or each .wasm file of
/// a folder
///
/// A line on standard output says that it is ready, and another one where its data is. From
/// then on the other commands find it by themselves: `airssys ps`, `ask`, `send`, `logs` and
/// so on. Logs and events go to standard error. The first Ctrl-C (or SIGTERM) lets actors
/// finish what they have, the second ends at once.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UpArgs {
    /// A manifest, or a folder with one or with .wasm files
    #[arg(default_value = ".")]
    place: PathBuf,
    /// The loopback address to listen at, instead of the manifest's
    #[arg(long, value_name = "IP:PORT", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
    /// What the system is called, instead of what the manifest or the folder says
    #[arg(long, value_parser = parse_name)]
    name: Option<String>,
    #[arg(long, help = "Print JSON on standard output", long_help = JSON_HELP)]
    json: bool,
    /// The folder that durable actors are kept in, instead of the manifest's
    #[arg(long, value_name = "FOLDER", conflicts_with = "ephemeral")]
    data: Option<PathBuf>,
    /// Keep nothing on disk, whatever the manifest says
    #[arg(long)]
    ephemeral: bool,
    /// Compile anew, and keep nothing
    #[arg(long)]
    no_cache: bool,
    /// Print the JSON schema of airssys.toml, for editors, and run nothing
    #[arg(long)]
    print_schema: bool,
}

/// What is told when the system is ready.
#[derive(Debug, Serialize)]
struct Ready {
    name: String,
    url: String,
    components: Vec<String>,
    actors: usize,
    pid: u32,
    server_file: String,
    data: Option<Data>,
}

/// Where the data is, and what was in it.
#[derive(Debug, Serialize)]
struct Data {
    folder: String,
    waiting_at_start: u64,
}

/// What is told when it has ended.
#[derive(Debug, Serialize)]
struct Ended<'a> {
    ended: &'a ShutdownReport,
}

/// Runs a system.
pub(crate) fn run(args: UpArgs, logging: &LoggingArgs) -> Exit {
    if args.print_schema {
        let printed = output::write_json(&Manifest::json_schema());
        return output::exit_of(Form::Text, printed);
    }
    let form = Form::from(args.json);
    let book = Arc::new(LogBook::new());
    logging::start_with_book(logging, Arc::clone(&book));
    match run_until_ended(args, book) {
        Ok(report) => {
            let exit = match report.is_clean() {
                true => Exit::Success,
                false => Exit::LeftBehind,
            };
            let told = match form {
                Form::Json => output::write_json(&Ended { ended: &report }),
                Form::Text => {
                    say(format_args!("{}", farewell(&report)));
                    Ok(())
                }
            };
            match told {
                Ok(()) => exit,
                failed => output::exit_of(Form::Text, failed),
            }
        }
        failed => output::exit_of(form, failed.map(drop)),
    }
}

fn run_until_ended(args: UpArgs, book: Arc<LogBook>) -> Result<ShutdownReport, Failure> {
    raise_descriptors();
    let mut config = place::read(&args.place)?;
    config.name = args.name.clone().or(config.name);
    config.http.listen = args.listen.unwrap_or(config.http.listen);
    config.data = match args.ephemeral {
        true => None,
        false => args.data.clone().or(config.data),
    };
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| no_runtime(&e))?;
    let ended = runtime.block_on(up(&args, config, book));
    // A turn that was abandoned, or a component that is being compiled, ends with the
    // process.
    runtime.shutdown_background();
    ended
}

/// Lets this process have as many descriptors as it may: a shell gives it few, and files,
/// sockets and connections each take one.
fn raise_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is refused, it goes on with what it has.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// The life of a system, from its name to its report.
async fn up(
    args: &UpArgs,
    config: SystemConfig,
    book: Arc<LogBook>,
) -> Result<ShutdownReport, Failure> {
    let mut interrupts = Interrupts::listen().map_err(|e| no_runtime(&e))?;
    let name = config.name.clone().unwrap_or_default();
    let claim = Claim::take(RunFolder::open()?, &name)?;
    let listen = config.http.listen;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|e| not_listening(listen, &e))?;
    let parts = config.components.len();
    say(format_args!(
        "starting {name}: {}",
        many(parts as u64, "component")
    ));

    let starting = Starting {
        cache: if args.no_cache || !config.cache {
            None
        } else {
            cache::open()
        },
        config,
        book,
        listener,
    };
    let mut host = interrupts.or_abandoned(Host::start(starting)).await??;
    let published = claim.publish(&host.server_file())?;
    let ready = Ready {
        name,
        url: host.url.clone(),
        components: host.components(),
        actors: host.live_actors(),
        pid: process::id(),
        server_file: published.path.display().to_string(),
        data: host.data().map(|data| Data {
            folder: data.folder.display().to_string(),
            waiting_at_start: data.waiting_at_start,
        }),
    };
    match args.json {
        true => output::write_json(&ready)?,
        false => output::write(format!("{ready}\n").as_bytes())?,
    }
    select! {
        () = interrupts.next() => {}
        failure = host.store_failed() => {
            // Nothing that is acknowledged hangs on what actors have in memory.
            drop(interrupts.or_abandoned(host.end()).await);
            return Err(not_done(&failure));
        }
    }
    say(format_args!("draining; press Ctrl-C again to end at once"));
    interrupts.or_abandoned(host.end()).await
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components = many(self.components.len() as u64, "component");
        let actors = many(self.actors as u64, "actor");
        write!(
            f,
            "{} is up: {components}, {actors}, {} (try `airssys ps`)",
            self.name, self.url
        )?;
        let Some(data) = &self.data else {
            return Ok(());
        };
        write!(f, "\ndata in {}", visible(&data.folder))?;
        match data.waiting_at_start {
            0 => Ok(()),
            1 => write!(f, "; 1 message waits from before"),
            more => write!(f, "; {} messages wait from before", count(more)),
        }
    }
}

fn farewell(report: &ShutdownReport) -> String {
    let mut left = Vec::new();
    if report.messages > 0 {
        left.push(many(report.messages, "message"));
    }
    if !report.busy_actors.is_empty() {
        left.push(format!("a turn of {}", report.busy_actors.join(", ")));
    }
    for (number, what) in [
        (report.timers, "timer"),
        (report.requests, "request"),
        (report.dead_letters, "dead letter"),
    ] {
        if number > 0 {
            left.push(many(number as u64, what));
        }
    }
    match left.is_empty() {
        true => "ended; everything was handled".to_owned(),
        false => format!("ended; left: {}", left.join(", ")),
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:8080".to_owned())?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err("it listens on this machine only: 127.0.0.1 or [::1]".to_owned()),
    }
}

fn not_listening(address: SocketAddr, error: &io::Error) -> Failure {
    let exit = match error.kind() {
        io::ErrorKind::AddrInUse => Exit::AlreadyRuns,
        _ => Exit::Io,
    };
    Failure::new(exit, "not-listening", format!("cannot listen at {address}"))
        .because(error)
        .next("choose another port with `--listen`; port 0 takes any that is free")
}

fn no_runtime(error: &io::Error) -> Failure {
    Failure::new(Exit::Internal, "internal", "cannot start running actors")
        .because(error)
        .next("the system may be out of threads or open files; see `ulimit -a`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farewell_says_what_was_left() {
        let clean = ShutdownReport::default();
        assert_eq!(farewell(&clean), "ended; everything was handled");
        let report = ShutdownReport {
            messages: 1,
            busy_actors: vec!["a/b/c".into()],
            dead_letters: 1_200,
            ..clean
        };
        assert_eq!(
            farewell(&report),
            "ended; left: 1 message, a turn of a/b/c, 1,200 dead letters"
        );
    }

    #[test]
    fn it_listens_on_this_machine_only() {
        assert!(parse_listen("127.0.0.1:0").is_ok());
        assert!(parse_listen("[::1]:8080").is_ok());
        for text in ["0.0.0.0:80", "10.0.0.1:80", "8080", "localhost:80", ""] {
            assert!(parse_listen(text).is_err(), "{text}");
        }
    }
}
