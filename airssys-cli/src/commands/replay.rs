//! `airssys replay`: run the turn of a dead letter again.

// Layer 1: Standard library imports
use std::fmt::Write;

// Layer 2: Third-party crate imports
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormArgs};
use crate::system_args::SystemArgs;
use crate::text::visible;
use crate::version::Version;

const EXAMPLES: &str = "\
Examples:
  airssys replay 3                        on the version that it failed on
  airssys replay 3 --version sha256:3f2a91   on another that is kept";

/// Run the turn of a dead letter again, with the inputs that it had, and compare
///
/// Nothing that the turn wants to happen happens. With --json it prints actor, kind,
/// version, is_same_version, was, is and differences.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// The dead letter's number
    id: DeadLetterId,
    /// A kept version to run it on [default: the one that it ran on]
    #[arg(long)]
    version: Option<String>,
    #[command(flatten)]
    form: FormArgs,
}

/// How it went.
#[derive(Debug, Deserialize)]
struct Replayed {
    actor: String,
    kind: String,
    version: Version,
    was: String,
    is: String,
    differences: Vec<String>,
}

/// Replays a turn.
pub(crate) fn run(args: &ReplayArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), replay(args, system))
}

fn replay(args: &ReplayArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let target = Target::new(format!("/v1/dead-letters/{}/replay", args.id));
    let answer = client.post(target.maybe("version", args.version.as_ref()), &[])?;
    answer.print(args.form.form(), |replayed: Replayed| replayed.text())
}

impl Replayed {
    fn text(&self) -> String {
        let (kind, version) = (visible(&self.kind), &self.version);
        let mut text = format!("{} `{kind}` on version {version}\n", self.actor);
        let (was, is) = (visible(&self.was), visible(&self.is));
        // Writing to a text cannot fail.
        let _ = match self.differences.is_empty() {
            true => writeln!(text, "  the same  {is}"),
            false => writeln!(text, "  was       {was}\n  is        {is}"),
        };
        for difference in &self.differences {
            let _ = writeln!(text, "  differs   {}", visible(difference));
        }
        text
    }
}
