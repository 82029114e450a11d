//! `airssys grants`: what a component of a running system may do.

// Layer 2: Third-party crate imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::component_name::ComponentName;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormArgs};
use crate::system_args::SystemArgs;
use crate::table::Table;

const EXAMPLES: &str = "\
Examples:
  airssys grants shop/cart
  airssys grants shop/cart --json | jq '.granted.send'";

/// Show what is granted to a component of a running system
///
/// Without a grant an actor may log and keep its own state. With --json it prints
/// component and granted: the patterns of each capability.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GrantsArgs {
    /// The component
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    #[command(flatten)]
    form: FormArgs,
}

/// What is to be granted or revoked.
#[derive(Args)]
pub(crate) struct ChangeArgs {
    /// The component
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    /// One of send, call, timers, publish, subscribe, storage, spawn, directory,
    /// config, secrets, clock, env, read_files, write_files or network
    capability: Capability,
    /// For whom or what
    pattern: String,
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// What is granted to a component, as the server tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Granted {
    component: String,
    granted: Capabilities,
}

/// Shows what is granted.
pub(crate) fn run(args: &GrantsArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), grants(args, system))
}

fn grants(args: &GrantsArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let answer = client.get(path(&args.name))?;
    answer.print(args.form.form(), |granted: Granted| granted.text())
}

/// Where the grants of a component are.
fn path(component: &ComponentName) -> Target {
    Target::new(format!("/v1/components/{component}/grants"))
}

impl ChangeArgs {
    /// Where to change it.
    pub(crate) fn target(&self) -> Target {
        path(&self.name)
            .with("capability", self.capability)
            .with("pattern", &self.pattern)
    }
}

impl Granted {
    /// What is granted, as a table.
    pub(crate) fn text(&self) -> String {
        if self.granted.is_empty() {
            return format!("{} is granted nothing\n", self.component);
        }
        let mut table = Table::new(["CAPABILITY", "FOR"]);
        for (capability, pattern) in self.granted.iter() {
            table.push([capability.to_string(), pattern.to_owned()]);
        }
        table.to_string()
    }
}
