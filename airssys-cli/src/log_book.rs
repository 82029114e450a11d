//! What a running system said lately: the lines of guests, its own, and its events.

// Layer 1: Standard library imports
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// Layer 2: Third-party crate imports
use airssys_wasm::core::event::Event;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// The most lines that are kept; the oldest go first.
pub(crate) const MAX_LINES: usize = 4_096;

/// The most bytes of text that the kept lines have together: 4 MiB.
const MAX_BYTES: usize = 4 << 20;

/// How far a follower may fall behind before it misses lines.
const MAX_BEHIND: usize = 1_024;

/// How much a line matters, the most first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something is broken.
    Error,
    /// Something may be.
    Warning,
    /// News.
    Info,
    /// What helps to find a mistake.
    Debug,
    /// Everything else.
    Trace,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaker {
    /// A guest, in its own words.
    Guest,
    /// The host.
    Host,
    /// Something happened.
    Event,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// When, in milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
    pub(crate) level: Severity,
    pub(crate) from: Speaker,
    /// The actor that it is about.
    pub(crate) actor: Option<String>,
    pub(crate) text: String,
    /// The event, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<Event>,
}

/// Which lines somebody wants to see.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// This and what matters more.
    pub(crate) level: Severity,
    /// Of this actor, component or namespace only.
    pub(crate) actor: Option<String>,
}

impl Wanted {
    /// Whether a line is among them.
    pub(crate) fn has(&self, line: &Line) -> bool {
        line.level <= self.level
            && self.actor.as_ref().is_none_or(|wanted| {
                let actor = line.actor.as_deref().unwrap_or_default();
                let rest = actor.strip_prefix(wanted.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

/// The last lines, and whoever follows what comes. Shared by those who write it.
#[derive(Debug)]
pub(crate) struct LogBook {
    pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
    lines: VecDeque<Arc<Line>>,
    bytes: usize,
    /// Gone when the book is closed.
    followers: Option<broadcast::Sender<Arc<Line>>>,
}

/// The lines that come, until the book is closed.
pub(crate) type Following = broadcast::Receiver<Arc<Line>>;

impl LogBook {
    /// An empty book.
    pub(crate) fn new() -> Self {
        Self {
            pages: Mutex::new(Pages {
                lines: VecDeque::new(),
                bytes: 0,
                followers: Some(broadcast::Sender::new(MAX_BEHIND)),
            }),
        }
    }

    /// Writes a line.
    pub(crate) fn write(&self, line: Line) {
        let mut pages = self.pages();
        pages.bytes += line.text.len();
        let line = Arc::new(line);
        pages.lines.push_back(Arc::clone(&line));
        while pages.lines.len() > MAX_LINES || pages.bytes > MAX_BYTES {
            let Some(oldest) = pages.lines.pop_front() else {
                break;
            };
            pages.bytes -= oldest.text.len();
        }
        if let Some(followers) = &pages.followers {
            // Without followers nobody takes it.
            drop(followers.send(line));
        }
    }

    /// The last lines that are wanted, `count` at most, and all that come after them.
    pub(crate) fn last(
        &self,
        count: usize,
        wanted: &Wanted,
    ) -> (Vec<Arc<Line>>, Option<Following>) {
        let pages = self.pages();
        let newest = pages.lines.iter().rev().filter(|line| wanted.has(line));
        let mut lines: Vec<_> = newest.take(count).cloned().collect();
        lines.reverse();
        // Followed under the same lock, so that no line is missed or told twice.
        let following = pages.followers.as_ref().map(broadcast::Sender::subscribe);
        (lines, following)
    }

    /// Ends all following. Lines are still kept.
    pub(crate) fn close(&self) {
        self.pages().followers = None;
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Severity, actor: &str, text: String) -> Line {
        Line {
            at_ms: 0,
            level,
            from: Speaker::Guest,
            actor: Some(actor.to_owned()),
            text,
            event: None,
        }
    }

    fn wanted(level: Severity, actor: Option<&str>) -> Wanted {
        Wanted {
            level,
            actor: actor.map(str::to_owned),
        }
    }

    #[test]
    fn lines_are_wanted_by_level_and_whole_parts() {
        let news = line(Severity::Info, "shop/cart/a", String::new());
        assert!(wanted(Severity::Info, None).has(&news));
        assert!(!wanted(Severity::Warning, None).has(&news));
        for (actor, expected) in [
            ("shop", true),
            ("shop/cart", true),
            ("shop/cart/a", true),
            ("shop/car", false),
            ("shop/cart/a/b", false),
        ] {
            assert_eq!(
                wanted(Severity::Trace, Some(actor)).has(&news),
                expected,
                "{actor}"
            );
        }
    }

    #[test]
    fn neither_lines_nor_bytes_grow_without_end() {
        let book = LogBook::new();
        let all = wanted(Severity::Trace, None);
        for number in 0..MAX_LINES + 5 {
            book.write(line(Severity::Info, "a/b/c", number.to_string()));
        }
        let kept = book.last(usize::MAX, &all).0;
        assert_eq!((kept.len(), kept[0].text.as_str()), (MAX_LINES, "5"));
        for _ in 0..5 {
            book.write(line(Severity::Info, "a/b/c", "x".repeat(MAX_BYTES / 4)));
        }
        let kept = book.last(usize::MAX, &all).0;
        assert_eq!((kept.len(), book.pages().bytes), (4, MAX_BYTES));
        book.write(line(Severity::Info, "a/b/c", "x".repeat(MAX_BYTES + 1)));
        assert_eq!((book.last(9, &all).0.len(), book.pages().bytes), (0, 0));
    }

    #[test]
    fn following_begins_where_the_last_line_was() {
        let book = LogBook::new();
        let all = wanted(Severity::Trace, None);
        book.write(line(Severity::Info, "a/b/c", "1".into()));
        let (lines, following) = book.last(5, &all);
        book.write(line(Severity::Info, "a/b/c", "2".into()));
        let mut following = following.unwrap();
        assert_eq!(
            (lines.len(), following.try_recv().unwrap().text.as_str()),
            (1, "2")
        );
        book.close();
        assert!(matches!(
            following.try_recv(),
            Err(broadcast::error::TryRecvError::Closed)
        ));
        assert!(book.last(5, &all).1.is_none());
    }
}
