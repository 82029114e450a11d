//! `airssys publish`: send a message to whoever subscribed to a topic.

// Layer 2: Third-party crate imports
use clap::Args;

// Layer 3: Internal module imports
use crate::client::{Client, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::message::MessageArgs;
use crate::output::{self, Form, FormArgs};
use crate::quantity::many;
use crate::server::topics::Receivers;
use crate::system_args::SystemArgs;

const EXAMPLES: &str = "\
Examples:
  airssys publish orders.eu.new --kind order --file order.json
  airssys publish lights.off";

/// Send a message to all actors that subscribed to a topic
///
/// It prints how many they are.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PublishArgs {
    /// The topic: parts joined by dots
    topic: String,
    #[command(flatten)]
    message: MessageArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Publishes to a topic.
pub(crate) fn run(args: PublishArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), publish(args, system))
}

fn publish(args: PublishArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let (kind, payload) = args.message.read()?;
    let target = Target::new("/v1/topics")
        .part(&args.topic)
        .with("kind", kind);
    let published: Receivers = client.post(target, &payload)?.json()?;
    match args.form.form() {
        Form::Json => output::write_json(&published),
        Form::Text => {
            let receivers = many(published.receivers as u64, "receiver");
            output::write(format!("{receivers}\n").as_bytes())
        }
    }
}
