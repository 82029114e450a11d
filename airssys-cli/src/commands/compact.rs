//! `airssys compact`: have data take less room.

// Layer 1: Standard library imports
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::system::data::stopped_data::StoppedData;
use clap::Args;

// Layer 3: Internal module imports
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs};
use crate::quantity::{bytes, time};
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys compact data
  airssys compact data --json | jq .bytes_after";

/// Have the data of a system that does not run take as little room as it can
///
/// It takes about as long as writing all of it. Interrupted or not, nothing is lost. With
/// --json it prints folder, bytes_before, bytes_after and took_ms.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompactArgs {
    /// The data folder
    folder: PathBuf,
    #[command(flatten)]
    form: FormArgs,
}

/// Compacts a folder.
pub(crate) fn run(args: CompactArgs) -> Exit {
    let form = args.form.form();
    output::exit_of(form, compact(args.folder, form))
}

fn compact(folder: PathBuf, form: Form) -> Result<(), Failure> {
    let data = StoppedData::open(folder).map_err(|e| not_done(&e))?;
    output::say(format_args!("compacting"));
    let done = data.compact().map_err(|e| not_done(&e))?;
    match form {
        Form::Json => output::write_json(&done),
        Form::Text => {
            let text = format!(
                "{}: {}, and {} before, in {}\n",
                visible(&done.folder.display().to_string()),
                bytes(done.bytes_after),
                bytes(done.bytes_before),
                time(done.took_ms.saturating_mul(1_000_000)),
            );
            output::write(text.as_bytes())
        }
    }
}
