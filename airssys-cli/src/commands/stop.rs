//! `airssys stop`: stop an actor.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use clap::Args;
use serde::de::IgnoredAny;

// Layer 3: Internal module imports
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::message::{actor_target, parse_actor};
use crate::output::{self, FormArgs};
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys stop shop/cart/alice
  airssys resume shop/cart/alice   let it run again";

/// Stop an actor of a running system: nothing is sent to it until it is resumed
///
/// Messages that wait for it become dead letters. With --json it prints the actor as
/// `airssys ps --actors --json` does.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StopArgs {
    /// The actor
    #[arg(value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_actor)]
    address: ComponentId,
    #[command(flatten)]
    form: FormArgs,
}

/// Stops an actor.
pub(crate) fn run(args: &StopArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), stop(args, system))
}

fn stop(args: &StopArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let answer = client.post(actor_target(&args.address, "stop"), &[])?;
    let text = |_: IgnoredAny| {
        format!(
            "{0} is stopped; `airssys resume {0}` lets it run again\n",
            args.address
        )
    };
    answer.print(args.form.form(), text)
}
