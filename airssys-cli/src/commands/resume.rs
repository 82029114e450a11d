//! `airssys resume`: let run again what was stopped or given up.

// Layer 2: Third-party crate imports
use airssys_wasm::component::supervision::member::Member;
use clap::Args;
use serde::de::IgnoredAny;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormArgs};
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys resume shop/cart/alice   an actor
  airssys resume shop/cart         a component, with all of its actors
  airssys resume checkout          a group";

/// Let an actor, a component or a group run again that was stopped or given up
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResumeArgs {
    /// An address, the name of a component, or the name of a group
    target: Member,
    #[command(flatten)]
    form: FormArgs,
}

/// Lets something run again.
pub(crate) fn run(args: &ResumeArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), resume(args, system))
}

fn resume(args: &ResumeArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let target = Target::new("/v1/resume").with("target", &args.target);
    let answer = client.post(target, &[])?;
    answer.print(args.form.form(), |_: IgnoredAny| {
        format!("{} may run again\n", args.target)
    })
}
