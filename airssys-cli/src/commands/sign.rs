//! `airssys sign`: sign a component.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::security::signature::detached::{Signature, read_signature, signature_path};
use airssys_wasm::security::signature::error::SignatureError;
use airssys_wasm::security::signature::signing_key::SigningKey;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::unreadable;
use crate::output::{self, Form, FormArgs};
use crate::signature_advice::no_key;
use crate::text::visible;

/// The largest file that is signed or verified, in bytes: 1 GiB, more than any component has.
const MAX_BYTES: u64 = 1 << 30;

const EXAMPLES: &str = "\
Examples:
  airssys keygen --out ci                     make a key
  airssys sign cart.wasm --key ci.key         write cart.wasm.sig
  airssys verify cart.wasm --key ci.pub       check it
  airssys deploy shop/cart cart.wasm          hand over both";

/// Sign a component with a private key, and write the signature beside it
///
/// The signature is of exactly the bytes of the file: change one, and it does not fit any
/// more. `airssys up`, `deploy` and `upgrade` find it by its name, COMPONENT.sig. With --json
/// it prints component, signature (the file) and key (the public one).
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SignArgs {
    /// The component, a .wasm file
    component: PathBuf,
    /// The private key, a .key file that only you can read
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to write the signature [default: COMPONENT.sig]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was signed.
#[derive(Debug, Serialize)]
struct Signed {
    component: String,
    signature: String,
    key: String,
}

/// Signs a component.
pub(crate) fn run(args: &SignArgs) -> Exit {
    output::exit_of(args.form.form(), sign(args))
}

fn sign(args: &SignArgs) -> Result<(), Failure> {
    let key = SigningKey::read(&args.key).map_err(|e| no_key(&e))?;
    let bytes = read_whole(&args.component)?;
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| signature_path(&args.component));
    check_replaceable(&out)?;
    let signature = key.sign(&bytes);
    fs::write(&out, format!("{signature}\n")).map_err(|e| not_written(&out, &e))?;
    let signed = Signed {
        component: args.component.display().to_string(),
        signature: out.display().to_string(),
        key: key.public().to_string(),
    };
    match args.form.form() {
        Form::Json => output::write_json(&signed),
        Form::Text => output::write(signed.text().as_bytes()),
    }
}

impl Signed {
    fn text(&self) -> String {
        let (component, signature) = (visible(&self.component), visible(&self.signature));
        format!("{signature}: {component} signed by {}\n", self.key)
    }
}

/// All bytes of a component's file.
///
/// # Errors
///
/// When it cannot be read, or is larger than any component: what is signed or verified in
/// part only would not be at all.
pub(crate) fn read_whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(&shown, &e))?;
    if read as u64 > MAX_BYTES {
        let message = format!("{shown} is larger than any component");
        let failure = Failure::new(Exit::Io, "too-large", message);
        return Err(failure.next("name the file of a component"));
    }
    Ok(bytes)
}

/// What is there may be replaced if it is a signature.
fn check_replaceable(out: &Path) -> Result<(), Failure> {
    let found = match read_signature(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|e| not_written(out, &e))?,
    };
    match Signature::parse(&found) {
        Ok(_) | Err(SignatureError::Truncated { .. }) => Ok(()),
        Err(_) => Err(Failure::new(
            Exit::Io,
            "exists",
            format!("{} is there already", out.display()),
        )
        .because("it is no signature, and would be lost")
        .next("choose another name with `--out`")),
    }
}

fn not_written(out: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Io, "io", format!("cannot write {}", out.display()))
        .because(error)
        .next("make room and see that the folder is yours, or choose another with `--out`")
}
