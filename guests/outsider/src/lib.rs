//! Reaches beyond its actor, by WASI: files, the environment, the network, the clock.
//!
//! The kind says what to do, and the payload is a JSON object of what it takes; what is
//! missing is empty or zero. The reply is `{"ok": …}` or `{"error": "name"}`, where the name
//! is that of WASI's error, or `not-there` for a path in no folder that the guest is shown.
//!
//! | kind | takes | gives |
//! |---|---|---|
//! | `folders` | | the paths of the folders that it is shown |
//! | `read`, `write`, `append` | `path`, `text` | the text |
//! | `list`, `make-folder`, `remove`, `stat` | `path` | names; nothing; nothing; the type |
//! | `link`, `symlink`, `rename` | `path`, `to` | |
//! | `open`, `open-many` | `path`, `count` | keeps files open; how many it could |
//! | `again` | `text` | reads from or, with a text, writes to what it opened first |
//! | `env`, `arguments`, `exit` | | the variables; the arguments; the end |
//! | `lookup` | `host` | addresses |
//! | `connect` | `to`, `text`, `count` | sends the text once or so often, and gives what comes back |
//! | `hold`, `talk` | `to`; `text` | keeps a connection; uses it |
//! | `listen`, `datagram` | `to`, `text` | listens there; sends the text and gives what comes back |
//! | `connect-many` | `count` | keeps sockets; how many it could |
//! | `get` | `url`, `text`, `wait-ms`, `count` | status and body; with a text it is posted |
//! | `drop-many` | `url`, `count` | gives up so many requests as soon as they are sent; how many it could |
//! | `trail` | `url`, `count` | keeps so many answers for their trailers; how many it could |
//! | `clock`, `sleep` | `wait-ms` | the clocks' times, before and after some waiting |
//!
//! With kind `script` the payload is a list of `[kind, arguments]`, which are carried out in
//! one turn; the reply is the list of what came of each.

mod bindings;
mod clock;
mod files;
mod http;
mod kept;
mod sockets;
mod streams;

use airssys_guest::{Actor, Message, TurnError, export, json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bindings::wasi::cli::{environment, exit};

struct Outsider;

/// What the kinds take.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Args {
    path: String,
    to: String,
    text: String,
    host: String,
    url: String,
    wait_ms: u64,
    count: u64,
}

/// What came of something: a value, or the name of an error.
pub(crate) type Outcome = Result<Value, String>;

impl Actor for Outsider {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        if message.kind != "script" {
            let args: Args = if message.payload.is_empty() {
                Args::default()
            } else {
                json::decode(&message)?
            };
            return json::reply(&told(act(&message.kind, &args)));
        }
        let script: Vec<(String, Args)> = json::decode(&message)?;
        let outcomes: Vec<Value> = script
            .iter()
            .map(|(kind, args)| told(act(kind, args)))
            .collect();
        json::reply(&outcomes)
    }
}

export!(Outsider);

fn told(outcome: Outcome) -> Value {
    match outcome {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    }
}

fn act(kind: &str, a: &Args) -> Outcome {
    match kind {
        "folders" => Ok(files::folders()),
        "read" => files::read(&a.path),
        "write" => files::write(&a.path, &a.text),
        "append" => files::append(&a.path, &a.text),
        "list" => files::list(&a.path),
        "make-folder" => files::make_folder(&a.path),
        "remove" => files::remove(&a.path),
        "stat" => files::stat(&a.path),
        "link" => files::link(&a.path, &a.to),
        "symlink" => files::symlink(&a.path, &a.to),
        "rename" => files::rename(&a.path, &a.to),
        "open" => files::open(&a.path),
        "open-many" => files::open_many(&a.path, a.count),
        "again" => files::again(&a.text),
        "env" => Ok(environment::get_environment().into_iter().collect()),
        "arguments" => Ok(environment::get_arguments().into()),
        "exit" => {
            exit::exit(Err(()));
            Err("alive".into())
        }
        "lookup" => sockets::lookup(&a.host),
        "connect" => sockets::exchange(&a.to, &a.text, a.count),
        "hold" => sockets::hold(&a.to),
        "talk" => sockets::talk(&a.text),
        "listen" => sockets::listen(&a.to),
        "datagram" => sockets::datagram(&a.to, &a.text),
        "connect-many" => Ok(sockets::many(a.count)),
        "get" => http::get(a),
        "drop-many" => Ok(http::drop_many(a)),
        "trail" => Ok(http::trail(a)),
        "clock" => Ok(clock::read()),
        "sleep" => Ok(clock::sleep(a.wait_ms)),
        _ => Err(format!("unknown kind {kind:?}")),
    }
}

/// The name of an error or a type as WIT spells it.
pub(crate) fn name(error: impl std::fmt::Debug) -> String {
    let debug = format!("{error:?}");
    // An enum of errors shows its name so, anything else its variant.
    if let Some((_, named)) = debug.split_once("name: \"") {
        return named.chars().take_while(|c| *c != '"').collect();
    }
    let mut words = debug.split(|c: char| !c.is_ascii_alphanumeric());
    let word = words.find(|word| !matches!(*word, "" | "ErrorCode" | "DescriptorType"));
    let word = word.unwrap_or_default();
    let mut name = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
