//! `airssys keygen`: make a key to sign components with.

// Layer 1: Standard library imports
use std::fs;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::security::signature::signing_key::SigningKey;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs, say};
use crate::place::name_of;
use crate::signature_advice::no_key;
use crate::text::visible;

/// What a key is called that nothing gives a name.
const NAMELESS: &str = "airssys";

const EXAMPLES: &str = "\
Examples:
  airssys keygen --out keys/ci                    make keys/ci.key and keys/ci.pub
  airssys keygen --out ci >> airssys.toml         and trust it
  airssys sign cart.wasm --key keys/ci.key        sign a component with it
  airssys verify cart.wasm --key keys/ci.pub      check what was signed";

/// Make an ed25519 key to sign components with: NAME.key, which only you can read, and
/// NAME.pub, which is for everybody
///
/// It prints the public key as lines for airssys.toml. A file that is there is never
/// overwritten. Keep NAME.key secret: whoever has it can sign in your name. With --json it
/// prints name, public, private_file and public_file.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// The folder and the name of both files, without their endings
    #[arg(long, value_name = "FOLDER/NAME", default_value = NAMELESS)]
    out: PathBuf,
    #[command(flatten)]
    form: FormArgs,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    name: String,
    public: String,
    private_file: String,
    public_file: String,
}

/// Makes a key.
pub(crate) fn run(args: &KeygenArgs) -> Exit {
    let form = args.form.form();
    output::exit_of(form, keygen(&args.out, form))
}

fn keygen(out: &Path, form: Form) -> Result<(), Failure> {
    let out = match out.is_dir() {
        true => out.join(NAMELESS),
        false => out.to_owned(),
    };
    let (private, public) = (with_ending(&out, ".key"), with_ending(&out, ".pub"));
    let key = SigningKey::generate().map_err(|e| no_key(&e))?;
    key.write_new(&private).map_err(|e| no_key(&e))?;
    key.public().write_new(&public).map_err(|error| {
        // A half of a pair would be in the way of the next attempt.
        let _ = fs::remove_file(&private);
        no_key(&error)
    })?;
    let made = Made {
        name: name_of(&out),
        public: key.public().to_string(),
        private_file: private.display().to_string(),
        public_file: public.display().to_string(),
    };
    if form == Form::Json {
        return output::write_json(&made);
    }
    say(format_args!(
        "{}: keep it secret; whoever has it can sign in your name\n\
         {}: for everybody; to trust the key, put these lines into airssys.toml:",
        visible(&made.private_file),
        visible(&made.public_file)
    ));
    output::write(made.lines().as_bytes())
}

impl Made {
    /// The lines of a manifest.
    fn lines(&self) -> String {
        let Self { name, public, .. } = self;
        format!("\n[[security.keys]]\nname = \"{name}\"\npublic = \"{public}\"\n")
    }
}

fn with_ending(out: &Path, ending: &str) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
