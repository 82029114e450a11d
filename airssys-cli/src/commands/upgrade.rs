//! `airssys upgrade`: give a running component a new version.

// Layer 1: Standard library imports
use std::fmt::Write;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::system::component_name::ComponentName;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::output::{self, FormArgs};
use crate::quantity::many;
use crate::signature_args::{SignatureArgs, signed_by};
use crate::system_args::SystemArgs;
use crate::text::visible;
use crate::version::Version;

const EXAMPLES: &str = "\
Examples:
  airssys upgrade shop/cart cart-v2.wasm   with cart-v2.wasm.sig, if it is there
  airssys rollback shop/cart   return to the version before";

/// Give a component of a running system a new version, while messages flow
///
/// The new version is first tried on recorded turns, and not taken if it traps where the
/// running one did not. Then each live actor switches between two of its messages. If it
/// fails often in its first time, the old version comes back.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UpgradeArgs {
    /// The component
    #[arg(value_name = "NAMESPACE/NAME")]
    name: ComponentName,
    /// The new version, a .wasm file
    file: PathBuf,
    #[command(flatten)]
    signature: SignatureArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// How a change of version went, as far as it is told to people.
#[derive(Debug, Deserialize)]
pub(crate) struct Changed {
    component: String,
    from: Version,
    to: Version,
    signer: Option<String>,
    tried: usize,
    different: Vec<Difference>,
    switched: usize,
    not_switched: Vec<String>,
    is_reverted: bool,
}

/// A recorded turn that went otherwise on the new version.
#[derive(Debug, Deserialize)]
struct Difference {
    actor: String,
    kind: String,
    differences: Vec<String>,
}

/// Upgrades a component.
pub(crate) fn run(args: UpgradeArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), upgrade(args, system))
}

fn upgrade(args: UpgradeArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let file = ComponentFile::read(args.file, &Limits::default())?;
    let target = Target::new(format!("/v1/components/{}/upgrade", args.name));
    let signature = args.signature.to_send(&file.path)?;
    let target = target
        .with("file", file.path.display())
        .maybe("signature", signature.as_ref());
    let answer = client.post(target, &file.bytes)?;
    let text = |changed: Changed| changed.text(signature.as_ref());
    answer.print(args.form.form(), text)
}

impl Changed {
    /// In words, on lines of their own, where this was sent as the signature.
    pub(crate) fn text(&self, sent: Option<&String>) -> String {
        let (from, to) = (&self.from, &self.to);
        let signed = signed_by(self.signer.as_deref(), sent);
        let mut text = format!(
            "{} changed from version {from} to {to}{signed}\n",
            self.component
        );
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "  switched  {}",
            many(self.switched as u64, "live actor")
        );
        if !self.not_switched.is_empty() {
            let _ = writeln!(text, "  not yet   {}", self.not_switched.join(", "));
        }
        if self.tried > 0 {
            let different = self.different.len();
            let _ = writeln!(
                text,
                "  tried on  {}, of which {different} went otherwise",
                many(self.tried as u64, "recorded turn")
            );
        }
        for turn in &self.different {
            let differences = visible(&turn.differences.join("; "));
            let _ = writeln!(
                text,
                "    {} `{}`: {differences}",
                turn.actor,
                visible(&turn.kind)
            );
        }
        if self.is_reverted {
            let _ = writeln!(
                text,
                "  reverted  it failed too often, and version {from} is back"
            );
        }
        text
    }
}
