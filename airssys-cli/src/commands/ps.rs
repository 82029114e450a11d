//! `airssys ps`: what runs in a system.

// Layer 2: Third-party crate imports
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

// Layer 3: Internal module imports
use crate::client::{Client, Target, parse};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Form, FormArgs};
use crate::quantity::{bytes, count, many, stretch};
use crate::system_args::SystemArgs;
use crate::table::Table;
use crate::text::visible;
use crate::version::Version;

const EXAMPLES: &str = "\
Examples:
  airssys ps            the components and groups
  airssys ps --actors   and each live actor
  airssys ps --json | jq '.components[].counts.handled'";

/// Show what runs in a system: components, groups, and with --actors each live actor
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PsArgs {
    /// List the live actors too
    #[arg(long)]
    actors: bool,
    #[command(flatten)]
    form: FormArgs,
}

/// The audit log, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Audit {
    failure: Option<String>,
}

/// A system, as far as it is shown to people.
#[derive(Debug, Deserialize)]
struct Status {
    name: String,
    uptime_ms: u64,
    data: Option<Data>,
    store_failure: Option<String>,
    audit: Audit,
    live_actors: usize,
    components: Vec<Component>,
    groups: Vec<Group>,
    dead_letters: usize,
    ended_actors: Vec<String>,
    given_up_actors: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Data {
    folder: String,
}

#[derive(Debug, Deserialize)]
struct Component {
    name: String,
    version: Version,
    is_on_trial: bool,
    live_actors: usize,
    waiting: u64,
    on_disk: u64,
    durability: String,
    memory_bytes: u64,
    storage_bytes: u64,
    counts: Counts,
}

#[derive(Debug, Deserialize)]
struct Counts {
    handled: u64,
    rejected: u64,
    failed: u64,
    buried: u64,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    strategy: String,
    state: Value,
    restarts_in_window: usize,
    max_restarts: u32,
    members: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    address: String,
    phase: Option<String>,
    waiting: u64,
    on_disk: u64,
    version: Option<Version>,
    idle_ms: Option<u64>,
    subscriptions: Vec<String>,
}

/// Shows what runs.
pub(crate) fn run(args: &PsArgs, system: &SystemArgs) -> Exit {
    output::exit_of(args.form.form(), ps(args, system))
}

fn ps(args: &PsArgs, system: &SystemArgs) -> Result<(), Failure> {
    let client = Client::find(system)?;
    let status = client.get(Target::new("/v1/status"))?.bytes()?;
    let actors = match args.actors {
        true => Some(client.get(Target::new("/v1/actors"))?.bytes()?),
        false => None,
    };
    if args.form.form() == Form::Json {
        let mut status: Map<String, Value> = parse(&status)?;
        status.insert("url".into(), client.url().into());
        if let Some(actors) = actors {
            status.insert("actors".into(), parse(&actors)?);
        }
        return output::write_json(&status);
    }
    let mut text = parse::<Status>(&status)?.text(client.url());
    if let Some(actors) = actors {
        text.push_str(&actors_text(parse(&actors)?));
    }
    output::write(text.as_bytes())
}

impl Status {
    fn text(&self, url: &str) -> String {
        let data = self.data.as_ref();
        let data = data.map(|data| format!(", data in {}", visible(&data.folder)));
        let mut text = format!(
            "{}: up {}, {}, {}, {url}{}\n\n",
            self.name,
            stretch(self.uptime_ms),
            many(self.live_actors as u64, "live actor"),
            many(self.dead_letters as u64, "dead letter"),
            data.unwrap_or_default(),
        );
        if let Some(failure) = &self.store_failure {
            text.push_str(&format!("the store failed: {}\n\n", visible(failure)));
        }
        if let Some(failure) = &self.audit.failure {
            let failure = visible(failure);
            text.push_str(&format!("the audit log is in memory alone: {failure}\n\n"));
        }
        text.push_str(&components_text(&self.components));
        if !self.groups.is_empty() {
            text.push_str(&groups_text(&self.groups));
        }
        let lists = [
            ("stopped", &self.ended_actors),
            ("given up", &self.given_up_actors),
        ];
        for (what, actors) in lists {
            for actor in actors {
                text.push_str(&format!("\n{what}: {actor} (`airssys resume {actor}`)"));
            }
            text.push_str(if actors.is_empty() { "" } else { "\n" });
        }
        text
    }
}

fn components_text(components: &[Component]) -> String {
    let mut table = Table::new([
        "COMPONENT",
        "VERSION",
        "LIVE",
        "WAITING",
        "MEMORY",
        "KEEPS",
        "STATE",
        "HANDLED",
        "REJECTED",
        "FAILED",
        "DEAD",
    ]);
    for it in components {
        let trial = if it.is_on_trial { " (new)" } else { "" };
        table.push([
            it.name.clone(),
            format!("{}{trial}", it.version),
            count(it.live_actors as u64),
            count(it.waiting.saturating_add(it.on_disk)),
            bytes(it.memory_bytes),
            it.durability.clone(),
            bytes(it.storage_bytes),
            count(it.counts.handled),
            count(it.counts.rejected),
            count(it.counts.failed),
            count(it.counts.buried),
        ]);
    }
    table.to_string()
}

fn groups_text(groups: &[Group]) -> String {
    let mut table = Table::new(["GROUP", "STATE", "STRATEGY", "RESTARTS", "MEMBERS"]);
    for it in groups {
        table.push([
            it.name.clone(),
            it.state.as_str().unwrap_or("given up").to_owned(),
            it.strategy.clone(),
            format!("{} of {}", it.restarts_in_window, it.max_restarts),
            it.members.join(", "),
        ]);
    }
    format!("\n{table}")
}

fn actors_text(actors: Vec<Actor>) -> String {
    let mut table = Table::new([
        "ACTOR",
        "PHASE",
        "WAITING",
        "IDLE",
        "VERSION",
        "SUBSCRIBED TO",
    ]);
    for it in actors {
        table.push([
            it.address,
            it.phase.unwrap_or_default(),
            count(it.waiting.saturating_add(it.on_disk)),
            it.idle_ms.map(stretch).unwrap_or_default(),
            it.version.map(|it| it.to_string()).unwrap_or_default(),
            it.subscriptions.join(", "),
        ]);
    }
    format!("\n{table}")
}
