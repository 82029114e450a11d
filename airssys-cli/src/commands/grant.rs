//! `airssys grant`: let a component of a running system do more.

// Layer 2: Third-party crate imports
use clap::Args;

// Layer 3: Internal module imports
use crate::client::Client;
use crate::commands::grants::{ChangeArgs, Granted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys grant shop/cart send shop/stock          to all actors of a component
  airssys grant shop/cart timers self
  airssys grant shop/cart publish 'orders.>'
  airssys grant shop/cart network api.example.com:443";

/// Grant a component of a running system something, from its next host call on
///
/// It lasts until the system ends: write it into airssys.toml to have it there again.
/// Prints what is granted then.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Grants something.
pub(crate) fn run(args: &GrantArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.change.form.form(), grant(args, system))
}

fn grant(args: &GrantArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let answer = client.post(args.change.target(), &[])?;
    answer.print(args.change.form.form(), |granted: Granted| granted.text())
}
