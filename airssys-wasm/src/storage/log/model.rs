//! What a log has to say, kept in the plainest way.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::component::message::ComponentMessage;
use crate::core::delivery::dead_letter::{DeadLetter, DeathCause};
use crate::core::delivery::envelope::Letter;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::backlog::Backlog;
use crate::core::storage::commit::{Commit, Growth};
use crate::core::storage::row::{
    ActorStamp, MessageNumber, Row, RowKey, StoredMessage, StoredRequest, StoredTimer,
};
use crate::core::storage::store::PageLimit;
use crate::storage::log::log::CommitLog;
use crate::storage::log::recovery::Recovered;

/// How many actors there are: the first two are of one component.
pub(crate) const ACTORS: usize = 3;

/// One change of a commit. Numbers choose among what there is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Record(usize),
    Set(usize, usize, usize),
    Unset(usize, usize),
    Send(usize, usize),
    Receive(usize, usize),
    Timer(usize),
    Cancel(usize, usize),
    Request(usize),
    Answered(usize, usize),
    Subscribe(usize, usize),
    Unsubscribe(usize, usize),
    Bury(usize),
    Purge(usize, usize),
    Answer(usize, usize),
    Forget(usize, usize),
}

/// All rows, as text, and how much components keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) rows: BTreeMap<(ComponentId, RowKey), (String, u64)>,
    pub(crate) usage: BTreeMap<String, (i64, i64)>,
}

/// All that was ever committed: what there was after each commit.
#[derive(Debug)]
pub(crate) struct Model {
    /// The numbers of commits, and what there was after each. The first is on disk.
    pub(crate) history: Vec<(u64, Rows)>,
    ids: u64,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            history: vec![(0, Rows::default())],
            ids: 0,
        }
    }

    pub(crate) fn now(&self) -> &Rows {
        &self.history.last().unwrap().1
    }

    /// What was before is on disk, and cannot be lost.
    pub(crate) fn forget_before(&mut self, seq: u64) {
        let kept = self.history.partition_point(|(at, _)| *at < seq);
        self.history.drain(..kept.min(self.history.len() - 1));
    }

    /// A crash left what there was after one of the commits, which is the truth from now on.
    pub(crate) fn cut_to(&mut self, found: &Rows) -> bool {
        let Some(at) = self.history.iter().rposition(|(_, rows)| rows == found) else {
            return false;
        };
        self.history.truncate(at + 1);
        true
    }

    /// A commit that makes these changes, as far as they can be made.
    pub(crate) fn commit(&mut self, changes: &[Change]) -> Commit {
        let mut commit = Commit::default();
        let (mut named, mut growth, mut sent) = (BTreeSet::new(), Growth::default(), 0);
        let owner = changes.first().map_or(0, |change| change.actor());
        for change in changes {
            let actor = actor(change.actor());
            let Some((key, row)) = self.row(&actor, *change, &mut sent) else {
                continue;
            };
            // Only one component grows by a commit.
            let is_state = matches!(key, RowKey::State(_));
            if is_state && actor.component() != self::actor(owner).component()
                || !named.insert((actor.clone(), key.clone()))
            {
                continue;
            }
            if is_state {
                let before = self.now().rows.get(&(actor.clone(), key.clone()));
                growth.bytes -= before.map_or(0, |(_, bytes)| *bytes as i64);
                growth.keys -= i64::from(before.is_some());
                growth.bytes += row.as_ref().map_or(0, |row| bytes_of(&key, row) as i64);
                growth.keys += i64::from(row.is_some());
            }
            commit.write(&actor, key, row);
        }
        commit.growth = (growth != Growth::default()).then(|| (actor(owner), growth));
        commit
    }

    /// The log has taken a commit and given it this number.
    pub(crate) fn apply(&mut self, seq: u64, commit: Commit) {
        let mut now = self.now().clone();
        for write in commit.rows {
            let key = match write.key {
                RowKey::Message(number) if write.row.is_some() => {
                    RowKey::Message(MessageNumber { seq, ..number })
                }
                key => key,
            };
            let is_message = matches!(key, RowKey::Message(_));
            let name = (write.actor, key);
            let before = match write.row {
                Some(row) => {
                    let said = (format!("{row:?}"), bytes_of(&name.1, &row));
                    now.rows.insert(name, said)
                }
                None => drop_some(now.rows.remove(&name)),
            };
            assert!(!is_message || before.is_none(), "no number is used twice");
        }
        if let Some((actor, growth)) = commit.growth {
            let usage = now.usage.entry(actor.component().to_owned()).or_default();
            usage.0 += growth.bytes;
            usage.1 += growth.keys;
            now.usage.retain(|_, usage| *usage != (0, 0));
        }
        self.history.push((seq, now));
    }

    fn row(
        &mut self,
        actor: &ComponentId,
        change: Change,
        sent: &mut u32,
    ) -> Option<(RowKey, Option<Row>)> {
        self.ids += 1;
        let id = self.ids;
        let existing = |nth: usize, is: fn(&RowKey) -> bool| {
            let rows = self.now().rows.keys();
            let mut keys: Vec<_> = rows.filter(|(of, key)| of == actor && is(key)).collect();
            let nth = nth % keys.len().max(1);
            (!keys.is_empty()).then(|| (keys.swap_remove(nth).1.clone(), None))
        };
        Some(match change {
            Change::Record(_) => {
                let stamp = ActorStamp {
                    turns_below: id,
                    ran_by: None,
                };
                (RowKey::Record, Some(Row::Record(stamp)))
            }
            Change::Set(_, key, bytes) => {
                let value = vec![id as u8; bytes];
                (
                    RowKey::State(format!("k{key}")),
                    Some(Row::Value(value.into())),
                )
            }
            Change::Unset(_, key) => (RowKey::State(format!("k{key}")), None),
            Change::Send(_, bytes) => {
                *sent += 1;
                let row = Row::Message(Box::new(message(actor, bytes)));
                (RowKey::Message(MessageNumber::new(*sent - 1)), Some(row))
            }
            Change::Receive(_, nth) => existing(nth, |key| matches!(key, RowKey::Message(_)))?,
            Change::Timer(_) => {
                let timer = StoredTimer {
                    due_unix_ms: id,
                    message: message(actor, 3),
                };
                (RowKey::Timer(id), Some(Row::Timer(Box::new(timer))))
            }
            Change::Cancel(_, nth) => existing(nth, |key| matches!(key, RowKey::Timer(_)))?,
            Change::Request(_) => {
                let request = StoredRequest {
                    target: actor.clone(),
                    deadline_unix_ms: id,
                };
                (RowKey::Request(id), Some(Row::Request(request)))
            }
            Change::Answered(_, nth) => existing(nth, |key| matches!(key, RowKey::Request(_)))?,
            Change::Subscribe(_, topic) => {
                let key = RowKey::Subscription(format!("t{topic}"));
                (key, Some(Row::Subscription))
            }
            Change::Unsubscribe(_, topic) => (RowKey::Subscription(format!("t{topic}")), None),
            Change::Bury(_) => {
                let dead = DeadLetter {
                    letter: message(actor, 5).letter,
                    trace_parent: None,
                    reason: DeathCause::Ended(Refusal::Stopped),
                    attempts: 1,
                    turn: None,
                    at_ms: id,
                };
                (
                    RowKey::DeadLetter(id),
                    Some(Row::DeadLetter(Arc::new(dead))),
                )
            }
            Change::Purge(_, nth) => existing(nth, |key| matches!(key, RowKey::DeadLetter(_)))?,
            Change::Answer(_, answer) => {
                let key = RowKey::Answer(answer as u64 / 3, format!("i{answer}").into());
                (key, Some(Row::Answer(Box::new(Ok(Some("yes".into()))))))
            }
            Change::Forget(_, nth) => existing(nth, |key| matches!(key, RowKey::Answer(..)))?,
        })
    }
}

impl Change {
    fn actor(self) -> usize {
        match self {
            Self::Record(actor)
            | Self::Set(actor, ..)
            | Self::Unset(actor, _)
            | Self::Send(actor, _)
            | Self::Receive(actor, _)
            | Self::Timer(actor)
            | Self::Cancel(actor, _)
            | Self::Request(actor)
            | Self::Answered(actor, _)
            | Self::Subscribe(actor, _)
            | Self::Unsubscribe(actor, _)
            | Self::Bury(actor)
            | Self::Purge(actor, _)
            | Self::Answer(actor, _)
            | Self::Forget(actor, _) => actor,
        }
    }
}

impl Rows {
    /// All that a log that was just opened says.
    pub(crate) fn of(log: &CommitLog, recovered: Recovered) -> Self {
        let mut found = Self::read(log);
        let mut add = |actor, key: RowKey, row: Row| {
            let bytes = bytes_of(&key, &row);
            found.rows.insert((actor, key), (format!("{row:?}"), bytes));
        };
        for (actor, id, timer) in recovered.timers {
            add(actor, RowKey::Timer(id), Row::Timer(Box::new(timer)));
        }
        for (actor, id, request) in recovered.requests {
            add(actor, RowKey::Request(id), Row::Request(request));
        }
        for (actor, pattern) in recovered.subscriptions {
            add(actor, RowKey::Subscription(pattern), Row::Subscription);
        }
        for (actor, id, dead) in recovered.dead_letters {
            add(actor, RowKey::DeadLetter(id), Row::DeadLetter(dead));
        }
        let mut backlog: BTreeMap<ComponentId, Backlog> = BTreeMap::new();
        for ((actor, key), (_, bytes)) in &found.rows {
            if matches!(key, RowKey::Message(_)) {
                let waits = backlog.entry(actor.clone()).or_default();
                waits.messages += 1;
                waits.bytes += bytes;
            }
        }
        assert_eq!(
            recovered.backlog.into_iter().collect::<BTreeMap<_, _>>(),
            backlog
        );
        found
    }

    /// What can be read of a log at any time: nothing of timers, requests, subscriptions
    /// and dead letters.
    pub(crate) fn read(log: &CommitLog) -> Self {
        let mut found = Self::default();
        for actor in (0..ACTORS).map(actor) {
            let mut add = |key: RowKey, row: Row| {
                let bytes = bytes_of(&key, &row);
                let name = (actor.clone(), key);
                found.rows.insert(name, (format!("{row:?}"), bytes));
            };
            let kept = log.load(&actor).unwrap();
            if let Some(stamp) = kept.stamp {
                add(RowKey::Record, Row::Record(stamp));
            }
            for (key, value) in kept.keys.range(Bound::Unbounded) {
                add(RowKey::State(key.clone()), Row::Value(value.clone()));
            }
            let limit = PageLimit {
                messages: 2,
                bytes: 5,
            };
            let mut after = MessageNumber::ZERO;
            loop {
                let page = log.messages(&actor, after, limit).unwrap();
                assert_eq!(page.as_of, log.appended());
                for (number, message) in page.messages {
                    assert!(number > after, "they are in order");
                    after = number;
                    add(RowKey::Message(number), Row::Message(Box::new(message)));
                }
                if !page.has_more {
                    break;
                }
            }
            for answer in 0..6_u64 {
                let id: Arc<str> = format!("i{answer}").into();
                if let Some(outcome) = log.answer(&actor, [answer / 3, 7], &id).unwrap() {
                    let key = RowKey::Answer(answer / 3, id);
                    add(key, Row::Answer(Box::new(outcome)));
                }
            }
            let usage = log.usage(actor.component());
            if usage != Growth::default() {
                let component = actor.component().to_owned();
                found.usage.insert(component, (usage.bytes, usage.keys));
            }
        }
        found
    }

    /// What of this can be read at any time.
    pub(crate) fn readable(&self) -> Self {
        let mut readable = self.clone();
        readable.rows.retain(|(_, key), _| {
            matches!(
                key,
                RowKey::Record | RowKey::State(_) | RowKey::Message(_) | RowKey::Answer(..)
            )
        });
        readable
    }
}

pub(crate) fn actor(number: usize) -> ComponentId {
    ComponentId::new(
        "shop",
        ["cart", "cart", "till"][number],
        format!("a{number}"),
    )
}

pub(crate) fn message(to: &ComponentId, bytes: usize) -> StoredMessage {
    let message = ComponentMessage::new(actor(0), to.clone(), "add".into(), vec![7; bytes].into());
    StoredMessage {
        letter: Letter::Message(message),
        wants_reply: false,
        trace_parent: None,
        deadline_unix_ms: None,
    }
}

fn bytes_of(key: &RowKey, row: &Row) -> u64 {
    match (key, row) {
        (RowKey::State(key), Row::Value(value)) => (key.len() + value.len()) as u64,
        (_, Row::Message(message)) => message.letter.bytes() as u64,
        _ => 0,
    }
}

fn drop_some<T>(_: Option<T>) -> Option<T> {
    None
}
