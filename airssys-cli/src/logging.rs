//! Logs, those of guests among them, on standard error.

// Layer 1: Standard library imports
use std::env;
use std::fmt::{self, Debug};

// Layer 2: Third-party crate imports
use clap::{ArgAction, Args};
use tracing::field::Field;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{ERROR, INFO, LABEL, QUIET, WARNING};

/// What the lines of guests are logged under.
const GUEST: &str = "airssys::guest";

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
    let fields = debug_fn(
        |writer, field: &Field, value: &dyn Debug| match field.name() {
            // A guest's line comes with its actor, and here there is only one.
            "actor" => Ok(()),
            "message" => write!(writer, "{value:?}"),
            name => write!(writer, " {name}={value:?}"),
        },
    );
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line)
        .fmt_fields(fields)
        .with_writer(anstream::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
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
}

fn all_of_ours(level: Level) -> Targets {
    Targets::new()
        .with_default(Level::WARN)
        .with_target("airssys", level)
}

/// One event as one line: `info guest: …` for those of guests, `warning: …` for ours.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
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
        match event.metadata().target() {
            GUEST => write!(writer, "guest {style}{level}:{style:#} ")?,
            _ => write!(writer, "{style}{level}:{style:#} ")?,
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
