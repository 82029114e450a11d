//! `airssys import`: replace what an actor keeps.

// Layer 1: Standard library imports
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::system::data::stopped_data::StoppedData;
use clap::Args;
use serde::Deserialize;

// Layer 3: Internal module imports
use crate::client::Client;
use crate::data_advice::not_done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{STDIN, unreadable};
use crate::limits::{LimitArg, changed};
use crate::message::{actor_target, parse_actor};
use crate::output::{self, Form, FormArgs};
use crate::quantity::{bytes, many};
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys stop shop/cart/alice
  airssys import shop/cart/alice alice.jsonl
  airssys resume shop/cart/alice
  airssys export a/b/c --data old | airssys import a/b/c --data new";

/// Replace everything that a durable actor keeps by what JSON lines say, as `airssys
/// export` prints them
///
/// The actor of a running system has to be stopped before. All of it is replaced at once,
/// or nothing if a line is wrong. Messages that wait for the actor are left alone. If
/// another version wrote the state, the actor migrates it when it runs again. With --json
/// it prints actor, keys, bytes, keys_before and bytes_before.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// The actor; the lines may be those of another one of its component
    #[arg(value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_actor)]
    address: ComponentId,
    /// The lines; `-` is standard input
    #[arg(default_value = STDIN)]
    file: PathBuf,
    /// The data folder of a system that does not run [default: that of the running one]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// With --data: a limit that the component has and others do not, such as
    /// `value_bytes=4MiB`; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", requires = "data")]
    limits: Vec<LimitArg>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was imported.
#[derive(Debug, Deserialize)]
struct Imported {
    keys: u64,
    bytes: u64,
    keys_before: u64,
}

/// Imports an actor.
pub(crate) fn run(args: &ImportArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), import(args, system))
}

fn import(args: &ImportArgs, system: &SystemArgs) -> Result<(), Failure> {
    let form = args.form.form();
    let text = |imported: &Imported| {
        format!(
            "{} has {} of {} now, and had {}\n",
            args.address,
            many(imported.keys, "key"),
            bytes(imported.bytes),
            many(imported.keys_before, "key"),
        )
    };
    let Some(data) = &args.data else {
        let client = Client::find(system)?;
        let mut lines = open(&args.file)?;
        let answer = client.upload(actor_target(&args.address, "state"), &mut lines)?;
        return answer.print(form, |imported: Imported| text(&imported));
    };
    let data = StoppedData::open(data).map_err(|e| not_done(&e))?;
    let lines = open(&args.file)?;
    let imported = data.import(&args.address, &changed(&args.limits), lines);
    let imported = imported.map_err(|e| not_done(&e))?;
    match form {
        Form::Json => output::write_json(&imported),
        Form::Text => {
            let imported = Imported {
                keys: imported.keys,
                bytes: imported.bytes,
                keys_before: imported.keys_before,
            };
            output::write(text(&imported).as_bytes())
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new(STDIN) {
        return Ok(Box::new(io::stdin()));
    }
    let unreadable = |error| unreadable(&path.display().to_string(), &error);
    let file = File::open(path).map_err(unreadable)?;
    // A folder can be opened, and only reading it fails.
    match file.metadata().map_err(unreadable)?.is_dir() {
        true => Err(unreadable(io::ErrorKind::IsADirectory.into())),
        false => Ok(Box::new(file)),
    }
}
