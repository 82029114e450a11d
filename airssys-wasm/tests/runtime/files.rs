//! WASI's files: what is granted works, nothing else does, and what was granted stops.

// Layer 1: Standard library imports
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

// Layer 2: Third-party crate imports
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::core::security::capability::Capability::{ReadFiles, WriteFiles};
use airssys_wasm::core::security::provisions::Provisions;

use crate::outsider::Outsider;

/// A folder that is handed over, with a file `a` in it, and a secret beside it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/a"), "hello").unwrap();
        fs::write(folder.path().join("secret"), "hunter2").unwrap();
        Self { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn provisions(&self) -> Provisions {
        Provisions {
            folders: [("/data".to_owned(), self.data())].into(),
            ..Provisions::default()
        }
    }

    pub(crate) fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.data().join(name)).ok()
    }
}

/// How many files below a folder this process has open.
fn open_below(folder: &Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(folder))
        .count()
}

#[tokio::test]
async fn a_folder_that_is_not_granted_is_not_shown() {
    let place = Place::new();
    let mut guest = Outsider::start(&[], place.provisions()).await;
    assert_eq!(guest.act("folders", json!({})).await.unwrap(), json!([]));
    assert_eq!(
        guest.denied(),
        ["read_files /data", "write_files /data"],
        "who looked is known"
    );
    let learnt = guest.learnt();
    assert!(!learnt.is_cut, "nothing was learnt but the denial");
    assert_eq!(learnt.denied.len(), 2);
    guest.grant(ReadFiles, "/data");
    let shown = guest.act("folders", json!({})).await.unwrap();
    assert_eq!(shown, json!(["/data"]));
    assert!(
        guest.learnt().is_cut,
        "a turn like this cannot be run again"
    );
    guest.act("arguments", json!({})).await.unwrap();
    assert!(!guest.learnt().is_cut, "the next one can");
}

#[tokio::test]
async fn reading_is_one_grant_and_writing_another() {
    let place = Place::new();
    let mut guest = Outsider::start(&[(ReadFiles, "/data")], place.provisions()).await;
    assert_eq!(guest.at("read", "/data/a").await.unwrap(), "hello");
    assert_eq!(guest.at("list", "/data").await.unwrap(), json!(["a"]));
    assert_eq!(guest.at("stat", "/data/a").await.unwrap(), "regular-file");
    assert_eq!(guest.at("read", "/data/b").await.unwrap_err(), "no-entry");
    for (kind, args) in [
        ("write", json!({"path": "/data/a", "text": "x"})),
        ("write", json!({"path": "/data/new", "text": "x"})),
        ("append", json!({"path": "/data/a", "text": "x"})),
        ("make-folder", json!({"path": "/data/new"})),
        ("remove", json!({"path": "/data/a"})),
        ("symlink", json!({"path": "/data/new", "to": "a"})),
        ("link", json!({"path": "/data/a", "to": "/data/new"})),
        ("rename", json!({"path": "/data/a", "to": "/data/new"})),
    ] {
        assert_eq!(guest.act(kind, args).await.unwrap_err(), "access", "{kind}");
        assert_eq!(guest.denied(), ["write_files /data"], "{kind}");
    }
    assert_eq!(place.file("a").unwrap(), "hello");
    assert_eq!(fs::read_dir(place.data()).unwrap().count(), 1);

    guest.revoke(ReadFiles, "/data");
    guest.grant(WriteFiles, "/data");
    for (kind, args) in [
        ("write", json!({"path": "/data/b", "text": "new"})),
        ("append", json!({"path": "/data/b", "text": "er"})),
        ("make-folder", json!({"path": "/data/c"})),
        ("rename", json!({"path": "/data/b", "to": "/data/c/b"})),
        ("symlink", json!({"path": "/data/l", "to": "a"})),
        ("remove", json!({"path": "/data/l"})),
    ] {
        let done = guest.act(kind, args).await;
        assert_eq!(done, Ok(Value::Null), "{kind}");
    }
    assert_eq!(place.file("c/b").unwrap(), "newer");
    for (kind, path) in [("read", "/data/a"), ("list", "/data"), ("stat", "/data/a")] {
        assert_eq!(guest.at(kind, path).await.unwrap_err(), "access", "{kind}");
    }
    let link = json!({"path": "/data/a", "to": "/data/d"});
    assert_eq!(guest.act("link", link).await.unwrap_err(), "access");
}

#[tokio::test]
async fn what_is_open_stops_to_work_when_its_grant_is_taken_back() {
    let place = Place::new();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let mut guest = Outsider::start(&both, place.provisions()).await;
    guest.at("open", "/data/a").await.unwrap();
    let all = guest.act("again", json!({"text": "x"})).await.unwrap();
    assert_eq!(all, json!(["ok", "ok", "ok", "ok", "ok"]));
    guest.revoke(WriteFiles, "/data");
    let before = place.file("a");
    let all = guest.act("again", json!({"text": "y"})).await.unwrap();
    assert_eq!(all, json!(["ok", "ok", "ok", "access", "access"]));
    guest.revoke(ReadFiles, "/data");
    let all = guest.act("again", json!({"text": "z"})).await.unwrap();
    assert_eq!(
        all,
        json!(["access", "access", "access", "access", "access"])
    );
    assert_eq!(place.file("a"), before);
    guest.grant(ReadFiles, "/data");
    let all = guest.act("again", json!({})).await.unwrap();
    assert_eq!(all, json!(["ok", "ok", "ok"]), "and works again");
}

#[tokio::test]
async fn nothing_leads_out_of_a_folder() {
    let place = Place::new();
    symlink("../secret", place.data().join("near")).unwrap();
    symlink(place.folder.path().join("secret"), place.data().join("far")).unwrap();
    symlink("..", place.data().join("up")).unwrap();
    symlink("loop", place.data().join("loop")).unwrap();
    symlink("a", place.data().join("inside")).unwrap();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let mut guest = Outsider::start(&both, place.provisions()).await;
    assert_eq!(guest.at("read", "/data/inside").await.unwrap(), "hello");
    for path in [
        "/data/../secret",
        "/data/x/../../secret",
        "/data/near",
        "/data/far",
        "/data/up/secret",
        "/data//etc/passwd",
        "/data/./../secret",
    ] {
        let read = guest.at("read", path).await;
        assert!(
            matches!(&read, Err(error) if matches!(&**error, "not-permitted" | "no-entry")),
            "{path}: {read:?}"
        );
        let write = json!({"path": path, "text": "mine"});
        assert!(guest.act("write", write).await.is_err(), "{path}");
    }
    assert_eq!(guest.at("read", "/data/loop").await.unwrap_err(), "loop");
    assert_eq!(guest.at("read", "/secret").await.unwrap_err(), "not-there");
    let made = guest
        .act("symlink", json!({"path": "/data/own", "to": "/etc/passwd"}))
        .await;
    assert!(made.is_err(), "{made:?}");
    let made = guest
        .act("symlink", json!({"path": "/data/own", "to": "../secret"}))
        .await;
    assert!(made.is_err() || guest.at("read", "/data/own").await.is_err());
    for (kind, to) in [("rename", "/data/../b"), ("link", "/data/../b")] {
        let args = json!({"path": "/data/a", "to": to});
        assert!(guest.act(kind, args).await.is_err(), "{kind}");
    }
    let secret = fs::read_to_string(place.folder.path().join("secret"));
    assert_eq!(secret.unwrap(), "hunter2");
    assert!(!place.folder.path().join("b").exists());
}

/// Opening a pipe that nobody writes to would wait for ever, on a thread of the host.
#[tokio::test]
async fn what_is_neither_file_nor_folder_is_not_opened() {
    let place = Place::new();
    let pipe = place.data().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
    symlink("pipe", place.data().join("link")).unwrap();
    let _socket = UnixListener::bind(place.data().join("socket")).unwrap();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let mut guest = Outsider::start(&both, place.provisions()).await;
    for path in ["/data/pipe", "/data/link", "/data/socket"] {
        let read = timeout(Duration::from_secs(60), guest.at("read", path)).await;
        assert_eq!(read.unwrap().unwrap_err(), "unsupported", "{path}");
        let args = json!({"path": path, "text": "x"});
        let written = timeout(Duration::from_secs(60), guest.act("write", args)).await;
        assert_eq!(written.unwrap().unwrap_err(), "unsupported", "{path}");
    }
    assert_eq!(guest.at("stat", "/data/pipe").await.unwrap(), "unknown");
}

#[tokio::test]
async fn a_folder_of_any_length_is_listed() {
    let place = Place::new();
    for number in 0..1_000 {
        fs::write(place.data().join(format!("file-{number}")), "").unwrap();
    }
    let mut guest = Outsider::start(&[(ReadFiles, "/data")], place.provisions()).await;
    let names = guest.at("list", "/data").await.unwrap();
    assert_eq!(names.as_array().unwrap().len(), 1_001);
    assert_eq!(
        guest.at("list", "/data/a").await.unwrap_err(),
        "not-directory"
    );
}

#[tokio::test]
async fn how_much_is_open_is_bounded_and_ends_with_the_instance() {
    let place = Place::new();
    let mut guest = Outsider::start(&[(ReadFiles, "/data")], place.provisions()).await;
    let many = json!({"path": "/data/a", "count": 1_000});
    let opened = guest.act("open-many", many.clone()).await.unwrap();
    assert_eq!(opened[1], "insufficient-memory");
    let count = opened[0].as_u64().unwrap();
    assert!((64..=128).contains(&count), "{count}");
    assert!(open_below(place.folder.path()) >= count as usize);
    guest.activate().await;
    assert_eq!(open_below(place.folder.path()), 0);
    assert_eq!(guest.act("open-many", many).await.unwrap(), opened);
    drop(guest);
    assert_eq!(open_below(place.folder.path()), 0);
}

/// What was written is there, whatever becomes of the turn.
#[tokio::test]
async fn a_turn_that_fails_takes_back_nothing_and_leaves_nothing_open() {
    let place = Place::new();
    let both = [(ReadFiles, "/data"), (WriteFiles, "/data")];
    let limits = Limits {
        turn_wall_ms: 3_000,
        ..Limits::default()
    };
    let mut guest = Outsider::start_with(&both, place.provisions(), limits).await;
    let script = json!([
        ["write", {"path": "/data/b", "text": "done"}],
        ["open", {"path": "/data/b"}],
        ["sleep", {"wait-ms": 60_000}],
    ]);
    let error = guest.turn("script", script).await.unwrap_err();
    assert!(error.to_string().contains("turn_wall_ms"), "{error}");
    assert_eq!(place.file("b").unwrap(), "done");
    assert_eq!(open_below(place.folder.path()), 0);
    assert!(!guest.store.is_live());
    guest.activate().await;
    assert_eq!(guest.at("read", "/data/b").await.unwrap(), "done");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_left_out() {
    let place = Place::new();
    let mut provisions = place.provisions();
    let missing = place.folder.path().join("missing");
    provisions.folders.insert("/missing".to_owned(), missing);
    let both = [(ReadFiles, "/data"), (ReadFiles, "/missing")];
    let mut guest = Outsider::start(&both, provisions).await;
    let shown = guest.act("folders", json!({})).await.unwrap();
    assert_eq!(shown, json!(["/data"]));
}

#[tokio::test]
async fn one_folder_is_not_another() {
    let place = Place::new();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("o"), "other").unwrap();
    let mut provisions = place.provisions();
    let path = other.path().to_owned();
    provisions.folders.insert("/other".to_owned(), path);
    let grants = [
        (ReadFiles, "/data"),
        (ReadFiles, "/other"),
        (WriteFiles, "/other"),
    ];
    let mut guest = Outsider::start(&grants, provisions).await;
    for kind in ["rename", "link"] {
        let args = json!({"path": "/other/o", "to": "/data/o"});
        assert_eq!(guest.act(kind, args).await.unwrap_err(), "access", "{kind}");
        let args = json!({"path": "/data/a", "to": "/other/a"});
        assert_eq!(guest.act(kind, args).await.unwrap_err(), "access", "{kind}");
    }
    assert_eq!(guest.at("read", "/other/o").await.unwrap(), "other");
    // Each has its own room, so that nothing moves from one to the other.
    guest.grant(WriteFiles, "/data");
    for kind in ["rename", "link"] {
        let args = json!({"path": "/other/o", "to": "/data/o"});
        let refused = guest.act(kind, args).await;
        assert_eq!(refused.unwrap_err(), "cross-device", "{kind}");
    }
}
