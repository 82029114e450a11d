//! `airssys verify`: check a data folder, or the signature of a component.

// Layer 1: Standard library imports
use std::fmt::Write;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::system::data::stopped_data::StoppedData;
use airssys_wasm::system::data::verification::Verification;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::commands::verify_signature::{TrustArgs, verify_signature};
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs};
use crate::quantity::{bytes, count, many};
use crate::table::Table;
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys verify data
  airssys verify ../shop-monday --json | jq '.is_sound, .components'
  airssys verify cart.wasm --key ci.pub         is it what the owner of that key signed?
  airssys verify cart.wasm                      is it signed by a key of ./airssys.toml?";

/// Check the data of a system that does not run: all checksums, every row, the log, and
/// whether what is counted adds up; or, of a file, the signature of a component
///
/// A component must be signed by a key that is trusted; if it is not, the exit code is 13.
/// With --json it prints component, signature (the file) and signer (the key's name).
///
/// The data of a folder is not changed. Damaged data ends with exit code 33. With --json it prints
/// is_sound, problems (100 at most), problem_count, folder, format, bytes, seq (the last
/// commit), rows (kind, rows and bytes), in_log, and components (name, keys and bytes).
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The data folder, or the file of a component
    #[arg(value_name = "FOLDER|COMPONENT")]
    path: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Verified {
    is_sound: bool,
    #[serde(flatten)]
    found: Verification,
}

/// Verifies a folder or a component.
pub(crate) fn run(args: VerifyArgs) -> Exit {
    let form = args.form.form();
    if args.path.is_file() || args.trust.is_given() {
        let verified = verify_signature(&args.path, &args.trust, form);
        return output::exit_of(form, verified);
    }
    match verify(args.path, form) {
        Ok(true) => Exit::Success,
        Ok(false) => Exit::Damaged,
        Err(failure) => output::exit_of(form, Err(failure)),
    }
}

/// Says whether it is sound.
fn verify(folder: PathBuf, form: Form) -> Result<bool, Failure> {
    let data = StoppedData::open(folder).map_err(|e| not_done(&e))?;
    output::say(format_args!("reading everything"));
    let found = data.verify().map_err(|e| not_done(&e))?;
    let is_sound = found.is_sound();
    match form {
        Form::Json => output::write_json(&Verified { is_sound, found })?,
        Form::Text => output::write(text(&found).as_bytes())?,
    }
    Ok(is_sound)
}

fn text(found: &Verification) -> String {
    let mut text = format!(
        "{}: format {}, {}, up to commit {}\n\n",
        visible(&found.folder.display().to_string()),
        found.format,
        bytes(found.bytes),
        count(found.seq),
    );
    let mut kinds = Table::new(["KIND", "ROWS", "BYTES"]);
    for it in &found.rows {
        kinds.push([it.kind.to_owned(), count(it.rows), count(it.bytes)]);
    }
    let mut components = Table::new(["COMPONENT", "KEYS", "BYTES"]);
    for it in &found.components {
        components.push([it.name.clone(), count(it.keys), count(it.bytes)]);
    }
    // Writing to a text cannot fail.
    let _ = write!(text, "{kinds}\n{components}\n");
    if found.is_sound() {
        text.push_str("sound\n");
        return text;
    }
    for problem in &found.problems {
        let _ = writeln!(text, "problem: {}", visible(problem));
    }
    let problems = many(found.problem_count, "problem");
    let _ = writeln!(
        text,
        "{problems}; restore a backup: `airssys up --data BACKUP`"
    );
    text
}
