//! Logs, those of guests among them, on standard error.

// Layer 1: Standard library imports
use std::env;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use clap::{ArgAction, Args};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_book::{Line, LogBook, Severity, Speaker};
use crate::now::now_ms;
use crate::output::{ERROR, INFO, LABEL, QUIET, WARNING};

/// What the lines of guests are logged under.
const GUEST: &str = "airssys::guest";

/// What the library logs its events under. `up` tells them in its own words.
const EVENTS: &str = "airssys::event";

/// What `up` logs events under.
pub(crate) const TOLD_EVENTS: &str = "airssys::told";

/// Says what is logged, as `--log` does.
const VARIABLE: &str = "AIRSSYS_LOG";

/// What is logged.
#[derive(Args)]
pub(crate) struct LoggingArgs {
    /// Log more: once for the guest's debug lines, twice for everything
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Logging")]
    verbose: u8,
    /// Log what this filter says, such as `off` or `airssys::guest=debug,warn`
    ///
    /// A level, or targets with a level each, joined by commas. The environment
    /// variable AIRSSYS_LOG says the same; the lines of guests have the target
    /// airssys::guest.
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Logging")]
    log: Option<Targets>,
}

/// Starts logging: as the flags say, else as the environment says, else warnings and
/// what guests tell.
pub(crate) fn start(args: &LoggingArgs) {
    let (filter, broken) = filter(args);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Format::OneActor)
        .with_writer(anstream::stderr);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    warn_of(broken);
}

/// Starts logging as [`start`] does, for a system with many actors, and writes what is
/// said to `book` too.
pub(crate) fn start_with_book(args: &LoggingArgs, book: Arc<LogBook>) {
    let (filter, broken) = filter(args);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Format::ManyActors)
        .with_writer(anstream::stderr);
    let in_book = Targets::new()
        .with_default(Level::WARN)
        .with_target("airssys", Level::INFO)
        .with_target(GUEST, Level::DEBUG)
        .with_target(EVENTS, LevelFilter::OFF)
        .with_target(TOLD_EVENTS, LevelFilter::OFF);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.with_target(EVENTS, LevelFilter::OFF)))
        .with(Recorder(book).with_filter(in_book))
        .init();
    warn_of(broken);
}

/// What to log, and what is wrong with what the environment says.
fn filter(args: &LoggingArgs) -> (Targets, Option<impl fmt::Display>) {
    let (from_environment, broken) = match env::var(VARIABLE).map(|text| text.parse::<Targets>()) {
        Ok(Ok(filter)) => (Some(filter), None),
        Ok(Err(error)) => (None, Some(error)),
        Err(_unset) => (None, None),
    };
    let filter = match (&args.log, args.verbose) {
        (Some(filter), _) => filter.clone(),
        (None, 0) => from_environment.unwrap_or_else(quiet),
        (None, 1) => all_of_ours(Level::DEBUG),
        (None, _) => all_of_ours(Level::TRACE),
    };
    (filter, broken)
}

fn warn_of(broken: Option<impl fmt::Display>) {
    if let Some(error) = broken {
        Failure::new(
            Exit::Success,
            "log-filter",
            format!("{VARIABLE} is ignored"),
        )
        .because(error)
        .next("write a level, or `target=level` joined by commas: `airssys::guest=debug,warn`")
        .print_warning();
    }
}

fn quiet() -> Targets {
    Targets::new()
        .with_default(Level::WARN)
        .with_target(GUEST, Level::INFO)
        .with_target(TOLD_EVENTS, Level::INFO)
}

fn all_of_ours(level: Level) -> Targets {
    Targets::new()
        .with_default(Level::WARN)
        .with_target("airssys", level)
}

/// One event as one line: `warning: …` for ours; for those of guests `guest info: …`, or
/// `shop/cart/alice info: …` where there are many.
#[derive(Debug, Clone, Copy)]
enum Format {
    OneActor,
    ManyActors,
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (style, level) = match *event.metadata().level() {
            Level::ERROR => (ERROR, "error"),
            Level::WARN => (WARNING, "warning"),
            Level::INFO => (INFO, "info"),
            Level::DEBUG => (LABEL, "debug"),
            Level::TRACE => (QUIET, "trace"),
        };
        let words = Words::of(event);
        match (self, event.metadata().target(), &words.actor) {
            (Self::ManyActors, GUEST, Some(actor)) => write!(writer, "{actor} ")?,
            (_, GUEST, _) => write!(writer, "guest ")?,
            (_, TOLD_EVENTS, _) => write!(writer, "event ")?,
            _ => {}
        }
        writeln!(writer, "{style}{level}:{style:#} {}", words.text)
    }
}

/// What an event says, apart from the actor that it is about.
#[derive(Debug, Default)]
struct Words {
    actor: Option<String>,
    text: String,
}

impl Words {
    fn of(event: &Event<'_>) -> Self {
        let mut words = Self::default();
        event.record(&mut words);
        words
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "actor" => self.actor = Some(value.to_owned()),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "actor" => {
                self.actor = Some(format!("{value:?}"));
                Ok(())
            }
            // It comes first or last, as the macro pleases.
            "message" => {
                let fields = std::mem::take(&mut self.text);
                write!(self.text, "{value:?}{fields}")
            }
            name => write!(self.text, " {name}={value:?}"),
        };
    }
}

/// Writes to the book what guests and the host say.
struct Recorder(Arc<LogBook>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let Words { actor, text } = Words::of(event);
        let from = match event.metadata().target() {
            GUEST => Speaker::Guest,
            _ => Speaker::Host,
        };
        let level = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            Level::INFO => Severity::Info,
            Level::DEBUG => Severity::Debug,
            Level::TRACE => Severity::Trace,
        };
        self.0.write(Line {
            at_ms: now_ms(),
            level,
            from,
            actor,
            text,
            event: None,
        });
    }
}
