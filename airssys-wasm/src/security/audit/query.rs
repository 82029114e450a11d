//! Finding entries.

// Layer 1: Standard library imports
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::security::audit::{Action, AuditEntry, Decision};
use crate::security::audit::backwards::Backwards;
use crate::security::audit::error::AuditError;
use crate::security::audit::folder::{Folder, name_of};
use crate::security::audit::line::Line;

/// The most entries that one query finds.
pub const MAX_FOUND: usize = 10_000;

/// Which entries are wanted. What is `None` does not matter.
///
/// ```
/// use airssys_wasm::core::security::audit::Decision;
/// use airssys_wasm::security::audit::query::AuditQuery;
///
/// let denials = AuditQuery {
///     component: Some("shop/cart".into()),
///     decision: Some(Decision::Denied),
///     ..AuditQuery::default()
/// };
/// assert_eq!(denials.limit, 100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// About this component, `namespace/name`, or all of this namespace.
    pub component: Option<String>,
    /// About this actor.
    pub actor: Option<String>,
    /// What was done, or wanted.
    pub action: Option<Action>,
    /// Whether it was allowed.
    pub decision: Option<Decision>,
    /// Not before this time, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Before this time, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// At most so many, and no more than [`MAX_FOUND`]; the newest. Default 100.
    pub limit: usize,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            component: None,
            actor: None,
            action: None,
            decision: None,
            since_ms: None,
            until_ms: None,
            limit: 100,
        }
    }
}

/// An entry and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its number in the log. Of one that waits for a disk that fails, it is the one that it
    /// would get now.
    pub seq: u64,
    /// What it says.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// What a query has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFound {
    /// The entries, the newest first.
    pub records: Vec<AuditRecord>,
    /// Lines that make no sense: of another release, or edited. `airssys audit verify` tells.
    pub unreadable: u64,
}

impl AuditQuery {
    /// Whether an entry is one of those that are wanted.
    pub fn wants(&self, entry: &AuditEntry) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        let component = self.component.as_deref();
        component.is_none_or(|wanted| is_about(&entry.component, wanted))
            && (self.actor.is_none() || self.actor == entry.actor)
            && fits(self.action.as_ref(), &entry.action)
            && fits(self.decision.as_ref(), &entry.decision)
            && self.since_ms.is_none_or(|since| entry.at_ms >= since)
            && self.until_ms.is_none_or(|until| entry.at_ms < until)
    }
}

/// Whether a component is the wanted one, or in the wanted namespace.
fn is_about(component: &str, wanted: &str) -> bool {
    let rest = component.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && !wanted.is_empty()))
}

impl AuditFound {
    /// Takes an entry if it is wanted. Says whether there is room for more.
    pub(crate) fn take(&mut self, query: &AuditQuery, seq: u64, entry: &AuditEntry) -> bool {
        let limit = query.limit.min(MAX_FOUND);
        if self.records.len() < limit && query.wants(entry) {
            let entry = entry.clone();
            self.records.push(AuditRecord { seq, entry });
        }
        self.records.len() < limit
    }
}

/// Finds entries in the folder of a log, whether a system writes to it or not. It reads
/// backwards from the end until there are enough, at worst all files, which takes a second
/// or so for each 100 MB. That nothing was edited is for
/// [`verify`](crate::security::audit::verification::verify) to tell.
///
/// # Errors
///
/// When there is no log, or it cannot be read.
pub fn find(folder: &Path, query: &AuditQuery) -> Result<AuditFound, AuditError> {
    find_up_to(folder, query, u64::MAX, AuditFound::default())
}

/// The same for entries up to this one, behind what was found already.
pub(crate) fn find_up_to(
    path: &Path,
    query: &AuditQuery,
    last_seq: u64,
    mut found: AuditFound,
) -> Result<AuditFound, AuditError> {
    let folder = Folder::at(path);
    let files = match folder.files() {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(AuditError::NoLog { path: path.into() });
        }
        Err(source) => return Err(AuditError::io(path, source)),
    };
    // One that cannot be read is no reason not to read the entries.
    let head = folder.head().ok().flatten();
    if files.is_empty() && head.is_none() {
        return Err(AuditError::NoLog { path: path.into() });
    }
    let kept_from = head.map_or(0, |head| head.first_seq());
    for first_seq in files.into_iter().rev().filter(|it| *it >= kept_from) {
        let path = folder.file(&name_of(first_seq));
        let file = match File::open(&path) {
            Ok(file) => file,
            // It was the oldest, and has gone meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(AuditError::Io { path, source }),
        };
        let lines = Backwards::new(file);
        let has_room = lines.and_then(|lines| find_in(lines, query, last_seq, &mut found));
        if !has_room.map_err(|source| AuditError::Io { path, source })? {
            break;
        }
    }
    Ok(found)
}

/// Says whether there is room for more.
fn find_in(
    mut lines: Backwards,
    query: &AuditQuery,
    last_seq: u64,
    found: &mut AuditFound,
) -> io::Result<bool> {
    while let Some(text) = lines.next()? {
        let read = Line::parse(&text).and_then(|line| Some((line.seq, line.entry()?)));
        let Some((seq, entry)) = read else {
            found.unreadable += 1;
            continue;
        };
        if seq <= last_seq && !found.take(query, seq, &entry) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capability::Capability;

    #[test]
    fn entries_are_chosen_by_what_they_say() {
        let entry = AuditEntry {
            component: "shop/cart".into(),
            actor: Some("shop/cart/alice".into()),
            ..AuditEntry::new(100, Action::Use(Capability::Send), Decision::Denied)
        };
        let none = AuditQuery::default;
        let wanted = |query: AuditQuery| query.wants(&entry);
        assert!(wanted(none()));
        for (component, expected) in [
            ("shop/cart", true),
            ("shop", true),
            ("shop/car", false),
            ("sho", false),
            ("", false),
            ("shop/cart/alice", false),
        ] {
            let component = Some(component.to_owned());
            let query = AuditQuery {
                component,
                ..none()
            };
            assert_eq!(query.wants(&entry), expected, "{query:?}");
        }
        let actor = |actor: &str| AuditQuery {
            actor: Some(actor.to_owned()),
            ..none()
        };
        assert!(wanted(actor("shop/cart/alice")) && !wanted(actor("shop/cart")));
        let between = |since_ms, until_ms| AuditQuery {
            since_ms: Some(since_ms),
            until_ms: Some(until_ms),
            ..none()
        };
        assert!(wanted(between(100, 101)));
        assert!(!wanted(between(101, 200)) && !wanted(between(0, 100)));
        let action = Some(Action::Use(Capability::Call));
        assert!(!wanted(AuditQuery { action, ..none() }));
        let decision = Some(Decision::Allowed);
        assert!(!wanted(AuditQuery { decision, ..none() }));
    }
}
