//! `airssys try`: run a component and look at its turn.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use clap::Args;

// Layer 3: Internal module imports
use crate::actor::Inputs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::interrupt::until_interrupted;
use crate::limits::LimitArgs;
use crate::message::MessageArgs;
use crate::now::now_ms;
use crate::quantity::parse_count;
use crate::trial::{Plan, Trial, Turns};
use crate::{advice, cache, output, report};

/// The most turns of one run: their figures are kept until its end, 16 bytes for each.
const MAX_TURNS: i64 = 10_000_000;

/// The namespace that is the host's own.
const HOST_NAMESPACE: &str = "airssys";

const EXAMPLES: &str = "\
Examples:
  airssys try markdown.wasm --file README.md > README.html
  echo '# Hello' | airssys try markdown.wasm -
  airssys try counter.wasm --kind add --data 2
  airssys try counter.wasm --kind add --data 2 --repeat 1000
  airssys try relay.wasm --kind address --json";

const JSON_HELP: &str = "\
Print one JSON object on one line instead

With --json everything but logs is in that object, failures too:
  outcome     replied, rejected, retry or failed
  reply       {\"text\": …}, or {\"base64\": …} if it is not UTF-8, or null
  effects     what the turn recorded, each with `effect` and its fields
  calls       calls to other actors, which got no answer
  uses        what it used and a system would have to grant: capability and resource
  cost        wall_ns, fuel, peak_memory_bytes
  activation  effects and cost of making the instance and of its `init`
  component   file, digest, bytes, load_ns
  actor, seed, now_ms
              with the same, a run does the same
  repeat      with --repeat, instead of reply, effects, calls and cost: turns,
              wall_ns and fuel (each min, p50, p90, p99, max), peak_memory_bytes
  error       kind, exit_code, message, cause, next; where a limit was met limit,
              allowed and observed; after a trap backtrace

A field is absent if the run did not get so far.";

/// Run a component for one turn: print its reply, show its effects and its cost
///
/// The reply goes to standard output as it is, all else to standard error. Nothing
/// that the turn wants to happen is carried out: messages are shown and not sent, and
/// what is stored lasts as long as this run.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TryArgs {
    /// The component to run, a .wasm file
    component: PathBuf,
    #[command(flatten)]
    message: MessageArgs,
    /// Run so many turns on one instance, and print how their times are spread
    ///
    /// What a turn stores is there in the next. It ends early when a turn fails.
    #[arg(long, value_name = "TURNS", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MAX_TURNS))]
    repeat: Option<u32>,
    #[arg(long, help = "Print one JSON object on one line instead", long_help = JSON_HELP)]
    json: bool,
    /// Compile anew, and keep nothing
    ///
    /// Compiled components are kept in $XDG_CACHE_HOME/airssys/compiled, or below
    /// ~/.cache.
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Who the instance is, and what it is told.
#[derive(Args)]
#[command(next_help_heading = "Actor")]
struct ActorArgs {
    /// The actor's address [default: try/NAME/1, NAME being the file's]
    #[arg(long, value_name = "NAMESPACE/NAME/INSTANCE", value_parser = parse_address)]
    address: Option<ComponentId>,
    /// What `init` and `services.config` tell the guest; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_config)]
    config: Vec<(String, String)>,
    /// Seed of the guest's random numbers [default: another each time]
    #[arg(long, value_name = "NUMBER", value_parser = parse_count, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// The time that the guest is told, in ms since 1970 [default: now]
    #[arg(long, value_name = "MS", value_parser = parse_count, allow_negative_numbers = true)]
    now_ms: Option<u64>,
}

/// Tries a component.
pub(crate) fn run(args: TryArgs) -> Exit {
    let is_json = args.json;
    let trial = args
        .plan()
        .and_then(|plan| until_interrupted(move |stop| Trial::run(plan, stop)))
        .unwrap_or_else(Trial::failed);
    let printed = match is_json {
        true => output::write_json(&trial),
        false => print(&trial),
    };
    match printed {
        Ok(()) => trial.exit(),
        Err(failure) => {
            failure.print();
            failure.exit
        }
    }
}

impl TryArgs {
    /// Reads what the arguments name, the component before a payload that may have to
    /// be typed.
    fn plan(self) -> Result<Plan, Failure> {
        let limits = self.limits.limits();
        let component = ComponentFile::read(self.component, &limits)?;
        let payload = self.message.payload.read(&limits)?;
        check_message(&limits, &self.message.kind, &payload).map_err(advice::over_limit)?;
        let actor = match self.actor.address {
            Some(address) => address,
            None => default_address(&component.path),
        };
        Ok(Plan {
            cache: if self.no_cache { None } else { cache::open() },
            config: BTreeMap::from_iter(self.actor.config),
            inputs: Inputs {
                actor,
                seed: self.actor.seed.unwrap_or_else(some_seed),
                now_ms: self.actor.now_ms.unwrap_or_else(now_ms),
            },
            kind: self.message.kind,
            payload: MessagePayload::from(payload),
            turns: self.repeat.map_or(Turns::One, Turns::Many),
            component,
            limits,
        })
    }
}

/// Prints a trial for people: what was asked for to standard output, the rest to
/// standard error.
fn print(trial: &Trial) -> Result<(), Failure> {
    let mut stderr = anstream::stderr();
    if let Some(measurement) = &trial.repeat {
        output::write(report::table(measurement).as_bytes())?;
    }
    if let Some(reply) = trial.turn.as_ref().and_then(|turn| turn.reply.as_ref()) {
        let reply = reply.0.as_bytes();
        output::write(reply)?;
        if io::stdout().is_terminal() && !reply.is_empty() {
            let is_open = !reply.ends_with(b"\n");
            output::write(if is_open { b"\n" } else { b"" })?;
            // Sets the report apart. Whoever reads it elsewhere needs no empty line.
            let _ = writeln!(stderr);
        }
    }
    report::write(&mut stderr, trial);
    if let Some(failure) = &trial.error {
        failure.print();
    }
    Ok(())
}

/// What the guest would not even see, told before anything is compiled.
fn check_message(limits: &Limits, kind: &str, payload: &[u8]) -> Result<(), LimitExceeded> {
    let (kind, payload) = (kind.len() as u64, payload.len() as u64);
    LimitExceeded::check(Limit::KindBytes, limits.kind_bytes, kind)?;
    LimitExceeded::check(Limit::MessageBytes, limits.message_bytes, payload)
}

/// `try/counter/1` for `some/folder/counter.wasm`.
fn default_address(component: &Path) -> ComponentId {
    let name = component.file_stem().unwrap_or_default().to_string_lossy();
    format!("try/{name}/1")
        .parse()
        .unwrap_or_else(|_| ComponentId::new("try", "component", "1"))
}

pub(crate) fn parse_address(text: &str) -> Result<ComponentId, String> {
    let address: ComponentId = text.parse().map_err(|e| format!("{e}"))?;
    if address.namespace() == HOST_NAMESPACE {
        return Err(format!(
            "the namespace `{HOST_NAMESPACE}` is the host's own"
        ));
    }
    Ok(address)
}

pub(crate) fn parse_config(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// A seed that every JSON reader keeps exactly: those with floating-point numbers do
/// so below 2^53.
fn some_seed() -> u64 {
    rand::random::<u64>() >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_follows_the_file() {
        let address = |path: &str| default_address(Path::new(path)).to_string();
        assert_eq!(address("guests/bin/counter.wasm"), "try/counter/1");
        assert_eq!(address("my component.wasm"), "try/component/1");
        assert_eq!(address(".."), "try/component/1");
        assert_eq!(address(""), "try/component/1");
    }

    #[test]
    fn addresses_of_the_host_are_refused() {
        assert!(parse_address("shop/cart/alice").is_ok());
        assert!(parse_address("airssys/cli/try").is_err());
        assert!(parse_address("shop/cart").is_err());
    }

    #[test]
    fn config_is_split_at_the_first_equals_sign() {
        assert_eq!(parse_config("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(parse_config("a="), Ok(("a".into(), String::new())));
        assert!(parse_config("=b").is_err());
        assert!(parse_config("a").is_err());
    }
}
