//! `airssys backup`: copy the data of a system.

// Layer 1: Standard library imports
use std::path::{PathBuf, absolute};

// Layer 2: Third-party crate imports
use airssys_wasm::system::data::stopped_data::StoppedData;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs};
use crate::quantity::{bytes, count, time};
use crate::system_args::SystemArgs;
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys backup ../shop-monday                of the running system
  airssys backup ../shop-monday --data data    of one that does not run
  airssys verify ../shop-monday                see what is in it
  airssys up --data ../shop-monday             go on from there";

/// Copy the data of a system to a new folder: all that was acknowledged by now, as it was
/// at one moment
///
/// The system goes on meanwhile. The copy is a data folder like any other. It has its name
/// once it is whole and on disk; if anything fails, nothing is left of it. With --json it
/// prints folder, bytes, seq (the last commit that is in it) and took_ms.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackupArgs {
    /// The folder to make; one that exists must be empty
    destination: PathBuf,
    /// The data folder of a system that does not run [default: that of the running one]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was copied.
#[derive(Debug, Deserialize)]
struct Copied {
    folder: String,
    bytes: u64,
    seq: u64,
    took_ms: u64,
}

/// Makes a backup.
pub(crate) fn run(args: &BackupArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), backup(args, system))
}

fn backup(args: &BackupArgs, system: &SystemArgs) -> Result<(), Failure> {
    // The system may have been started elsewhere.
    let to = absolute(&args.destination).map_err(|e| no_path(args).because(e))?;
    let Some(data) = &args.data else {
        let path = to.to_str();
        let path = path.ok_or_else(|| no_path(args).because("it is no UTF-8"))?;
        let client = Client::find(system)?;
        output::say(format_args!("copying the data of the running system"));
        let answer = client.post(Target::new("/v1/backup").with("to", path), &[])?;
        return answer.print(args.form.form(), |copied: Copied| copied.text());
    };
    let data = StoppedData::open(data).map_err(|e| not_done(&e))?;
    output::say(format_args!("copying the data"));
    let copied = data.backup(&to).map_err(|e| not_done(&e))?;
    match args.form.form() {
        Form::Json => output::write_json(&copied),
        Form::Text => {
            let copied = Copied {
                folder: copied.folder.display().to_string(),
                bytes: copied.bytes,
                seq: copied.seq,
                took_ms: copied.took_ms,
            };
            output::write(copied.text().as_bytes())
        }
    }
}

fn no_path(args: &BackupArgs) -> Failure {
    let message = format!("{} is no path for a backup", args.destination.display());
    Failure::new(Exit::Io, "destination", message).next("name a new folder")
}

impl Copied {
    fn text(&self) -> String {
        let took = time(self.took_ms.saturating_mul(1_000_000));
        format!(
            "{}: {}, up to commit {}, in {took}\n",
            visible(&self.folder),
            bytes(self.bytes),
            count(self.seq),
        )
    }
}
