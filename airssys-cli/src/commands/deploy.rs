//! `airssys deploy`: add a component to a running system.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::component_name::ComponentName;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::commands::r#try::parse_config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::output::{self, FormArgs};
use crate::server::components::CONFIG_PREFIX;
use crate::system_args::SystemArgs;
use crate::version::Version;

const EXAMPLES: &str = "\
Examples:
  airssys deploy shop/cart cart.wasm
  airssys deploy shop/cart cart.wasm --config currency=EUR";

/// Add a component to a running system, with default settings
///
/// It is there until the system ends: write it into airssys.toml to have it there again.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeployArgs {
    /// What to call it
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    /// The component, a .wasm file
    file: PathBuf,
    /// What `init` and `services.config` tell the guest; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_config)]
    config: Vec<(String, String)>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was added.
#[derive(Debug, Deserialize)]
struct Deployed {
    version: Version,
}

/// Adds a component.
pub(crate) fn run(args: DeployArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), deploy(args, system))
}

fn deploy(args: DeployArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let file = ComponentFile::read(args.file, &Limits::default())?;
    let target = Target::new(format!("/v1/components/{}", args.name));
    let mut target = target.with("file", file.path.display());
    for (key, value) in &args.config {
        target = target.with(&format!("{CONFIG_PREFIX}{key}"), value);
    }
    let answer = client.post(target, &file.bytes)?;
    answer.print(args.form.form(), |added: Deployed| {
        format!("{} is there, version {}\n", args.name, added.version)
    })
}
