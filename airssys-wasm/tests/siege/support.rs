//! A siege: one attack, beside a neighbour that is asked all the time, and what is left of it.

// Layer 1: Standard library imports
use std::panic::{set_hook, take_hook};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

// Layer 2: Third-party crate imports
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::component::MessagePayload;
use airssys_wasm::core::limits::Limit;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::storage::durability::Durability;
use airssys_wasm::runtime::cache::CompileCache;
use airssys_wasm::runtime::compiler::command::CompilerCommand;
use airssys_wasm::system::builder::{Source, SystemBuilder};
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::MemoryLayout;
use airssys_wasm::system::error::AskError;
use airssys_wasm::system::handle::System;

use crate::asking;
pub(crate) use crate::asking::{PATIENCE, id, until};
use crate::residue::{Process, Residue};
use crate::wat::guest;

/// The component that attacks, and one actor of it.
pub(crate) const HOSTILE: &str = "evil/hostile";
pub(crate) const ACTOR: &str = "evil/hostile/a";

/// Who is not to notice.
const NEIGHBOUR: &str = "demo/neighbour/a";

/// How many answers are measured at least, at rest and under attack.
const ANSWERS: usize = 200;

/// How much slower 99 of 100 answers may be under attack.
const SLOWER: u32 = 3;

/// Who answers as quickly as this is never too slow: what is measured then is the machine.
const QUICK: Duration = Duration::from_millis(2);

/// How often it is measured before an answer counts as slow.
const ROUNDS: usize = 10;

/// Held by the test that runs: what others do meanwhile would be seen by it.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits for other tests to end. Each begins with it, before it makes anything.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Attacks a system that has a neighbour in it, several times, and checks that the neighbour
/// is as quick as before, and that nothing is left behind.
///
/// An attack asserts itself which errors are seen. It is repeated until there are enough
/// answers of the neighbour, so that it finds what it left of itself.
pub(crate) fn siege(
    prepare: impl FnOnce(SystemBuilder) -> SystemBuilder,
    attack: impl AsyncFn(&System),
) {
    assert!(
        ALONE.try_lock().is_err(),
        "it is called by a test that is alone"
    );
    warm_up();
    let (before, panics_before) = (Process::now(), panics());
    let runtime = runtime();
    runtime.block_on(async {
        let building = prepare(builder()).component("demo/neighbour", guest("counter"));
        let system = building.start().await.unwrap_or_else(|e| panic!("{e}"));
        hold_out(&system, attack).await;
        let report = system.shutdown().await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.timers, report.requests), (0, 0));
    });
    drop(runtime);
    // This one has no threads and no files itself.
    let watch = Builder::new_current_thread().enable_time().build();
    watch
        .expect("a clock")
        .block_on(Process::returns_to(before));
    assert_eq!(panics(), panics_before, "nothing of the host panicked");
}

/// A siege of one component, [`HOSTILE`], which may do all that can be granted.
pub(crate) fn siege_by(
    source: impl Into<Source>,
    change: impl FnOnce(&mut ComponentConfig),
    attack: impl AsyncFn(&System),
) {
    siege(|it| it.component_with(HOSTILE, source, change), attack);
}

/// A siege of several components, each with its own word for what it does. The attack is
/// told it, and an actor to ask.
pub(crate) fn siege_by_all(
    components: Vec<(&'static str, Vec<u8>)>,
    change: impl Fn(&mut ComponentConfig),
    attack: impl AsyncFn(&System, &str, &str),
) {
    let words: Vec<&str> = components.iter().map(|(what, _)| *what).collect();
    let prepare = |building: SystemBuilder| {
        let numbered = components.into_iter().enumerate();
        numbered.fold(building, |building, (number, (_, bytes))| {
            building.component_with(&format!("{HOSTILE}-{number}"), bytes, &change)
        })
    };
    siege(prepare, async |system| {
        for (number, what) in words.iter().enumerate() {
            attack(system, what, &format!("{HOSTILE}-{number}/a")).await;
        }
    });
}

async fn hold_out(system: &System, attack: impl AsyncFn(&System)) {
    let neighbour = Neighbour::default();
    neighbour.asked_while(system, async || {}).await;
    // An answer arrives a moment before its message has left the mailbox.
    until("all is quiet", || Residue::of(system).is_quiet()).await;
    let before = Residue::of(system);
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let at_rest = neighbour.asked_while(system, async || {}).await;
        let attacked = neighbour
            .asked_while(system, async || attack(system).await)
            .await;
        clear_away(system, &before).await;
        // What else the machine does may have begun meanwhile.
        let at_rest = at_rest.max(neighbour.asked_while(system, async || {}).await);
        eprintln!("99 of 100 answers: {at_rest:?} at rest, {attacked:?} under attack");
        seen.push((at_rest, attacked));
        if attacked <= QUICK.max(at_rest * SLOWER) {
            return;
        }
    }
    panic!("99 of 100 answers, at rest and under attack: {seen:?}");
}

/// Waits until all is as it was before. Dead letters are an operator's, who drops them.
async fn clear_away(system: &System, before: &Residue) {
    let began = Instant::now();
    loop {
        system.drop_dead_letters(None).await.expect("the store");
        for actor in system.status().given_up_actors {
            resume(system, actor.as_str());
        }
        let now = Residue::of(system);
        if now == *before {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{now:?} is left of {before:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A counter that does its work all the time.
#[derive(Default)]
struct Neighbour {
    count: AtomicUsize,
}

impl Neighbour {
    /// Asks while something goes on, again and again, and until there are enough answers.
    /// Returns what 99 of 100 of them took at the most.
    async fn asked_while(&self, system: &System, repeated: impl AsyncFn()) -> Duration {
        let (answers, is_over) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let from = self.count.load(Ordering::Relaxed);
        let asking = tokio::spawn(ask_on(
            system.clone(),
            from,
            Arc::clone(&answers),
            Arc::clone(&is_over),
        ));
        while answers.load(Ordering::Relaxed) < ANSWERS {
            repeated().await;
            assert!(!asking.is_finished(), "the neighbour answers");
            tokio::task::yield_now().await;
        }
        is_over.store(true, Ordering::Relaxed);
        let mut took = asking.await.expect("the neighbour counts");
        self.count.fetch_add(took.len(), Ordering::Relaxed);
        took.sort_unstable();
        took[took.len() * 99 / 100]
    }
}

async fn ask_on(
    system: System,
    mut count: usize,
    answers: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
) -> Vec<Duration> {
    let mut took = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        count += 1;
        let asked = Instant::now();
        let reply = ask(&system, NEIGHBOUR, "add", "1").await;
        took.push(asked.elapsed());
        assert_eq!(reply, count.to_string());
        answers.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
    took
}

/// A system whose memory is asked for when it is needed. Its components may do all that can
/// be granted without naming it, since what grants refuse is tested where it is the subject,
/// and their idle actors go soon.
pub(crate) fn builder() -> SystemBuilder {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("siege-compiled");
    System::builder()
        .cache(CompileCache::open(kept).expect("a folder"))
        .compiler(CompilerCommand::new(env!("CARGO_BIN_EXE_airssys-compile")))
        .configure(|system| {
            system.max_live_actors = 64;
            system.memory = MemoryLayout::OnDemand;
        })
        .defaults(|component| {
            component.grants = Capabilities::trusted();
            component.retry.attempts = 1;
            // Time is not what runs out, unless that is the attack.
            component.limits.turn_wall_ms = 60_000;
            let is_neighbour = component.name.namespace() == "demo";
            component.idle_ms = if is_neighbour { 600_000 } else { 20 };
        })
}

/// A system with a data folder, in which those components are durable that say so.
pub(crate) fn with_data(building: SystemBuilder, folder: &Path) -> SystemBuilder {
    let folder = folder.to_owned();
    building.configure(|system| {
        system.data = Some(folder);
        system.durability = Durability::None;
    })
}

/// Threads that block something end soon, so that they can be counted.
fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(Duration::from_millis(20))
        .enable_all()
        .build()
        .expect("a runtime")
}

/// How often something has panicked so far, on whatever thread.
pub(crate) fn panics() -> usize {
    PANICS.load(Ordering::Relaxed)
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Starts what a process has once, such as the threads of the compiler.
fn warm_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            shown(panic);
        }));
        let runtime = runtime();
        runtime.block_on(async {
            let building = System::builder().configure(|it| it.memory = MemoryLayout::OnDemand);
            let building = building.component("demo/probe", guest("probe"));
            let system = building.start().await.expect("it starts");
            system.shutdown().await;
        });
    });
}

/// What an actor replies, which must be text.
pub(crate) async fn ask(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> String {
    let reply = try_ask(system, to, kind, payload).await;
    reply.unwrap_or_else(|e| panic!("{to} {kind}: {e}"))
}

/// What an actor replies, which must be text, or why it does not. One whose supervisor gave
/// it up, since it fails so often, is resumed.
pub(crate) async fn try_ask(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> Result<String, AskError> {
    let payload = payload.into();
    loop {
        let reply = asking::try_ask(system, to, kind, payload.clone()).await;
        if !reply.as_ref().is_err_and(is_given_up) {
            return reply;
        }
        resume(system, to);
    }
}

fn is_given_up(error: &AskError) -> bool {
    error
        .to_string()
        .ends_with("the actor's supervisor gave it up")
}

fn resume(system: &System, actor: &str) {
    let member = actor.parse().expect("an actor");
    // Another may have done so meanwhile.
    drop(system.resume(&member));
}

/// Why an actor failed at a message.
pub(crate) async fn failure(
    system: &System,
    to: &str,
    kind: &str,
    payload: impl Into<MessagePayload>,
) -> String {
    match try_ask(system, to, kind, payload).await {
        Err(AskError::Failed(why)) => why,
        other => panic!("{to} did not fail: {other:?}"),
    }
}

/// Asks an actor that is to be stopped by a limit.
pub(crate) async fn stopped_by(system: &System, limit: Limit) {
    let why = failure(system, ACTOR, "", "").await;
    assert!(why.contains(&format!("{limit} allows ")), "{why}");
}

/// Has a probe call host functions in one turn, and returns the error of each, or nothing.
pub(crate) async fn script(system: &System, to: &str, calls: &[Value]) -> Vec<String> {
    let calls = Value::from(calls.to_vec()).to_string();
    let outcomes = ask(system, to, "script", calls).await;
    let outcomes: Vec<Value> = serde_json::from_str(&outcomes).expect("a list");
    let errors = outcomes.iter().map(|it| it["error"].as_str());
    errors
        .map(|error| error.unwrap_or_default().to_owned())
        .collect()
}

/// Has a probe call one host function, and returns its error, or nothing.
pub(crate) async fn call(system: &System, function: &str, arguments: Value) -> String {
    let mut errors = script(system, ACTOR, &[json!([function, arguments])]).await;
    errors.remove(0)
}
