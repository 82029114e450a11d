//! `airssys logs`: what a running system says.

// Layer 1: Standard library imports
use std::io::{BufRead, BufReader};

// Layer 2: Third-party crate imports
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target, cut, parse};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_book::{Severity, Speaker};
use crate::output::{self, ERROR, Form, FormArgs, INFO, LABEL, QUIET, WARNING};
use crate::system_args::SystemArgs;
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys logs -f                       what was said last, and what comes
  airssys logs --actor shop/cart        of one component's actors
  airssys logs --level warning --json   problems, for programs";

/// Show what guests log in a running system, and what happens there
///
/// The last 4,096 lines are kept. With --json each line is an object with at_ms, level,
/// from (guest, host or event), actor, text, and for events event.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArgs {
    /// Go on with what comes, until the system ends or Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// How many of the last lines to begin with
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
    lines: usize,
    /// Only what is about this actor, component or namespace
    #[arg(long, value_name = "ADDRESS")]
    actor: Option<String>,
    /// Only what matters so much or more
    #[arg(long, default_value = "info")]
    level: Severity,
    #[command(flatten)]
    form: FormArgs,
}

/// A line, as far as it is shown to people.
#[derive(Debug, Deserialize)]
struct Line {
    at_ms: u64,
    level: Severity,
    from: Speaker,
    actor: Option<String>,
    text: String,
}

/// Shows the logs.
pub(crate) fn run(args: &LogsArgs, system: &SystemArgs) -> Exit {
    // What was printed before it failed stays, and there is no one object to put it in.
    output::exit_of(args.form.form(), logs(args, system))
}

fn logs(args: &LogsArgs, system: &SystemArgs) -> Result<(), Failure> {
    let level = format!("{:?}", args.level).to_lowercase();
    let target = Target::new("/v1/logs")
        .with("follow", args.follow)
        .with("lines", args.lines)
        .with("level", level)
        .maybe("actor", args.actor.as_ref());
    let answer = Client::find(system)?.get(target)?;
    for line in BufReader::new(answer.reader()).split(b'\n') {
        let mut line = line.map_err(|e| cut(&e))?;
        // The server says so that it has begun.
        if line.is_empty() {
            continue;
        }
        let printed = match args.form.form() {
            Form::Json => {
                line.push(b'\n');
                output::write_while_read(&line)
            }
            Form::Text => output::write_styled_while_read(&parse::<Line>(&line)?.shown()),
        };
        if printed?.is_break() {
            break;
        }
    }
    Ok(())
}

impl Line {
    fn shown(&self) -> String {
        let (style, level) = match self.level {
            Severity::Error => (ERROR, "error"),
            Severity::Warning => (WARNING, "warning"),
            Severity::Info => (INFO, "info"),
            Severity::Debug => (LABEL, "debug"),
            Severity::Trace => (QUIET, "trace"),
        };
        let speaker = match (self.from, &self.actor) {
            (Speaker::Guest, Some(actor)) => actor.as_str(),
            (Speaker::Guest, None) => "guest",
            (Speaker::Host, _) => "host",
            (Speaker::Event, _) => "event",
        };
        let time = time_of_day(self.at_ms);
        format!(
            "{QUIET}{time}{QUIET:#} {speaker} {style}{level}:{style:#} {}\n",
            visible(&self.text)
        )
    }
}

/// Hours, minutes and seconds of the day in UTC.
fn time_of_day(at_ms: u64) -> String {
    let seconds = at_ms / 1_000;
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_of_the_day() {
        assert_eq!(time_of_day(0), "00:00:00Z");
        assert_eq!(time_of_day(1_700_000_000_123), "22:13:20Z");
    }
}
