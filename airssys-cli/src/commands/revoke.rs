//! `airssys revoke`: let a component of a running system do less.

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
  airssys revoke shop/cart send shop/stock
  airssys revoke shop/cart network '*:*'           every grant of it";

/// Take from a component of a running system what was granted, from its next host call on
///
/// Takes back every grant that lies within the pattern. Of a wider grant no part can be
/// taken: revoke it, and grant the rest. It lasts until the system ends. Prints what is
/// granted then.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Revokes something.
pub(crate) fn run(args: &RevokeArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.change.form.form(), revoke(args, system))
}

fn revoke(args: &RevokeArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let answer = client.delete(args.change.target())?;
    answer.print(args.change.form.form(), |granted: Granted| granted.text())
}
