//! Export from running systems and import into them.

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::support::{ask, id, start};
use airssys_wasm::component::supervision::member::Member;
use airssys_wasm::system::data::actor_state::ActorState;
use airssys_wasm::system::data::error::DataError;
use airssys_wasm::system::data::transfer::Import;
use airssys_wasm::system::handle::System;

fn text_of(state: ActorState) -> String {
    let lines: Vec<u8> = state.into_lines().flatten().collect();
    String::from_utf8(lines).unwrap()
}

async fn import(system: &System, actor: &str, text: &str) -> Result<Import, DataError> {
    let mut reader = system.state_reader(&id(actor))?;
    reader.push(text.as_bytes())?;
    system.import(reader.finish()?).await
}

async fn stop(system: &System, actor: &str) {
    system.stop(&id(actor)).unwrap();
    // One that was live ends in a moment.
    while system.inspect(&id(actor)).unwrap().phase.is_some() {
        tokio::task::yield_now().await;
    }
}

fn resume(system: &System, actor: &str) {
    system.resume(&Member::Actor(id(actor))).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_moves_between_actors_and_systems() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let system = start(first.path()).await;
    ask(&system, "demo/counter/a", "add", "5").await;
    // Also of one that is live.
    let text = text_of(system.export(&id("demo/counter/a")).await.unwrap());
    assert!(
        text.contains("\"keys\":1,\"bytes\":6}\n{\"key\":\"count\",\"value\":\"5\"}\n"),
        "{text}"
    );

    let refused = import(&system, "demo/counter/a", &text).await.unwrap_err();
    assert!(matches!(refused, DataError::NotStopped(_)), "{refused}");
    ask(&system, "demo/counter/a", "add", "1").await;
    stop(&system, "demo/counter/a").await;
    let done = import(&system, "demo/counter/a", &text).await.unwrap();
    assert_eq!((done.keys, done.keys_before, done.bytes), (1, 1, 6));
    resume(&system, "demo/counter/a");
    assert_eq!(ask(&system, "demo/counter/a", "add", "2").await, "7");

    let other = start(second.path()).await;
    stop(&other, "demo/counter/b").await;
    import(&other, "demo/counter/b", &text).await.unwrap();
    resume(&other, "demo/counter/b");
    assert_eq!(ask(&other, "demo/counter/b", "get", "").await, "5");
    let counters = |system: &System| system.status().components[0].clone();
    assert_eq!(
        (
            counters(&other).storage_keys,
            counters(&other).storage_bytes
        ),
        (1, 6)
    );
    other.shutdown().await;
    drop(other);
    let other = start(second.path()).await;
    assert_eq!(ask(&other, "demo/counter/b", "get", "").await, "5");
    assert_eq!(
        (
            counters(&other).storage_keys,
            counters(&other).storage_bytes
        ),
        (1, 6)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_imported_changes_nothing() {
    let data = TempDir::new().unwrap();
    let system = start(data.path()).await;
    ask(&system, "demo/counter/a", "add", "5").await;
    let text = text_of(system.export(&id("demo/counter/a")).await.unwrap());
    for (actor, words) in [
        ("demo/nobody/a", "there is no component `demo/nobody`"),
        ("demo/fleeting/a", "durability is `none`"),
        ("demo/counter/b", "nothing is kept of `demo/counter/b`"),
    ] {
        let refused = system.export(&id(actor)).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let refused = import(&system, "demo/fleeting/a", &text).await.unwrap_err();
    assert!(matches!(refused, DataError::NotDurable(_)), "{refused}");

    stop(&system, "demo/counter/a").await;
    stop(&system, "demo/relay/a").await;
    let header = text.lines().next().unwrap();
    let large = header.replace("\"bytes\":6", "\"bytes\":105");
    let large = format!(
        "{large}\n{{\"key\":\"count\",\"value\":\"{}\"}}\n",
        "1".repeat(100)
    );
    for (actor, text, words) in [
        ("demo/counter/a", header, "and there are 0"),
        ("demo/counter/a", large.as_str(), "storage_bytes allows 100"),
        ("demo/relay/a", text.as_str(), "is of another component"),
    ] {
        let refused = import(&system, actor, text).await.unwrap_err();
        assert!(matches!(refused, DataError::InvalidState(_)), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
    // What was not read within limits meets them all the same.
    let mut state = system.export(&id("demo/counter/a")).await.unwrap();
    let key = "k".repeat(600);
    state.keys.apply([(key, Some(Vec::new().into()))].into());
    let refused = system.import(state).await.unwrap_err();
    assert!(matches!(refused, DataError::OverQuota(_)), "{refused}");
    resume(&system, "demo/counter/a");
    assert_eq!(ask(&system, "demo/counter/a", "get", "").await, "5");
}
