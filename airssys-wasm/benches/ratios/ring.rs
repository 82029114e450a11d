//! A ring of actors that pass messages on, and what each of their turns writes.

// Layer 1: Standard library imports
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use tokio::task::JoinSet;

// Layer 3: Internal module imports
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::handle::System;

use crate::guest;
use crate::measure::{Outcome, per_run};
use crate::stage::{Stage, actor};

/// How often it is looked whether all turns are over.
const LOOK: Duration = Duration::from_millis(1);

/// Who stands in a ring.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// How many actors.
    pub(crate) actors: usize,
    /// How many keys each has besides the one that every turn writes.
    pub(crate) entries: u64,
}

/// A system whose actors stand in a ring.
pub(crate) struct Ring<'a> {
    stage: &'a Stage,
    system: System,
}

/// A message that goes round.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// It is passed on, and nothing else.
    Pass,
    /// Whoever has it writes two keys, and passes it on.
    Work,
}

impl<'a> Ring<'a> {
    /// A ring: of durable actors with a folder for their data, and of ephemeral ones without.
    pub(crate) fn start(stage: &'a Stage, shape: Shape, data: Option<&Path>) -> Outcome<Self> {
        Self::start_with(
            stage,
            shape,
            |_trusted| {},
            |system| system.data = data.map(Path::to_owned),
        )
    }

    /// A ring whose settings are changed.
    pub(crate) fn start_with(
        stage: &'a Stage,
        shape: Shape,
        change: impl FnOnce(&mut ComponentConfig),
        change_system: impl FnOnce(&mut SystemConfig),
    ) -> Outcome<Self> {
        let system = stage.system(
            guest::committed("baton")?,
            |component| {
                let ring = ("ring".to_owned(), shape.actors.to_string());
                let entries = ("entries".to_owned(), shape.entries.to_string());
                component.config = [ring, entries].into();
                // Fewer actors than those of a program pass on as many messages.
                component.limits.messages_per_s = u64::MAX;
                change(component);
            },
            change_system,
        )?;
        Ok(Self { stage, system })
    }

    /// Gives the first `messages` actors one message each, which make `turns` turns, and
    /// returns the time of one of all these turns.
    pub(crate) fn run(&self, kind: Kind, messages: usize, turns: u32) -> Outcome<f64> {
        let began = Instant::now();
        self.go(kind, messages, turns)?;
        Ok(per_run(began.elapsed(), turns * messages as u32))
    }

    /// The same, where it counts too that the disk has all that was written.
    pub(crate) fn run_to_disk(&self, kind: Kind, messages: usize, turns: u32) -> Outcome<f64> {
        let began = Instant::now();
        self.go(kind, messages, turns)?;
        let system = self.system.clone();
        // There is one order of all commits, so what is answered comes after all of them.
        self.stage.run(async move {
            system.ask(&actor(0), "keep", "all").await?;
            Ok(())
        })?;
        Ok(per_run(began.elapsed(), turns * messages as u32))
    }

    /// Ends the system, with everything in its place.
    pub(crate) fn end(self) -> Outcome {
        self.stage.run(async move {
            match self.system.shutdown().await.is_clean() {
                true => Ok(()),
                false => Err("the system did not end well".into()),
            }
        })
    }

    fn go(&self, kind: Kind, messages: usize, turns: u32) -> Outcome {
        let handled = self.handled() + messages as u64 * u64::from(turns);
        self.stage
            .run(begin(self.system.clone(), kind, messages, turns))?;
        while self.handled() < handled {
            thread::park_timeout(LOOK);
        }
        Ok(())
    }

    /// How many messages were handled so far.
    fn handled(&self) -> u64 {
        let status = self.system.status();
        status.components.iter().map(|it| it.counts.handled).sum()
    }
}

/// Sends the messages, all at once.
async fn begin(system: System, kind: Kind, messages: usize, turns: u32) -> Outcome {
    let kind = match kind {
        Kind::Pass => "pass",
        Kind::Work => "work",
    };
    let mut sent = JoinSet::new();
    for number in 0..messages {
        let (system, further) = (system.clone(), (turns - 1).to_string());
        sent.spawn(async move { system.send(&actor(number), kind, further).await });
    }
    while let Some(sent) = sent.join_next().await {
        sent??;
    }
    Ok(())
}

/// What a turn writes that is to pass its message on `further` times, as the guest has it.
pub(crate) fn writes(further: u64, entries: u64) -> [(String, Vec<u8>); 2] {
    let value = |number: u64| vec![b'v'; 100 + (number % 925 * 37 % 925) as usize];
    [
        ("last".to_owned(), value(further)),
        (
            format!("entry/{:02}", further % entries),
            value(further + 7),
        ),
    ]
}
