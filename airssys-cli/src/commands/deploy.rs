//! `airssys deploy`: add a component to a running system.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::security::capability::{Capability, UnknownCapability};
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
use crate::server::components::{CONFIG_PREFIX, GRANT_PREFIX};
use crate::signature_args::{SignatureArgs, signed_by};
use crate::system_args::SystemArgs;
use crate::version::Version;

const EXAMPLES: &str = "\
Examples:
  airssys deploy shop/cart cart.wasm
  airssys deploy shop/cart cart.wasm --config currency=EUR --grant config=currency
  airssys deploy shop/cart cart.wasm --grant send=shop/stock --grant timers=self
  airssys deploy shop/cart cart.wasm --signature cart.sig   else cart.wasm.sig, if it is there";

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
    /// What it may do, and for whom or what, such as send=shop/stock; may be repeated
    #[arg(long, value_name = "CAPABILITY=PATTERN", value_parser = parse_grant)]
    grant: Vec<(Capability, String)>,
    #[command(flatten)]
    signature: SignatureArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// What was added.
#[derive(Debug, Deserialize)]
struct Deployed {
    version: Version,
    signer: Option<String>,
}

/// Adds a component.
pub(crate) fn run(args: DeployArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), deploy(args, system))
}

fn deploy(args: DeployArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let file = ComponentFile::read(args.file, &Limits::default())?;
    let target = Target::new(format!("/v1/components/{}", args.name));
    let signature = args.signature.to_send(&file.path)?;
    let mut target = target
        .with("file", file.path.display())
        .maybe("signature", signature.as_ref());
    for (key, value) in &args.config {
        target = target.with(&format!("{CONFIG_PREFIX}{key}"), value);
    }
    for (capability, pattern) in &args.grant {
        target = target.with(&format!("{GRANT_PREFIX}{capability}"), pattern);
    }
    let answer = client.post(target, &file.bytes)?;
    answer.print(args.form.form(), |added: Deployed| {
        let signed = signed_by(added.signer.as_deref(), signature.as_ref());
        format!(
            "{} is there, version {}{signed}\n",
            args.name, added.version
        )
    })
}

/// Reads `CAPABILITY=PATTERN`.
fn parse_grant(text: &str) -> Result<(Capability, String), String> {
    let (capability, pattern) = text
        .split_once('=')
        .ok_or("write CAPABILITY=PATTERN, such as send=shop/stock")?;
    let capability = capability
        .parse()
        .map_err(|unknown: UnknownCapability| unknown.to_string())?;
    Ok((capability, pattern.to_owned()))
}
