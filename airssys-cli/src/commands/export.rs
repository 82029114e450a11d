//! `airssys export`: print what an actor keeps.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::iter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::system::data::stopped_data::StoppedData;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::client::{Client, cut};
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::message::{actor_target, parse_actor};
use crate::output::{self, Form, FormArgs};
use crate::quantity::bytes;
use crate::system_args::SystemArgs;
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys export shop/cart/alice
  airssys export shop/cart/alice -o alice.jsonl
  airssys export shop/cart/alice --data data    of a system that does not run
  airssys export shop/cart/alice | jq -r 'select(.key == \"items\").value'";

/// How much of an answer is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// Print what a durable actor keeps, as JSON lines: what its last turn committed
///
/// The first line has format, actor, ran_by (the version that wrote the state), keys and
/// bytes. Each other one has key, and value if that is text, or else base64. `airssys
/// import` reads them. With --json a failure is printed as one JSON object, and with -o
/// what was written: file and bytes.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The actor, live or not
    #[arg(value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_actor)]
    address: ComponentId,
    /// Write to a file, which is there when all is written
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The data folder of a system that does not run [default: that of the running one]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    file: String,
    bytes: u64,
}

/// The pieces of an export, as they come.
type Pieces = Box<dyn Iterator<Item = Result<Vec<u8>, Failure>>>;

/// Exports an actor.
pub(crate) fn run(args: &ExportArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), export(args, system))
}

fn export(args: &ExportArgs, system: &SystemArgs) -> Result<(), Failure> {
    let pieces = pieces(args, system)?;
    match &args.output {
        Some(file) => {
            let bytes = write_file(file, pieces)?;
            tell(args.form.form(), file, bytes)
        }
        None => {
            for piece in pieces {
                if let ControlFlow::Break(()) = output::write_while_read(&piece?)? {
                    break;
                }
            }
            Ok(())
        }
    }
}

fn pieces(args: &ExportArgs, system: &SystemArgs) -> Result<Pieces, Failure> {
    if let Some(data) = &args.data {
        let data = StoppedData::open(data).map_err(|e| not_done(&e))?;
        let state = data.export(&args.address).map_err(|e| not_done(&e))?;
        return Ok(Box::new(state.into_lines().map(Ok)));
    }
    let client = Client::find(system)?;
    let answer = client.get(actor_target(&args.address, "state"))?;
    let mut reader = answer.reader();
    let mut is_over = false;
    Ok(Box::new(iter::from_fn(move || {
        let mut piece = vec![0; PIECE_BYTES];
        if is_over {
            return None;
        }
        match reader.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece))
            }
            Err(error) => {
                is_over = true;
                Some(Err(cut(&error)))
            }
        }
    })))
}

/// Writes a file under another name, and gives it its own when it is whole.
fn write_file(path: &Path, pieces: Pieces) -> Result<u64, Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let draft = path.with_file_name(name);
    let written = write_draft(&draft, pieces).and_then(|bytes| {
        fs::rename(&draft, path).map_err(|e| not_written(path, &e))?;
        Ok(bytes)
    });
    if written.is_err() {
        // It may never have been made.
        drop(fs::remove_file(&draft));
    }
    written
}

fn write_draft(draft: &Path, pieces: Pieces) -> Result<u64, Failure> {
    let failed = |error: io::Error| not_written(draft, &error);
    let mut file = File::create(draft).map_err(failed)?;
    let mut bytes = 0;
    for piece in pieces {
        let piece = piece?;
        file.write_all(&piece).map_err(failed)?;
        bytes += piece.len() as u64;
    }
    file.sync_all().map_err(failed)?;
    Ok(bytes)
}

fn tell(form: Form, file: &Path, size: u64) -> Result<(), Failure> {
    let file = file.display().to_string();
    match form {
        Form::Json => output::write_json(&Written { file, bytes: size }),
        Form::Text => {
            output::say(format_args!("{}: {}", visible(&file), bytes(size)));
            Ok(())
        }
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write {}", path.display());
    Failure::new(Exit::Io, "io", message)
        .because(error)
        .next("check the path and the rights, and whether there is room")
}
