//! Groups: who starts again when one fails, and what is given up.

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::time::Duration;

// Layer 3: Internal module imports
use airssys_wasm::component::supervision::group::Strategy;
use airssys_wasm::component::supervision::restart::Restart;
use airssys_wasm::component::supervision::status::{GroupState, Standing};
use airssys_wasm::component::supervision::supervisor::NotResumed;
use airssys_wasm::core::delivery::refusal::Refusal;
use airssys_wasm::core::event::Event;
use airssys_wasm::system::builder::SystemBuilder;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::group::GroupConfig;
use airssys_wasm::system::error::{AskError, ControlError};
use airssys_wasm::system::handle::System;

use crate::support::{
    Watch, activations, ask, builder, bytes, counts, guest, id, is_settled, once, try_ask, until,
};

fn group(name: &str, strategy: Strategy, max_restarts: u32, members: &[&str]) -> GroupConfig {
    GroupConfig {
        strategy,
        max_restarts,
        // Longer than a test takes on the slowest machine.
        window_ms: 600_000,
        members: members.iter().map(|&it| it.to_owned()).collect(),
        ..GroupConfig::new(name)
    }
}

/// Three components of counters, whose messages are tried once.
fn three(change: impl Fn(&mut ComponentConfig)) -> SystemBuilder {
    let change = |config: &mut ComponentConfig| {
        once(config);
        change(config);
    };
    ["demo/a", "demo/b", "demo/c"]
        .iter()
        .fold(builder(), |builder, name| {
            builder.component_with(name, &*guest("counter"), change)
        })
}

async fn with_group(strategy: Strategy, max_restarts: u32) -> System {
    let members = ["demo/a", "demo/b", "demo/c"];
    let group = group("all", strategy, max_restarts, &members);
    let starting = three(|_| {}).configure(|system| system.groups.push(group));
    starting.start().await.unwrap()
}

async fn crash(system: &System, actor: &str) {
    let failed = try_ask(system, actor, "add-then-trap", "1").await;
    assert!(matches!(failed, Err(AskError::Failed(_))), "{failed:?}");
}

/// Who begins anew when an actor of `b` fails, where each component has two actors.
async fn restarted_with(strategy: Strategy) -> Vec<String> {
    let system = with_group(strategy, 10).await;
    let actors = ["a/1", "a/2", "b/1", "b/2", "c/1", "c/2"].map(|it| format!("demo/{it}"));
    for actor in &actors {
        ask(&system, actor, "add", "5").await;
    }
    let mut watch = Watch::new(&system);
    crash(&system, "demo/b/1").await;
    // The next message is handled by a new instance of those that were restarted.
    for actor in &actors {
        assert_eq!(ask(&system, actor, "get", "").await, "5", "the state stays");
    }
    activations(&watch.so_far())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strategy_says_who_begins_anew() {
    assert_eq!(restarted_with(Strategy::OneForOne).await, ["demo/b/1"]);
    assert_eq!(
        restarted_with(Strategy::OneForAll).await,
        [
            "demo/a/1", "demo/a/2", "demo/b/1", "demo/b/2", "demo/c/1", "demo/c/2"
        ]
    );
    assert_eq!(
        restarted_with(Strategy::RestForOne).await,
        ["demo/b/1", "demo/c/1", "demo/c/2"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_fails_too_often_is_given_up_until_it_is_resumed() {
    let system = with_group(Strategy::OneForOne, 2).await;
    let mut watch = Watch::new(&system);
    ask(&system, "demo/a/1", "add", "5").await;
    ask(&system, "demo/c/1", "add", "5").await;
    for actor in ["demo/b/1", "demo/b/2", "demo/b/3"] {
        crash(&system, actor).await;
    }
    let gave_up = watch
        .find(|event| match event {
            Event::GaveUp { target, last_straw } => Some((target, last_straw)),
            _ => None,
        })
        .await;
    assert_eq!(gave_up, ("all".to_owned(), id("demo/b/3")));
    until("all have ended", || system.list().is_empty()).await;
    let status = system.status();
    let GroupState::GivenUp(given_up) = &status.groups[0].state else {
        panic!("{status:?}");
    };
    assert_eq!(given_up.actor, id("demo/b/3"));
    for actor in ["demo/a/1", "demo/b/1", "demo/c/9"] {
        let standing = system.inspect(&id(actor)).unwrap().standing;
        assert_eq!(standing, Standing::GivenUp);
        let refused = try_ask(&system, actor, "get", "").await;
        assert_eq!(refused, Err(AskError::Refused(Refusal::GivenUp)));
    }
    let dead = system.dead_letters(None, None, 100).len();
    system.send(&id("demo/a/1"), "add", "1").await.unwrap();
    let letters = system.dead_letters(None, None, 100);
    assert_eq!(letters.len(), dead + 1, "what nobody waits for is kept");

    system.resume(&"all".parse().unwrap()).unwrap();
    watch
        .wait(|event| matches!(event, Event::Resumed { target } if target == "all"))
        .await;
    assert_eq!(ask(&system, "demo/a/1", "get", "").await, "5");
    assert_eq!(system.status().groups[0].state, GroupState::Running);
    system.retry_dead_letter(letters[dead].0).await.unwrap();
    assert_eq!(ask(&system, "demo/a/1", "get", "").await, "6");
    for component in ["demo/a", "demo/b", "demo/c"] {
        until(component, || is_settled(counts(&system, component))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_wait_for_a_group_when_it_is_given_up_become_dead_letters() {
    let system = with_group(Strategy::OneForOne, 0).await;
    let a = id("demo/a/1");
    for _ in 0..3 {
        system.send(&a, "add", "1").await.unwrap();
    }
    system.send(&a, "add-then-trap", "1").await.unwrap();
    for _ in 0..20 {
        system.send(&a, "add", "1").await.unwrap();
    }
    until("all are accounted for", || {
        let counts = counts(&system, "demo/a");
        let lost = system.dead_letters(Some("demo/a/1"), None, 100).len() as u64;
        counts.handled == 3 && counts.handled + lost == 24 && is_settled(counts)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_fails_is_its_parents_matter() {
    let groups = [
        group("inner", Strategy::OneForOne, 1, &["demo/a"]),
        group("outer", Strategy::OneForAll, 1, &["inner", "demo/b"]),
    ];
    let starting = three(|_| {}).configure(|system| system.groups.extend(groups));
    let system = starting.start().await.unwrap();
    for actor in ["demo/a/1", "demo/b/1", "demo/c/1"] {
        ask(&system, actor, "add", "1").await;
    }
    let mut watch = Watch::new(&system);
    crash(&system, "demo/a/1").await;
    // The second failure within the window is one too many for `inner`, so that `outer`
    // begins anew as a whole.
    crash(&system, "demo/a/1").await;
    for actor in ["demo/a/1", "demo/b/1", "demo/c/1"] {
        assert_eq!(ask(&system, actor, "get", "").await, "1");
    }
    let anew: BTreeSet<String> = activations(&watch.so_far()).into_iter().collect();
    assert_eq!(anew, ["demo/a/1", "demo/b/1"].map(String::from).into());
    // `inner` counts from zero again, and two more failures are too many for `outer`.
    crash(&system, "demo/a/1").await;
    crash(&system, "demo/a/1").await;
    until("`outer` is given up", || {
        let groups = system.status().groups;
        groups
            .iter()
            .all(|group| matches!(group.state, GroupState::GivenUp(_)))
    })
    .await;
    let is_live = |actor| system.inspect(&id(actor)).unwrap().phase.is_some();
    until("`b` has ended", || !is_live("demo/b/1")).await;
    let b = try_ask(&system, "demo/b/1", "get", "").await;
    assert_eq!(b, Err(AskError::Refused(Refusal::GivenUp)));
    assert_eq!(ask(&system, "demo/c/1", "get", "").await, "1");
    let inner = system.resume(&"inner".parse().unwrap());
    assert!(
        matches!(&inner, Err(ControlError::NotResumed(NotResumed::GivenUpWith { group, .. })) if group == "outer"),
        "{inner:?}"
    );
    system.resume(&"outer".parse().unwrap()).unwrap();
    assert_eq!(ask(&system, "demo/b/1", "get", "").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_temporary_actor_ends_with_its_first_failure_and_no_other_does() {
    let system = three(|config| config.restart = Restart::Temporary)
        .start()
        .await
        .unwrap();
    ask(&system, "demo/a/2", "add", "1").await;
    crash(&system, "demo/a/1").await;
    until("it has ended", || {
        system.status().ended_actors == [id("demo/a/1")]
    })
    .await;
    until("it is gone", || system.list().len() == 1).await;
    let refused = try_ask(&system, "demo/a/1", "get", "").await;
    assert_eq!(refused, Err(AskError::Refused(Refusal::Stopped)));
    assert_eq!(ask(&system, "demo/a/2", "get", "").await, "1");
    system.resume(&"demo/a/1".parse().unwrap()).unwrap();
    assert_eq!(ask(&system, "demo/a/1", "get", "").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transient_actor_starts_again_after_a_crash_and_not_after_a_refused_start() {
    let starting = three(|config| config.restart = Restart::Transient);
    let system = starting
        .component_with("demo/life", &*guest("lifecycle"), |config| {
            once(config);
            config.restart = Restart::Transient;
            config.config.insert("init".into(), "fail".into());
        })
        .start()
        .await
        .unwrap();
    crash(&system, "demo/a/1").await;
    assert_eq!(ask(&system, "demo/a/1", "get", "").await, "0");
    let failed = try_ask(&system, "demo/life/1", "get", "starts").await;
    assert!(failed.is_err());
    until("it has ended", || {
        system.status().ended_actors == [id("demo/life/1")]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_is_stopped_and_resumed_with_its_state() {
    let system = three(|_| {}).start().await.unwrap();
    ask(&system, "demo/a/1", "add", "4").await;
    let one = id("demo/a/1");
    system.stop(&one).unwrap();
    system.stop(&one).unwrap();
    until("it has ended", || system.list().is_empty()).await;
    assert_eq!(system.inspect(&one).unwrap().standing, Standing::Ended);
    assert_eq!(
        system.spawn(&one).await,
        Err(ControlError::Refused(Refusal::Stopped))
    );
    assert_eq!(ask(&system, "demo/a/2", "get", "").await, "0");
    // The component as a whole is resumed with all its actors.
    system.resume(&"demo/a".parse().unwrap()).unwrap();
    assert_eq!(ask(&system, "demo/a/1", "get", "").await, "4");
    assert!(system.stop(&id("demo/nobody/1")).is_err());
    assert!(system.resume(&"nobody".parse().unwrap()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_that_always_run_are_started_again() {
    let group = group(
        "all",
        Strategy::OneForAll,
        10,
        &["demo/a", "demo/b", "demo/c"],
    );
    let system = three(|config| config.run = vec!["main".into()])
        .configure(|system| system.groups.push(group))
        .start()
        .await
        .unwrap();
    let all = || {
        system
            .status()
            .components
            .iter()
            .map(|it| it.counts.activated)
            .sum::<u64>()
    };
    until("all run", || all() == 3).await;
    system
        .send(&id("demo/b/main"), "add-then-trap", "1")
        .await
        .unwrap();
    // Without any message.
    until("all run again", || all() == 6).await;
    system.stop(&id("demo/b/main")).unwrap();
    until("it has ended", || system.list().len() == 2).await;
    system.resume(&"demo/b/main".parse().unwrap()).unwrap();
    until("it runs again", || all() == 7).await;
}

/// Whoever asks says how long he waits. That must not be a way to have others given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impatient_callers_do_no_harm() {
    let group = group("all", Strategy::OneForOne, 1, &["demo/loop"]);
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_fuel = u64::MAX;
        })
        .configure(|system| system.groups.push(group))
        .start()
        .await
        .unwrap();
    for _ in 0..5 {
        let message = system.message(&id("demo/loop/a"), "", "");
        assert_eq!(
            system.ask_within(message, Duration::from_millis(200)).await,
            Err(AskError::Timeout { after_ms: 200 })
        );
        until("the turn was stopped", || {
            is_settled(counts(&system, "demo/loop"))
        })
        .await;
    }
    let counts = counts(&system, "demo/loop");
    assert_eq!((counts.expired, counts.buried), (5, 0));
    assert!(counts.failed > 0, "it is seen nevertheless");
    assert_eq!(system.status().groups[0].state, GroupState::Running);
    assert_eq!(system.status().dead_letters, 0);
}
