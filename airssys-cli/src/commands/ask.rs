//! `airssys ask`: send a message to a running actor and print its reply.

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
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
use crate::text::Data;

const EXAMPLES: &str = "\
Examples:
  airssys ask shop/cart/alice --kind add --data 2
  airssys ask app/markdown/1 --file README.md > README.html
  echo '# Hello' | airssys ask app/markdown/1 -";

/// Send a message to an actor of a running system, and print its reply
///
/// The reply goes to standard output as it is. With --json it is `reply`: {\"text\": …},
/// {\"base64\": …} if it is not UTF-8, or null if there is none.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AskArgs {
    /// The actor; it is activated if it is not live
    #[arg(value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_actor)]
    address: ComponentId,
    #[command(flatten)]
    message: MessageArgs,
    #[command(flatten)]
    id: IdArgs,
    /// How long to wait for the reply [default: 30,000]
    #[arg(long, value_name = "MS", value_parser = parse_count, allow_negative_numbers = true)]
    timeout_ms: Option<u64>,
    #[command(flatten)]
    form: FormArgs,
}

/// What was replied.
#[derive(Debug, Serialize)]
struct Replied {
    reply: Option<Data>,
}

/// Asks an actor.
pub(crate) fn run(args: AskArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), ask(args, system))
}

fn ask(args: AskArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let (kind, payload) = args.message.read()?;
    let target = actor_target(&args.address, "ask")
        .with("kind", kind)
        .maybe("timeout_ms", args.timeout_ms);
    let answer = client.post_once(target, args.id.id.as_deref(), &payload)?;
    let reply = match answer.is_nothing() {
        true => None,
        false => Some(answer.bytes()?),
    };
    match (args.form.form(), reply) {
        (Form::Text, None) => Ok(()),
        (Form::Text, Some(reply)) => output::write_reply(&reply),
        (Form::Json, reply) => output::write_json(&Replied {
            reply: reply.map(|reply| Data(MessagePayload::from(reply))),
        }),
    }
}
