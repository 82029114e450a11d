//! `airssys audit`: what was done, by whom, and whether it was allowed.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::audit::{Action, Decision};
use airssys_wasm::security::audit::mark::Mark;
use airssys_wasm::security::audit::query::{AuditFound, AuditQuery, AuditRecord, find};
use airssys_wasm::security::audit::verification::{Verified, head, verify};
use clap::{Args, Subcommand};
use serde::Serialize;

// Layer 3: Internal module imports
use crate::audit_advice::not_audited;
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment::{Moment, parse_moment, shown};
use crate::output::{self, Form, FormArgs};
use crate::quantity::many;
use crate::system_args::SystemArgs;
use crate::table::Table;
use crate::text::visible;

/// The most characters of a resource that are shown in a table.
const MAX_RESOURCE: usize = 40;

const EXAMPLES: &str = "\
Examples:
  airssys audit --decision denied --since 1h     what was refused within the hour
  airssys audit --component shop/cart --json     all about a component, for programs
  airssys audit --folder data/audit              of a system that does not run
  airssys audit head data/audit                  a line to note elsewhere
  airssys audit verify data/audit --head 12:9f…  nothing was edited or cut since";

/// Show what was done to a system and what its components were denied, the newest first
///
/// With --json each entry is an object on a line of its own, with seq, at_ms, action,
/// decision, and where they matter component, actor, resource, why and count.
#[derive(Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    what: Option<Audit>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Subcommand)]
enum Audit {
    /// Check a log: nothing was edited, removed, moved or cut off
    ///
    /// It cannot tell a log whose hashes were all computed anew by somebody who may write to
    /// the folder, nor an older copy of it, but by a head that was noted elsewhere. A log that
    /// was edited or cut ends with exit code 35.
    Verify(VerifyArgs),
    /// Print the number and the hash of the last entry, to be noted elsewhere
    Head(HeadArgs),
}

#[derive(Args)]
struct ListArgs {
    /// Only what is about this component or namespace
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Only what is about this actor
    #[arg(long, value_name = "ADDRESS")]
    actor: Option<String>,
    /// Only this: a capability such as send or network, or an operation such as upgrade
    #[arg(long, value_name = "WORD")]
    action: Option<Action>,
    /// Only what was allowed, or denied
    #[arg(long, value_parser = parse_decision, value_name = "allowed|denied")]
    decision: Option<Decision>,
    /// Only what was then or later: 90s, 15min, 2h or 7d ago, or 2026-11-23T09:00:00Z
    #[arg(long, value_parser = parse_moment, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only what was before
    #[arg(long, value_parser = parse_moment, value_name = "WHEN")]
    until: Option<Moment>,
    /// At most so many, and no more than 10,000
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Read the log in this folder, and not that of a running system
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
struct VerifyArgs {
    /// The folder of the log: `audit` in the data folder, if nothing else is configured
    folder: PathBuf,
    /// What `airssys audit head` printed earlier
    #[arg(long, value_name = "SEQ:HASH")]
    head: Option<Mark>,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
struct HeadArgs {
    /// The folder of the log
    folder: PathBuf,
    #[command(flatten)]
    form: FormArgs,
}

/// The last entry.
#[derive(Debug, Serialize)]
struct Head {
    head: Mark,
}

/// Does something with an audit log.
pub(crate) fn run(args: &AuditArgs, system: &SystemArgs) -> Exit {
    match &args.what {
        None => output::exit_of(args.list.form.form(), list(&args.list, system)),
        Some(Audit::Verify(args)) => output::exit_of(args.form.form(), check(args)),
        Some(Audit::Head(args)) => output::exit_of(args.form.form(), print_head(args)),
    }
}

fn list(args: &ListArgs, system: &SystemArgs) -> Result<(), Failure> {
    let found: AuditFound = match &args.folder {
        Some(folder) => find(folder, &args.query()).map_err(|e| not_audited(&e))?,
        None => {
            let answer = Client::find(system)?.get(args.target())?;
            answer.json()?
        }
    };
    if found.unreadable > 0 {
        let lines = many(found.unreadable, "line");
        output::say(format_args!(
            "{lines} of the log cannot be read: `airssys audit verify FOLDER` tells more"
        ));
    }
    match args.form.form() {
        Form::Json => {
            for record in &found.records {
                output::write_json(record)?;
            }
            Ok(())
        }
        Form::Text => output::write(table(&found.records).as_bytes()),
    }
}

impl ListArgs {
    fn query(&self) -> AuditQuery {
        AuditQuery {
            component: self.component.clone(),
            actor: self.actor.clone(),
            action: self.action,
            decision: self.decision,
            since_ms: self.since.map(|it| it.unix_ms),
            until_ms: self.until.map(|it| it.unix_ms),
            limit: self.limit,
        }
    }

    fn target(&self) -> Target {
        Target::new("/v1/audit")
            .with("limit", self.limit)
            .maybe("component", self.component.as_ref())
            .maybe("actor", self.actor.as_ref())
            .maybe("action", self.action)
            .maybe("decision", self.decision)
            .maybe("since_ms", self.since.map(|it| it.unix_ms))
            .maybe("until_ms", self.until.map(|it| it.unix_ms))
    }
}

fn table(records: &[AuditRecord]) -> String {
    if records.is_empty() {
        return "no entries\n".to_owned();
    }
    let headline = [
        "SEQ", "TIME", "ABOUT", "ACTION", "DECISION", "RESOURCE", "COUNT", "WHY",
    ];
    let mut table = Table::new(headline);
    for AuditRecord { seq, entry } in records {
        let about = entry.actor.as_ref().unwrap_or(&entry.component);
        table.push([
            seq.to_string(),
            shown(entry.at_ms),
            or_dash(about),
            entry.action.to_string(),
            entry.decision.to_string(),
            cut(or_dash(&entry.resource)),
            entry.count.to_string(),
            or_dash(&entry.why),
        ]);
    }
    table.to_string()
}

/// A column that is not wider than a terminal has room for; --json has all of it.
fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_RESOURCE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn or_dash(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    }
}

fn check(args: &VerifyArgs) -> Result<(), Failure> {
    let verified = verify(&args.folder, args.head).map_err(|e| not_audited(&e))?;
    match args.form.form() {
        Form::Json => output::write_json(&verified),
        Form::Text => output::write(words(args, &verified).as_bytes()),
    }
}

fn words(args: &VerifyArgs, verified: &Verified) -> String {
    let folder = visible(&args.folder.display().to_string());
    let entries = match verified.entries {
        1 => "1 entry".to_owned(),
        entries => format!("{entries} entries"),
    };
    let noted = match args.head {
        Some(noted) => format!("as entry {} was noted", noted.seq),
        None => "as far as can be told without a head that was noted elsewhere".to_owned(),
    };
    let mut text = format!(
        "{folder}: {entries} from {} on, sound {noted}\n",
        verified.first
    );
    if verified.torn_bytes > 0 {
        text.push_str("the last entry is being written, or was when the system ended\n");
    }
    text.push_str(&format!("head {}\n", verified.last));
    text
}

fn print_head(args: &HeadArgs) -> Result<(), Failure> {
    let head = head(&args.folder).map_err(|e| not_audited(&e))?;
    match args.form.form() {
        Form::Json => output::write_json(&Head { head }),
        Form::Text => output::write(format!("{head}\n").as_bytes()),
    }
}

fn parse_decision(text: &str) -> Result<Decision, &'static str> {
    let all = [Decision::Allowed, Decision::Denied];
    let found = all.into_iter().find(|decision| decision.name() == text);
    found.ok_or("it is `allowed` or `denied`")
}
