//! `airssys dead`: messages that nobody handled.

// Layer 1: Standard library imports
use std::fmt::Write;

// Layer 2: Third-party crate imports
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde::de::IgnoredAny;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::now::now_ms;
use crate::output::{self, FormArgs};
use crate::quantity::{bytes, many, stretch};
use crate::server::dead_letters::Dropped;
use crate::system_args::SystemArgs;
use crate::table::Table;
use crate::text::{Data, visible};

const EXAMPLES: &str = "\
Examples:
  airssys dead list --to shop/cart
  airssys dead show 3
  airssys replay 3        see the turn fail again
  airssys dead retry 3    send it again, once what it failed at is mended
  airssys dead drop --all";

/// List, look at, retry or drop messages that nobody handled
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeadArgs {
    #[command(subcommand)]
    what: Dead,
}

#[derive(Subcommand)]
enum Dead {
    /// List them, in the order they came
    List(ListArgs),
    /// Show one, with its payload and where the guest trapped
    Show(OneArgs),
    /// Send one again, to the actor that it was for
    Retry(OneArgs),
    /// Drop one, or many
    Drop(DropArgs),
}

#[derive(Args)]
struct ListArgs {
    /// Only those to this actor, component or namespace
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Only those after this number
    #[arg(long, value_name = "ID")]
    after: Option<DeadLetterId>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
struct OneArgs {
    /// Its number
    id: DeadLetterId,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
struct DropArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Its number
    id: Option<DeadLetterId>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// All those to this actor, component or namespace
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

/// A dead letter, as far as a list shows it to people.
#[derive(Debug, Deserialize)]
struct Summary {
    id: u64,
    to: String,
    from: String,
    kind: String,
    payload_bytes: u64,
    reason: String,
    attempts: u32,
    at_ms: u64,
    has_turn: bool,
}

/// A whole one.
#[derive(Debug, Deserialize)]
struct Whole {
    #[serde(flatten)]
    summary: Summary,
    payload: Payload,
    backtrace: Vec<String>,
}

/// Bytes, as JSON has them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Payload {
    Text(String),
    Base64(String),
}

/// Does something with dead letters.
pub(crate) fn run(args: &DeadArgs, system: &SystemArgs) -> Exit {
    match &args.what {
        Dead::List(args) => output::exit_of(args.form.form(), list(args, system)),
        Dead::Show(args) => output::exit_of(args.form.form(), show(args, system)),
        Dead::Retry(args) => output::exit_of(args.form.form(), retry(args, system)),
        Dead::Drop(args) => output::exit_of(args.form.form(), drop_some(args, system)),
    }
}

fn list(args: &ListArgs, system: &SystemArgs) -> Result<(), Failure> {
    let target = Target::new("/v1/dead-letters")
        .with("limit", args.limit)
        .maybe("to", args.to.as_ref())
        .maybe("after", args.after);
    let answer = Client::find(system)?.get(target)?;
    answer.print(args.form.form(), |letters: Vec<Summary>| table(&letters))
}

fn show(args: &OneArgs, system: &SystemArgs) -> Result<(), Failure> {
    let target = Target::new(format!("/v1/dead-letters/{}", args.id));
    let answer = Client::find(system)?.get(target)?;
    answer.print(args.form.form(), |letter: Whole| letter.text())
}

fn retry(args: &OneArgs, system: &SystemArgs) -> Result<(), Failure> {
    let target = Target::new(format!("/v1/dead-letters/{}/retry", args.id));
    let answer = Client::find(system)?.post(target, &[])?;
    answer.print(args.form.form(), |_: IgnoredAny| {
        format!("dead letter {} is sent again\n", args.id)
    })
}

fn drop_some(args: &DropArgs, system: &SystemArgs) -> Result<(), Failure> {
    let target = Target::new("/v1/dead-letters");
    let target = match (&args.which.id, &args.which.to) {
        (Some(id), _) => target.part(&id.to_string()),
        (None, Some(to)) => target.with("to", to),
        (None, None) => target.with("all", true),
    };
    let answer = Client::find(system)?.delete(target)?;
    answer.print(args.form.form(), |done: Dropped| {
        format!("{} dropped\n", many(done.dropped as u64, "dead letter"))
    })
}

fn table(letters: &[Summary]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let now_ms = now_ms();
    let mut table = Table::new(["ID", "TO", "KIND", "SIZE", "ATTEMPTS", "AGE", "REASON"]);
    for it in letters {
        table.push([
            it.id.to_string(),
            it.to.clone(),
            it.kind.clone(),
            bytes(it.payload_bytes),
            it.attempts.to_string(),
            stretch(now_ms.saturating_sub(it.at_ms)),
            it.reason.clone(),
        ]);
    }
    table.to_string()
}

impl Whole {
    fn text(&self) -> String {
        let Summary { id, .. } = self.summary;
        let mut text = format!("dead letter {id}\n");
        let mut row = |label: &str, value: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {label:<10}{}", visible(value));
        };
        row("to", &self.summary.to);
        row("from", &self.summary.from);
        row("kind", &self.summary.kind);
        let payload = self.payload.data().preview();
        let _ = writeln!(text, "  {:<10}{payload}", "payload");
        let mut row = |label: &str, value: &str| {
            let _ = writeln!(text, "  {label:<10}{}", visible(value));
        };
        row("age", &stretch(now_ms().saturating_sub(self.summary.at_ms)));
        row("attempts", &self.summary.attempts.to_string());
        row("reason", &self.summary.reason);
        for (index, function) in self.backtrace.iter().enumerate() {
            row(if index == 0 { "stack" } else { "" }, function);
        }
        match self.summary.has_turn {
            true => row(
                "next",
                &format!("`airssys replay {id}`, `airssys dead retry {id}`"),
            ),
            false => row("next", &format!("`airssys dead retry {id}`")),
        }
        text
    }
}

impl Payload {
    fn data(&self) -> Data {
        let bytes = match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
        };
        Data(bytes.into())
    }
}
