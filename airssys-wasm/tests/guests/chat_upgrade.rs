//! Chat rooms: saying things there, and handing a room's state to another version.

// Layer 1: Standard library imports
use std::ops::Bound;

// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::WasmError;
use airssys_wasm::core::storage::keyspace::Keyspace;

use crate::support::{Actor, ENGINE, context, idle, settings};

/// Another version of a room with the state of this one, migrated.
pub(crate) async fn upgrade(
    room: Actor,
    guest: &str,
    from_version: &str,
) -> Result<Actor, WasmError> {
    let mut upgraded = with_state(guest, room.store.into_keys()).await;
    let effects = upgraded.store.migrate(from_version, context(99)).await?;
    upgraded.store.commit(effects);
    Ok(upgraded)
}

/// A room that finds this state, activated.
async fn with_state(guest: &str, keys: Keyspace) -> Actor {
    let mut actor = idle(&ENGINE, guest, settings());
    let component = actor.store.component().clone();
    actor.store = ENGINE.store(&component, settings(), keys);
    actor.activate().await.unwrap();
    actor
}

/// Says each of the texts.
pub(crate) async fn say_all(room: &mut Actor, texts: &[&str]) {
    for text in texts {
        room.ask("say", *text).await.unwrap();
    }
}

/// What a room replies to `history` when these texts were said.
pub(crate) fn printed(texts: &[&str]) -> String {
    let lines: Vec<String> = texts
        .iter()
        .map(|text| format!("airssys/test/main: {text}"))
        .collect();
    lines.join("\n")
}

/// The keys of a room that begin with `prefix`.
pub(crate) fn keys(room: &Actor, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> = room
        .store
        .keys()
        .range(Bound::Unbounded)
        .map(|(key, _)| key.clone())
        .filter(|key| key.starts_with(prefix))
        .collect();
    keys.sort();
    keys
}
