//! A chat of untrusted components: rooms and members as actors, a crash that nobody else
//! notices, and an upgrade while everybody talks.
//!
//! Run it in the root of the repository: `cargo run --release --example chat`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

// Layer 1: Standard library imports
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

// Layer 3: Internal module imports
use airssys_wasm::component::supervision::group::Strategy;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::event::Event;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::group::GroupConfig;
use airssys_wasm::system::handle::System;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Where the components are.
const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/bin");

/// How many messages are said before the upgrade, and at least after it.
const TALK: usize = 200;

#[tokio::main]
pub(crate) async fn main() -> Outcome {
    println!("== three rooms, four people, two components");
    let system = start().await?;
    let mut events = system.subscribe_events();
    let people = ["ann", "bob", "cleo", "dan"];
    for person in people {
        for room in ["kitchen", "garden"] {
            tell(&system, &member(person)?, "enter", &address(room)).await?;
        }
    }
    say(&system, "ann", "kitchen", "Is there tea?").await?;
    say(&system, "bob", "kitchen", "There is.").await?;
    say(&system, "dan", "attic", "Nobody here but me.").await?;
    wait_for_lines(&system, "kitchen", 2).await?;
    println!(
        "{}",
        indent(&ask(&system, &room("kitchen")?, "history", "").await?)
    );
    println!(
        "cleo heard:\n{}",
        indent(&ask(&system, &member("cleo")?, "inbox", "").await?)
    );

    println!("\n== a crash: the room panics, is restarted, and keeps what it had");
    let crash = system.ask(&room("kitchen")?, "say", "/panic").await;
    println!(
        "  {}",
        crash
            .err()
            .map_or_else(String::new, |error| error.to_string())
    );
    while let Ok(event) = events.try_recv() {
        match event {
            Event::TurnFailed { actor, attempt, .. } => {
                println!("  {actor}: failed, attempt {attempt}");
            }
            Event::Restarted { members, .. } => println!("  restarted: {}", members.join(", ")),
            Event::DeadLetter { id, to, .. } => println!("  dead letter {id}, to {to}"),
            _ => {}
        }
    }
    say(&system, "cleo", "kitchen", "What was that?").await?;
    wait_for_lines(&system, "kitchen", 3).await?;
    println!(
        "{}",
        indent(&ask(&system, &room("kitchen")?, "history", "").await?)
    );
    for (id, _letter) in system.dead_letters(None, None, 1) {
        let replay = system.replay(id).await?;
        println!(
            "  replayed: {}; the same as before: {}",
            replay.is,
            replay.is_same()
        );
    }

    println!("\n== an upgrade that would fail is not taken");
    let broken = component("chat-room-v3")?;
    match system.upgrade("chat/room", broken).await {
        Ok(_) => println!("  it was taken"),
        Err(refused) => println!("  {refused}"),
    }

    println!("\n== an upgrade under traffic");
    let (told, mut said) = watch::channel(0);
    let is_done = Arc::new(AtomicBool::new(false));
    let talking = tokio::spawn(talk(system.clone(), told, Arc::clone(&is_done)));
    said.wait_for(|said| *said >= TALK).await?;
    let second = component("chat-room-v2")?;
    let report = system.upgrade("chat/room", second).await?;
    is_done.store(true, Ordering::Relaxed);
    println!(
        "  {} → {}: {} rooms switched, tried on {} recorded turns, {} of them different",
        report.from.label,
        report.to.label,
        report.switched,
        report.tried,
        report.different.len(),
    );
    let said = talking.await??;
    println!("  {said} messages meanwhile, numbered 1 to {said}: none lost, none doubled");
    let last = format!("message {said}");
    let found = ask(&system, &room("garden")?, "search", &last).await?;
    println!("  what only the new version knows, `search`: {found}");

    println!("\n== and back");
    let report = system.rollback("chat/room", None).await?;
    println!(
        "  {} → {}: {} rooms switched",
        report.from.label, report.to.label, report.switched
    );
    println!(
        "{}",
        indent(&ask(&system, &room("kitchen")?, "history", "").await?)
    );

    println!("\n== the end");
    for component in &system.status().components {
        let counts = component.counts;
        println!(
            "  {}: {} accepted = {} handled + {} rejected + {} dead letters + {} expired",
            component.name,
            counts.accepted,
            counts.handled,
            counts.rejected,
            counts.buried,
            counts.expired,
        );
    }
    let report = system.shutdown().await;
    println!("  everything handled: {}", report.is_clean());
    Ok(())
}

/// All that one of the two components needs. Without it, it could do nothing but keep its own
/// state.
fn may_speak_to(component: &str) -> Capabilities {
    let whom = vec![component.to_owned()];
    Capabilities {
        send: whom.clone(),
        call: whom.clone(),
        spawn: whom,
        ..Capabilities::default()
    }
}

/// Rooms are restarted each by itself, and the members go on without them.
async fn start() -> Outcome<System> {
    let system = System::builder()
        .component_with("chat/room", component("chat-room")?, |room| {
            room.grants = may_speak_to("chat/member");
            room.grants.publish = vec!["chat.>".into()];
        })
        .component_with("chat/member", component("chat-member")?, |member| {
            member.grants = may_speak_to("chat/room");
        })
        .configure(|config| {
            config.groups.push(GroupConfig {
                strategy: Strategy::OneForOne,
                members: vec!["chat/room".into()],
                ..GroupConfig::new("rooms")
            });
        })
        .start()
        .await?;
    Ok(system)
}

/// Says one thing after the other in the garden until told to end, and some more, and
/// returns how many there were.
async fn talk(
    system: System,
    told: watch::Sender<usize>,
    is_done: Arc<AtomicBool>,
) -> Outcome<usize> {
    let garden = room("garden")?;
    let (mut said, mut until) = (0, usize::MAX);
    while said < until {
        said += 1;
        let number = ask(&system, &garden, "say", &format!("message {said}")).await?;
        if number != said.to_string() {
            return Err(format!("message {said} got number {number}").into());
        }
        told.send_replace(said);
        if until == usize::MAX && is_done.load(Ordering::Relaxed) {
            until = said + TALK;
        }
    }
    Ok(said)
}

fn component(file: &str) -> Outcome<Vec<u8>> {
    Ok(fs::read(format!("{GUESTS}/{file}.wasm"))?)
}

fn address(room: &str) -> String {
    format!("chat/room/{room}")
}

fn room(name: &str) -> Outcome<ComponentId> {
    Ok(address(name).parse()?)
}

fn member(name: &str) -> Outcome<ComponentId> {
    Ok(format!("chat/member/{name}").parse()?)
}

async fn say(system: &System, person: &str, room: &str, text: &str) -> Outcome {
    let words = format!("{}|{text}", address(room));
    tell(system, &member(person)?, "say", &words).await
}

/// Sends a message, and waits until it is handled.
async fn tell(system: &System, to: &ComponentId, kind: &str, text: &str) -> Outcome {
    system.ask(to, kind, text).await?;
    Ok(())
}

async fn ask(system: &System, to: &ComponentId, kind: &str, text: &str) -> Outcome<String> {
    let reply = system.ask(to, kind, text).await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(reply.as_bytes()).into_owned())
}

/// Members request what they say, and the room answers when it has: so it takes a moment.
async fn wait_for_lines(system: &System, name: &str, lines: usize) -> Outcome {
    let waiting = async {
        while ask(system, &room(name)?, "history", "")
            .await?
            .lines()
            .count()
            < lines
        {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    };
    timeout(Duration::from_secs(60), waiting).await?
}

fn indent(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  | {line}"));
    lines.collect::<Vec<_>>().join("\n")
}
