//! A running system and the server in front of it.

// Layer 1: Standard library imports
use std::future::{Future, pending};
use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use airssys_wasm::core::event::Event;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::storage::actor_store::DataInfo;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::error::StartError;
use airssys_wasm::system::shutdown::ShutdownReport;
use tokio::net::TcpListener;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::audit_advice::not_audited;
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::interrupt::interrupted;
use crate::log_book::LogBook;
use crate::now::now_ms;
use crate::policy_advice::no_policy;
use crate::server::places::Places;
use crate::server::routes::serve;
use crate::server::shared::{Shared, Sizes};
use crate::server::telling::tell_events;
use crate::server_file::{ServerFile, new_token};
use crate::signature_advice::not_trusted;
use crate::{advice, compiler};

/// How long answers may take to be read when the system has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What a system is started with.
pub(crate) struct Starting {
    pub(crate) config: SystemConfig,
    pub(crate) cache: Option<CompileCache>,
    pub(crate) book: Arc<LogBook>,
    pub(crate) listener: TcpListener,
}

/// A running system and the server in front of it.
pub(crate) struct Host {
    /// Where it listens.
    pub(crate) url: String,
    shared: Arc<Shared>,
    started_ms: u64,
    end_server: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    telling: JoinHandle<()>,
    events: broadcast::Receiver<Event>,
}

impl Host {
    /// Starts a system and serves it.
    ///
    /// # Errors
    ///
    /// When a component cannot be run, or the machine lacks what it takes.
    pub(crate) async fn start(starting: Starting) -> Result<Self, Failure> {
        let Starting {
            config,
            cache,
            book,
            listener,
        } = starting;
        let address = listener.local_addr();
        let address = address.map_err(|e| Failure::new(Exit::Io, "io", "no address").because(e))?;
        let sizes = Sizes::of(&config);
        let sources = config.components.iter();
        let sources: Vec<_> = sources
            .map(|it| (it.name.to_string(), it.source.clone()))
            .collect();
        let builder = SystemBuilder::from(config).compiler(compiler::command()?);
        let builder = match cache {
            Some(cache) => builder.cache(cache),
            None => builder,
        };
        let telling = tokio::spawn(tell_events(builder.subscribe_events(), Arc::clone(&book)));
        let events = builder.subscribe_events();
        let started = builder.start().await;
        let system = started.map_err(|e| not_started(e, &sources))?;
        let shared = Arc::new(Shared {
            system,
            book,
            token: new_token()?,
            places: Places::new(),
            sizes,
        });
        let (end_server, end) = oneshot::channel();
        Ok(Self {
            url: format!("http://{address}"),
            server: tokio::spawn(serve(listener, Arc::clone(&shared), end)),
            shared,
            started_ms: now_ms(),
            end_server: Some(end_server),
            telling,
            events,
        })
    }

    /// What commands need to talk to it.
    pub(crate) fn server_file(&self) -> ServerFile {
        ServerFile {
            name: self.shared.system.name().to_owned(),
            url: self.url.clone(),
            token: self.shared.token.clone(),
            pid: process::id(),
            started_ms: self.started_ms,
        }
    }

    /// The names of its components.
    pub(crate) fn components(&self) -> Vec<String> {
        let components = self.shared.system.status().components;
        components.into_iter().map(|it| it.name).collect()
    }

    /// How many actors are live.
    pub(crate) fn live_actors(&self) -> usize {
        self.shared.system.status().live_actors
    }

    /// The data that it began with, if it keeps any.
    pub(crate) fn data(&self) -> Option<Arc<DataInfo>> {
        self.shared.system.status().data
    }

    /// Waits until the store fails, and says why.
    pub(crate) async fn store_failed(&mut self) -> DataError {
        loop {
            if let Some(failure) = self.shared.system.store_failure() {
                return failure.into();
            }
            // Whichever event it is, and however many were missed.
            if let Err(RecvError::Closed) = self.events.recv().await {
                pending::<()>().await;
            }
        }
    }

    /// Lets actors finish, then answers what is still to be answered, and ends.
    pub(crate) async fn end(&mut self) -> ShutdownReport {
        let report = self.shared.system.shutdown().await;
        self.shared.book.close();
        drop(self.end_server.take());
        // What it says about its end has no reader.
        drop(timeout(LAST_ANSWERS, &mut self.server).await);
        self.telling.abort();
        report
    }
}

/// Ctrl-C and SIGTERM.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Begins to listen for them.
    ///
    /// # Errors
    ///
    /// When the system does not allow it.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// What comes of some work, unless one of them comes first.
    ///
    /// # Errors
    ///
    /// When one does.
    pub(crate) async fn or_abandoned<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        select! {
            done = work => Ok(done),
            () = self.next() => Err(interrupted()),
        }
    }
}

fn not_started(error: StartError, sources: &[(String, Option<PathBuf>)]) -> Failure {
    match error {
        StartError::Component { name, source } => {
            let path = sources
                .iter()
                .find(|(it, _)| *it == name)
                .and_then(|(_, path)| path.clone());
            let path = path.unwrap_or_else(|| PathBuf::from(&name));
            // Read again for the words about it alone.
            let file = ComponentFile::beginning(path);
            advice::not_deployed(source, &file)
        }
        StartError::Signature { name, source } => not_trusted(&name, &source),
        StartError::Io { path, source } => {
            Failure::new(Exit::Io, "io", format!("cannot read {}", path.display()))
                .because(source)
                .next("check the path and the rights")
        }
        StartError::DataFolder(error) => not_done(&error.into()),
        StartError::Data(error) => not_done(&error),
        StartError::Audit(error) => not_audited(&error),
        StartError::NeedsNotMet { .. } => Failure::new(
            Exit::BadManifest,
            "needs-not-met",
            "there is no system to start",
        )
        .because(error)
        .next("look at it with `airssys inspect`; what it may have belongs under its `grants`"),
        StartError::PolicyFile(error) => no_policy(&error),
        StartError::Policy { .. } => Failure::new(
            Exit::Denied,
            "denied-by-policy",
            "there is no system to start",
        )
        .because(error)
        .next("`airssys policy check --manifest .` explains it, with `--action start`"),
        StartError::Machine(why) => Failure::new(
            Exit::Internal,
            "internal",
            "the machine lacks what the system needs",
        )
        .because(why)
        .next("lower `max_live_actors` in airssys.toml, or see `ulimit -a`"),
        error => Failure::new(
            Exit::BadManifest,
            "bad-manifest",
            "there is no system to start",
        )
        .because(error)
        .next("mend it; `airssys up --print-schema` prints what may stand in an airssys.toml"),
    }
}
