//! New versions while messages flow, and the way back.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::thread;

// Layer 2: Third-party crate imports
use rustix::fs::{CWD, FileType, Mode, mknodat};

// Layer 3: Internal module imports
use airssys_wasm::component::settings::RecordingSettings;
use airssys_wasm::core::event::Event;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::secret_source::SecretSource;
use airssys_wasm::system::error::{AskError, ControlError};
use airssys_wasm::system::handle::System;

use crate::support::{
    Watch, ask, at_once, builder, bytes, component_status, counts, guest, id, marked, once,
    try_ask, until,
};

/// Nothing is kept that a new version could be tried on.
fn untried(config: &mut ComponentConfig) {
    config.recording = RecordingSettings {
        turns: 0,
        every_ms: 0,
    };
}

async fn rooms(change: impl FnOnce(&mut ComponentConfig)) -> System {
    builder()
        .component_with("demo/room", bytes("chat-room"), |config| {
            once(config);
            change(config);
        })
        .start()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_is_handed_over_with_the_version_that_wrote_it() {
    let system = builder()
        .component("demo/life", &*guest("lifecycle"))
        .start()
        .await
        .unwrap();
    assert_eq!(ask(&system, "demo/life/live", "get", "starts").await, "1");
    assert_eq!(
        ask(&system, "demo/life/live", "get", "migrated-from").await,
        ""
    );
    let report = system
        .upgrade("demo/life", marked("lifecycle", "two"))
        .await
        .unwrap();
    assert_eq!(report.switched, 1);
    for (key, value) in [("starts", "2"), ("stops", "1"), ("migrated-from", "0.1.0")] {
        assert_eq!(
            ask(&system, "demo/life/live", "get", key).await,
            value,
            "{key}"
        );
    }
    // One that begins with the new version has nothing to take over.
    assert_eq!(
        ask(&system, "demo/life/new", "get", "migrated-from").await,
        ""
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_passivated_before_migrates_when_it_comes_back() {
    let system = rooms(|it| it.idle_ms = 1).await;
    let mut watch = Watch::new(&system);
    ask(&system, "demo/room/a", "say", "hello").await;
    watch.passivated("demo/room/a").await;
    until("it is gone", || system.list().is_empty()).await;
    let report = system
        .upgrade("demo/room", bytes("chat-room-v2"))
        .await
        .unwrap();
    assert_eq!((report.switched, &*report.to.label), (0, "2.0.0"));
    let found = ask(&system, "demo/room/a", "search", "hell").await;
    assert_eq!(found, "airssys/host/main: hello");
    watch
        .wait(|event| matches!(event, Event::Switched { version, .. } if version.label == "2.0.0"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_a_way_forth_and_back_by_name_digest_and_step() {
    let system = rooms(|_| {}).await;
    ask(&system, "demo/room/a", "say", "one").await;
    let forth = system
        .upgrade("demo/room", bytes("chat-room-v2"))
        .await
        .unwrap();
    ask(&system, "demo/room/a", "say", "two").await;
    let back = system.rollback("demo/room", None).await.unwrap();
    assert_eq!((&back.from, &back.to), (&forth.to, &forth.from));
    ask(&system, "demo/room/a", "say", "three").await;
    system.rollback("demo/room", Some("2.0.0")).await.unwrap();
    let digest = forth.from.digest.to_string();
    system
        .rollback("demo/room", Some(&digest[..20]))
        .await
        .unwrap();
    let said = "airssys/host/main: one\nairssys/host/main: two\nairssys/host/main: three";
    assert_eq!(ask(&system, "demo/room/a", "history", "").await, said);
    assert!(matches!(
        system.rollback("demo/room", Some("9.9.9")).await,
        Err(ControlError::NoVersion { kept, .. }) if kept.len() == 2
    ));
    assert!(matches!(
        system.rollback("demo/nobody", None).await,
        Err(ControlError::NoComponent(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_upgrade_to_what_runs_already_nor_back_from_the_first() {
    let system = rooms(|_| {}).await;
    assert_eq!(
        system.rollback("demo/room", None).await,
        Err(ControlError::NoEarlierVersion("demo/room".into()))
    );
    let same = system.upgrade("demo/room", bytes("chat-room")).await;
    assert!(matches!(same, Err(ControlError::SameVersion { .. })));
    assert!(matches!(
        system.upgrade("demo/nobody", bytes("chat-room")).await,
        Err(ControlError::NoComponent(_))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_traps_where_the_old_one_had_not_is_not_taken() {
    let system = rooms(|it| it.recording.every_ms = 0).await;
    for text in ["one", "two"] {
        ask(&system, "demo/room/a", "say", text).await;
    }
    ask(&system, "demo/room/a", "members", "").await;
    let mut watch = Watch::new(&system);
    let failed = system.upgrade("demo/room", bytes("chat-room-v3")).await;
    let Err(ControlError::TrialFailed {
        tried,
        failed,
        first,
    }) = failed
    else {
        panic!("{failed:?}");
    };
    assert_eq!((tried, failed), (3, 2));
    assert!(first.contains("\"say\" to demo/room/a"), "{first}");
    assert_eq!(
        component_status(&system, "demo/room").version.label,
        "1.0.0"
    );
    assert_eq!(watch.so_far(), []);
    ask(&system, "demo/room/a", "say", "three").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_fails_too_often_is_reverted_by_itself() {
    let system = rooms(|it| {
        untried(it);
        it.upgrade.max_failures = 3;
    })
    .await;
    ask(&system, "demo/room/a", "say", "before").await;
    let mut watch = Watch::new(&system);
    let report = system
        .upgrade("demo/room", bytes("chat-room-v3"))
        .await
        .unwrap();
    assert_eq!((report.tried, report.is_reverted), (0, false));
    assert!(component_status(&system, "demo/room").is_on_trial);
    for text in ["one", "two", "three", "four"] {
        let failed = try_ask(&system, "demo/room/a", "say", text).await;
        assert!(
            matches!(failed, Err(AskError::Failed(_))),
            "{text}: {failed:?}"
        );
    }
    let failures = watch
        .find(|event| match event {
            Event::UpgradeReverted { to, failures, .. } if to.label == "1.0.0" => Some(failures),
            _ => None,
        })
        .await;
    assert_eq!(failures, 4);
    ask(&system, "demo/room/a", "say", "after").await;
    let said = "airssys/host/main: before\nairssys/host/main: after";
    assert_eq!(ask(&system, "demo/room/a", "history", "").await, said);
    let status = component_status(&system, "demo/room");
    assert_eq!(
        (&*status.version.label, status.is_on_trial),
        ("1.0.0", false)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_being_tried_again_is_handled_by_the_version_that_is_back() {
    let system = rooms(|it| {
        untried(it);
        it.retry = at_once(10);
        it.upgrade.max_failures = 2;
    })
    .await;
    ask(&system, "demo/room/a", "say", "before").await;
    system
        .upgrade("demo/room", bytes("chat-room-v3"))
        .await
        .unwrap();
    ask(&system, "demo/room/a", "say", "meanwhile").await;
    let said = "airssys/host/main: before\nairssys/host/main: meanwhile";
    assert_eq!(ask(&system, "demo/room/a", "history", "").await, said);
    assert_eq!(system.status().dead_letters, 0);
    assert_eq!(counts(&system, "demo/room").failed, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_cannot_migrate_is_reverted_and_the_state_is_whole() {
    let system = builder()
        .component_with("demo/room", bytes("chat-room"), |it| {
            untried(it);
            it.retry = at_once(10);
            it.upgrade.max_failures = 1;
        })
        .start()
        .await
        .unwrap();
    ask(&system, "demo/room/a", "say", "kept").await;
    let mut watch = Watch::new(&system);
    let report = system
        .upgrade("demo/room", bytes("unreachable"))
        .await
        .unwrap();
    assert!(!report.is_reverted);
    let said = ask(&system, "demo/room/a", "history", "").await;
    assert_eq!(said, "airssys/host/main: kept");
    watch
        .wait(|event| matches!(event, Event::UpgradeReverted { .. }))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_versions_are_kept_than_configured() {
    let system = builder()
        .component_with("demo/echo", &*guest("echo"), |it| it.kept_versions = 2)
        .start()
        .await
        .unwrap();
    let first = component_status(&system, "demo/echo").version;
    for mark in ["b", "c"] {
        system
            .upgrade("demo/echo", marked("echo", mark))
            .await
            .unwrap();
    }
    let kept = component_status(&system, "demo/echo").kept_versions;
    assert_eq!(kept.len(), 2);
    assert!(!kept.contains(&first));
    let gone = system
        .rollback("demo/echo", Some(&first.digest.to_string()))
        .await;
    assert!(matches!(gone, Err(ControlError::NoVersion { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_actor_switches_when_its_turn_has_ended() {
    let system = builder()
        .component_with("demo/loop", bytes("endless-loop"), |it| {
            once(it);
            it.limits.turn_wall_ms = 500;
            it.limits.turn_fuel = u64::MAX;
        })
        .start()
        .await
        .unwrap();
    let mut watch = Watch::new(&system);
    system.send(&id("demo/loop/a"), "", "").await.unwrap();
    watch.activated("demo/loop/a").await;
    // One of two upgrades at once is turned away.
    let (one, other) = tokio::join!(
        system.upgrade("demo/loop", bytes("echo")),
        system.upgrade("demo/loop", marked("echo", "two")),
    );
    assert_eq!(other, Err(ControlError::Busy("demo/loop".into())));
    let report = one.unwrap();
    assert_eq!((report.switched, report.not_switched.len()), (1, 0));
    assert_eq!(ask(&system, "demo/loop/a", "", "now").await, "now");
    assert_eq!(counts(&system, "demo/loop").buried, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_has_crashed_does_not_hold_an_upgrade_up() {
    let system = rooms(untried).await;
    ask(&system, "demo/room/a", "say", "one").await;
    let trapped = try_ask(&system, "demo/room/a", "say", "/panic").await;
    assert!(trapped.is_err());
    let report = system.upgrade("demo/room", bytes("chat-room-v2")).await;
    assert_eq!(report.unwrap().not_switched, [""; 0]);
    let found = ask(&system, "demo/room/a", "search", "one").await;
    assert_eq!(found, "airssys/host/main: one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_while_a_version_is_tried_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "at first").unwrap();
    let news = Capabilities {
        publish: vec!["news.>".into()],
        ..Capabilities::default()
    };
    let system = builder()
        .component_with("demo/echo", &*guest("echo"), |it| {
            it.grants.publish.clone_from(&news.publish);
            it.needs = Some(news);
            let file = Some(secret.clone());
            let source = SecretSource { file, env: None };
            it.secrets.insert("key".into(), source);
        })
        .start()
        .await
        .unwrap();
    let before = component_status(&system, "demo/echo").version;
    // Secrets are read when the version was found to be fit, and this one waits until it is
    // written.
    fs::remove_file(&secret).unwrap();
    mknodat(CWD, &secret, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let operator = system.clone();
    let revoking = thread::spawn(move || {
        let writer = File::options().write(true).open(&secret).unwrap();
        let revoked = operator.revoke("demo/echo", Capability::Publish, "news.>");
        drop(writer);
        revoked
    });
    let refused = system.upgrade("demo/echo", marked("echo", "two")).await;
    assert!(
        matches!(refused, Err(ControlError::NeedsNotMet { .. })),
        "{refused:?}"
    );
    revoking.join().unwrap().unwrap();
    assert_eq!(component_status(&system, "demo/echo").version, before);
}
