//! `airssys verify` of a component: check its signature.

// Layer 1: Standard library imports
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::security::signature::public_key::PublicKey;
use airssys_wasm::security::signature::trust::{Requirement, Trust, TrustedKey, Verdict};
use airssys_wasm::system::manifest::MANIFEST_FILE;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::commands::sign::read_whole;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::now::now_ms;
use crate::output::{self, Form};
use crate::place;
use crate::signature_advice::{no_key, not_trusted};
use crate::signature_args::SignatureArgs;
use crate::text::visible;

/// What every public key begins with.
const KEY_PREFIX: &str = "ed25519:";

/// Whom to trust.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Of a component: a key to trust, `ed25519:…` or a .pub file; may be repeated
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    key: Vec<KeyArg>,
    /// Of a component: an airssys.toml whose keys to trust [default: that of the current
    /// folder, if no --key is given]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    signature: SignatureArgs,
}

/// A public key, or where it is.
#[derive(Debug, Clone)]
enum KeyArg {
    Key(PublicKey),
    File(PathBuf),
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    component: String,
    signature: String,
    signer: String,
}

/// Checks the signature of a component's file.
///
/// # Errors
///
/// What is wrong with it, or that there is nobody to trust.
pub(crate) fn verify_signature(
    component: &Path,
    args: &TrustArgs,
    form: Form,
) -> Result<(), Failure> {
    let trust = args.trust()?;
    let bytes = read_whole(component)?;
    let signature = args.signature.read(component)?;
    let verdict = trust.verify(&bytes, signature.as_deref(), now_ms());
    let verdict = verdict.map_err(|e| not_trusted(component.display(), &e))?;
    let Verdict::Verified { signer } = verdict else {
        return Err(nobody());
    };
    let found = Found {
        component: component.display().to_string(),
        signature: args.signature.path(component).display().to_string(),
        signer,
    };
    match form {
        Form::Json => output::write_json(&found),
        Form::Text => {
            let component = visible(&found.component);
            let text = format!("{component}: signed by {}\n", visible(&found.signer));
            output::write(text.as_bytes())
        }
    }
}

impl TrustArgs {
    /// Whether any of this was asked for, which is about components alone.
    pub(crate) fn is_given(&self) -> bool {
        !self.key.is_empty() || self.manifest.is_some() || self.signature.is_given()
    }

    fn trust(&self) -> Result<Trust, Failure> {
        let named = self.key.iter().map(KeyArg::read);
        let mut keys = named.collect::<Result<Vec<_>, _>>()?;
        let here = Path::new(MANIFEST_FILE);
        let default = (keys.is_empty() && here.exists()).then_some(here);
        if let Some(manifest) = self.manifest.as_deref().or(default) {
            let trusted = place::read(manifest)?.security.trust();
            // It was checked when it was read.
            let trusted = trusted
                .map_err(|e| Failure::new(Exit::BadManifest, "bad-manifest", e.to_string()))?;
            keys.extend_from_slice(trusted.keys());
        }
        match keys.is_empty() {
            true => Err(nobody()),
            false => Ok(Trust::new(keys, Requirement::Required)),
        }
    }
}

impl KeyArg {
    fn read(&self) -> Result<TrustedKey, Failure> {
        let (name, public) = match self {
            Self::Key(key) => (key.to_string(), *key),
            Self::File(path) => {
                let key = PublicKey::read(path).map_err(|e| no_key(&e))?;
                (path.display().to_string(), key)
            }
        };
        Ok(TrustedKey {
            name,
            public,
            not_after: None,
        })
    }
}

fn parse_key(text: &str) -> Result<KeyArg, String> {
    match text.starts_with(KEY_PREFIX) {
        false => Ok(KeyArg::File(text.into())),
        true => {
            let key = text.parse().map(KeyArg::Key);
            key.map_err(|e| e.to_string())
        }
    }
}

fn nobody() -> Failure {
    Failure::new(
        Exit::Usage,
        "no-key",
        "there is no key to check the signature with",
    )
    .because("neither --key nor an airssys.toml with [[security.keys]] names one")
    .next("name one: `airssys verify COMPONENT --key NAME.pub`")
}
