//! `airssys rollback`: return to an earlier version.

// Layer 2: Third-party crate imports
use airssys_wasm::system::component_name::ComponentName;
use clap::Args;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::commands::upgrade::Changed;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormArgs};
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys rollback shop/cart                to the version before
  airssys rollback shop/cart 1.4.0          to one that is kept, by its name
  airssys rollback shop/cart sha256:3f2a91  or by the beginning of its digest";

/// Return a component of a running system to a version that is kept
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RollbackArgs {
    /// The component
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    /// The version [default: the one before]
    version: Option<String>,
    #[command(flatten)]
    form: FormArgs,
}

/// Returns to a version.
pub(crate) fn run(args: &RollbackArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), roll_back(args, system))
}

fn roll_back(args: &RollbackArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let target = Target::new(format!("/v1/components/{}/rollback", args.name));
    let answer = client.post(target.maybe("version", args.version.as_ref()), &[])?;
    answer.print(args.form.form(), |changed: Changed| changed.text(None))
}
