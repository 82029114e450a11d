//! The data of format 1, as it was made.

// Layer 1: Standard library imports
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use tempfile::TempDir;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::envelope::Letter;
use crate::core::storage::commit::{Commit, Growth};
use crate::core::storage::row::{
    ActorStamp, Row, RowKey, StoredMessage, StoredRequest, StoredTimer,
};
use crate::core::storage::store::VersionId;
use crate::storage::codec::fixtures::example_dead_letter;
use crate::storage::data_folder::DataFolder;
use crate::storage::log::log::CommitLog;
use crate::storage::log::settings::LogSettings;
use crate::storage::wal::wal::Sizes;
use crate::system::data::compaction::compact;
use crate::system::data::waiting::wait_for;

/// The folder of format 1, as the first release wrote it.
pub(crate) const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-v1");

/// The year 2100.
pub(crate) const FAR_MS: u64 = 4_102_444_800_000;

/// The period of an answer that is not forgotten before that.
pub(crate) const FAR_PERIOD: u64 = FAR_MS / 600_000;

/// Nothing is written unless it is asked for, and files are small.
pub(crate) fn settings() -> LogSettings {
    LogSettings {
        delay_ms: u64::MAX,
        checkpoint_age_ms: u64::MAX,
        sizes: Sizes {
            segment_bytes: 64 << 10,
            ahead_bytes: 4 << 10,
        },
        ..LogSettings::default()
    }
}

pub(crate) fn id(address: &str) -> ComponentId {
    address.parse().unwrap()
}

pub(crate) fn version(label: &str) -> Option<Arc<VersionId>> {
    let digest = Digest::of(label.as_bytes());
    let label = label.to_owned();
    Some(VersionId { digest, label }.into())
}

fn message(to: &str, kind: &str, payload: &str) -> StoredMessage {
    let host = ComponentId::new("airssys", "host", "main");
    let payload = payload.as_bytes().to_vec().into();
    StoredMessage {
        letter: Letter::Message(ComponentMessage::new(host, id(to), kind.into(), payload)),
        wants_reply: false,
        trace_parent: None,
        deadline_unix_ms: None,
    }
}

/// What a commit puts, actor by actor. All state belongs to one component.
pub(crate) struct Rows(pub(crate) Commit);

impl Rows {
    pub(crate) fn state(
        mut self,
        actor: &str,
        key: &str,
        value: &[u8],
        growth: (i64, i64),
    ) -> Self {
        let row = Row::Value(value.to_vec().into());
        self.0.put(&id(actor), RowKey::State(key.into()), row);
        let (_, sum) = self
            .0
            .growth
            .get_or_insert_with(|| (id(actor), Growth::default()));
        sum.bytes += growth.0;
        sum.keys += growth.1;
        self
    }

    pub(crate) fn put(mut self, actor: &str, key: RowKey, row: Row) -> Self {
        self.0.put(&id(actor), key, row);
        self
    }

    fn remove(mut self, actor: &str, key: RowKey) -> Self {
        self.0.remove(&id(actor), key);
        self
    }

    fn send(mut self, message: StoredMessage) -> Self {
        self.0.put_message(message);
        self
    }

    fn stamp(self, actor: &str) -> Self {
        let stamp = ActorStamp {
            turns_below: 1_000,
            ran_by: version("1.0"),
        };
        self.put(actor, RowKey::Record, Row::Record(stamp))
    }
}

/// What is in the tables.
fn first() -> [Commit; 2] {
    let counters = Rows(Commit::default())
        .stamp("demo/counter/a")
        .state("demo/counter/a", "count", b"5", (6, 1))
        .stamp("demo/counter/b")
        .state("demo/counter/b", "count", b"7", (6, 1))
        .state("demo/counter/b", "seal", &[0, 255], (6, 1))
        .send(message("demo/counter/a", "add", "2"));
    let answer = RowKey::Answer(FAR_PERIOD, "id-0".into());
    let answer_row = Row::Answer(Box::new(Ok(Some(b"5".to_vec().into()))));
    let counters = counters.put("demo/counter/a", answer, answer_row);
    let timer = Row::Timer(Box::new(StoredTimer {
        due_unix_ms: FAR_MS,
        message: message("demo/relay/desk", "note", "late"),
    }));
    let request = Row::Request(StoredRequest {
        target: id("demo/counter/a"),
        deadline_unix_ms: FAR_MS,
    });
    let relay = Rows(Commit::default())
        .stamp("demo/relay/desk")
        .state("demo/relay/desk", "notes", b"one\n", (9, 1))
        .put("demo/relay/desk", RowKey::Timer(9), timer)
        .put("demo/relay/desk", RowKey::Request(3), request)
        .put(
            "demo/relay/desk",
            RowKey::Subscription("orders.>".into()),
            Row::Subscription,
        );
    let dead = Row::DeadLetter(example_dead_letter().into());
    let relay = relay.put("a/b/d", RowKey::DeadLetter(1), dead);
    [counters.0, relay.0]
}

/// What is in the log alone.
fn second() -> Commit {
    let rows = Rows(Commit::default())
        .state("demo/counter/a", "count", b"6", (0, 0))
        .state("demo/counter/c", "count", b"1", (6, 1))
        .stamp("demo/counter/c")
        .remove("demo/counter/b", RowKey::State("seal".into()))
        .send(message("demo/counter/a", "add", "3"));
    let mut commit = rows.0;
    // Of the key that is removed.
    if let Some((_, growth)) = &mut commit.growth {
        growth.bytes -= 6;
        growth.keys -= 1;
    }
    commit
}

/// A copy of a fixture, that may be changed.
pub(crate) fn copy_of(fixture: &str) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(fixture).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

pub(crate) fn file_names(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// When the format changes, its version does too, a folder of the new one is made by a
/// function like this one, and this one goes: what it made stays.
#[test]
#[ignore = "writes tests/fixtures/data-v1 anew, which nobody should need: it is what was \
            released. `cargo test -p airssys-wasm --lib make_data_v1 -- --ignored`"]
fn make_data_v1() {
    let made = TempDir::new().unwrap();
    let folder = DataFolder::open(made.path()).unwrap();
    let (log, _) = CommitLog::open(folder.disk().unwrap(), settings()).unwrap();
    for commit in first() {
        drop(log.append(commit).unwrap());
    }
    wait_for(log.close()).unwrap();
    drop(log);
    compact(&folder).unwrap();
    let (log, _) = CommitLog::open(folder.disk().unwrap(), settings()).unwrap();
    drop(log.append(second()).unwrap());
    wait_for(log.flush()).unwrap();
    drop(log);
    fs::remove_file(made.path().join("lock")).unwrap();
    drop(fs::remove_dir_all(V1));
    fs::create_dir_all(V1).unwrap();
    for path in file_names(made.path()) {
        fs::copy(&path, Path::new(V1).join(path.file_name().unwrap())).unwrap();
    }
}
