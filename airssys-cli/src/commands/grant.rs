//! `airssys grant`: let a component of a running system do more.

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::component_name::ComponentName;
use clap::Args;

// Layer 3: Internal module imports
use crate::client::Client;
use crate::commands::grants::{Granted, path};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormArgs};
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
    /// The component
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    /// What it may do: send, call, timers, publish, subscribe, storage, spawn, directory,
    /// config, secrets, clock, env, read_files, write_files or network
    capability: Capability,
    /// For whom or what
    pattern: String,
    #[command(flatten)]
    form: FormArgs,
}

/// Grants something.
pub(crate) fn run(args: &GrantArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), grant(args, system))
}

fn grant(args: &GrantArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let target = path(&args.name)
        .with("capability", args.capability)
        .with("pattern", &args.pattern);
    let answer = client.post(target, &[])?;
    answer.print(args.form.form(), |granted: Granted| granted.text())
}
