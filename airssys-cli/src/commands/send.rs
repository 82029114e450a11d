//! `airssys send`: send a message to a running actor.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::ComponentId;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::message::{IdArgs, MessageArgs, actor_target, parse_actor};
use crate::output::{self, Form, FormArgs};
use crate::quantity::parse_count;
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys send shop/cart/alice --kind add --data 2
  airssys send shop/cart/alice --kind import --file cart.json --wait-ms 5000";

/// Send a message to an actor of a running system, without waiting for it to be handled
///
/// It prints nothing when the message is in the actor's mailbox, and fails otherwise. A
/// message that fails later becomes a dead letter: see `airssys dead list`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SendArgs {
    /// The actor; it is activated if it is not live
    #[arg(value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_actor)]
    address: ComponentId,
    #[command(flatten)]
    message: MessageArgs,
    #[command(flatten)]
    id: IdArgs,
    /// How long to wait for space if the mailbox is full [default: not at all]
    #[arg(long, value_name = "MS", value_parser = parse_count, allow_negative_numbers = true)]
    wait_ms: Option<u64>,
    #[command(flatten)]
    form: FormArgs,
}

/// That a message was taken.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    sent_to: &'a ComponentId,
}

/// Sends to an actor.
pub(crate) fn run(args: SendArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), send(args, system))
}

fn send(args: SendArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let (kind, payload) = args.message.read()?;
    let target = actor_target(&args.address, "send")
        .with("kind", kind)
        .maybe("wait_ms", args.wait_ms);
    client.post_once(target, args.id.id.as_deref(), &payload)?;
    match args.form.form() {
        Form::Text => Ok(()),
        Form::Json => output::write_json(&Sent {
            sent_to: &args.address,
        }),
    }
}
