//! Exports every optional interface, and fails in them when its configuration says
//! so.
//!
//! It keeps what happened to it under the keys `starts`, `stops` and
//! `migrated-from`, and what `init` was told under `config/` and the key's name.
//!
//! | configuration | effect |
//! |---|---|
//! | `init` = `fail` | `init` fails |
//! | `init` = `trap` | `init` panics, and the host's log tells why |
//! | `migrate` = `fail` | `migrate` fails |
//! | `health` = a text | the actor is unwell, for that reason |

use airssys_guest::{
    Actor, Config, Description, Failure, HostError, Message, TurnError, export, services, storage,
};

struct Lifecycle;

impl Actor for Lifecycle {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            // A key; replies with what is stored there.
            "get" => Ok(storage::get(message.text()?)?),
            // A key; replies with what is configured now.
            "config" => Ok(services::config(message.text()?).map(String::into_bytes)),
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `get` or `config` with a key as the payload"
            ))),
        }
    }

    fn init(config: Config) -> Result<(), Failure> {
        services::log_panics();
        count("starts")?;
        for (key, value) in config.iter() {
            storage::set(&format!("config/{key}"), value)?;
        }
        match config.get("init") {
            Some("fail") => Err("the configuration says that init fails".into()),
            Some("trap") => panic!("the configuration says that init traps"),
            _ => Ok(()),
        }
    }

    fn shutdown() {
        // There is nobody to tell of an error.
        let _ = count("stops");
    }

    fn migrate(from_version: &str) -> Result<(), Failure> {
        storage::set("migrated-from", from_version)?;
        match services::config("migrate").as_deref() {
            Some("fail") => Err("the configuration says that migrate fails".into()),
            _ => Ok(()),
        }
    }

    fn health() -> Result<(), Failure> {
        match services::config("health") {
            Some(reason) => Err(reason.into()),
            None => Ok(()),
        }
    }

    fn describe(package: Description) -> Description {
        Description {
            summary: "Tells what happened to it.".into(),
            ..package
        }
    }
}

export!(Lifecycle);

/// Adds one to the number at `key`.
fn count(key: &str) -> Result<(), HostError> {
    let stored = storage::get(key)?.unwrap_or_default();
    let number: u64 = String::from_utf8_lossy(&stored).parse().unwrap_or(0);
    storage::set(key, (number + 1).to_string())
}
