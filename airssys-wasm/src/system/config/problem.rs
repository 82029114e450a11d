//! What is wrong with a configuration, and where.

// Layer 1: Standard library imports
use std::fmt;
use std::net::SocketAddr;

// Layer 2: Third-party crate imports
use serde_json::Number;
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::InvalidId;
use crate::core::limits::LimitExceeded;
use crate::security::grants::InvalidGrant;
use crate::security::pattern::InvalidPattern;
use crate::security::signature::expiry::InvalidExpiry;
use crate::security::signature::public_key::InvalidKey;
use crate::system::component_name::InvalidName;

/// The most characters of a foreign text that a message repeats.
const MAX_QUOTED_CHARS: usize = 64;

/// A mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigError {
    /// The way to it from the top.
    pub path: Vec<Step>,
    /// Which side of the last step is wrong.
    pub part: Part,
    /// What is wrong.
    pub problem: Problem,
}

impl ConfigError {
    /// The same mistake, seen from further up.
    pub(crate) fn under(mut self, above: impl IntoIterator<Item = Step>) -> Self {
        self.path.splice(0..0, above);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.path.iter().enumerate() {
            match step {
                Step::Key(key) if index > 0 => write!(f, ".{}", shown(key))?,
                Step::Key(key) => write!(f, "{}", shown(key))?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        if !self.path.is_empty() {
            f.write_str(": ")?;
        }
        self.problem.fmt(f)
    }
}

/// One step into a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, counted from 0.
    Item(usize),
}

/// What a mistake is about: the last key of its path, or the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key itself.
    Key,
    /// What stands at it.
    Value,
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing has this key.
    #[error("unknown key `{}`{}", shown(key), hint(key, known))]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that may stand there.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// The value is of another kind.
    #[error("`{}` must be {expected}, not {found}", shown(key))]
    WrongType {
        /// The value's key.
        key: String,
        /// What belongs there, in words.
        expected: String,
        /// What stands there, in words.
        found: &'static str,
    },
    /// The number is too small or too large.
    #[error("`{key}` must be {}, not {found}", range(minimum, maximum))]
    OutOfRange {
        /// The number's key.
        key: String,
        /// The smallest that is allowed.
        minimum: Option<Number>,
        /// The largest that is allowed.
        maximum: Option<Number>,
        /// What stands there.
        found: Number,
    },
    /// The list is too long.
    #[error("`{key}` has {found} entries, and may have at most {maximum}")]
    TooMany {
        /// The list's key.
        key: String,
        /// How many entries it may have.
        maximum: u64,
        /// How many it has.
        found: usize,
    },
    /// The word is none of those that are known.
    #[error("unknown {key} `{}`{}", shown(found), hint(found, allowed))]
    NotOneOf {
        /// The word's key.
        key: String,
        /// The words that are known.
        allowed: Vec<String>,
        /// What stands there.
        found: String,
    },
    /// The name of a system or a group breaks its rules.
    #[error("a name here is made of 1 to 64 of a-z 0-9 - _")]
    PlainName,
    /// The name of a component breaks its rules.
    #[error(transparent)]
    ComponentName(#[from] InvalidName),
    /// The name of an instance breaks the rules of an address.
    #[error(transparent)]
    Instance(#[from] InvalidId),
    /// Two have the same name.
    #[error("there is already a {what} `{name}`")]
    Duplicate {
        /// A component or a group.
        what: &'static str,
        /// The name that both have.
        name: String,
    },
    /// The path of the binary is empty or no path.
    #[error("`source` must be the path of a file")]
    Source,
    /// The path of the signature is empty or no path.
    #[error("`signature` must be the path of a file")]
    SignatureFile,
    /// A key is none.
    #[error(transparent)]
    Key(InvalidKey),
    /// Two keys are the same. Carries the name of the first.
    #[error("this is the key `{0}` once more; a key has one name")]
    SameKey(String),
    /// The end of a key's time is no moment.
    #[error(transparent)]
    Expiry(InvalidExpiry),
    /// Nothing could be started.
    #[error(
        "no key is trusted, so that nothing could be signed by one: make one with \
         `airssys keygen`, and add it to [[security.keys]]"
    )]
    NoKeys,
    /// A signature is named that nobody would look at.
    #[error(
        "`signature` cannot be checked, since no key is trusted: add the signer's to \
         [[security.keys]]"
    )]
    NobodyTrusted,
    /// A pattern is none of its capability.
    #[error(transparent)]
    Pattern(InvalidPattern),
    /// A capability has too many patterns.
    #[error(transparent)]
    Grant(InvalidGrant),
    /// It is not clear where a secret comes from.
    #[error(
        "a secret comes from one place: {{ env = \"API_KEY\" }} or {{ file = \"api-key.txt\" }}"
    )]
    SecretSource,
    /// An environment variable cannot be called so, or have that value.
    #[error(
        "the name of a variable is not empty and has no `=`, and neither it nor its value a NUL"
    )]
    Variable,
    /// A guest cannot see a folder at that path.
    #[error(transparent)]
    Folder(InvalidPattern),
    /// The path of a folder is empty or no path.
    #[error("this must be the path of a folder")]
    FolderPath,
    /// The path of the data folder is empty or no path.
    #[error("`data` must be the path of a folder")]
    Data,
    /// Nothing can be kept where there is no data folder.
    #[error("`{0}` needs a data folder: name one under [system], such as data = \"data\"")]
    NoDataFolder(&'static str),
    /// Everybody could reach that address.
    #[error(
        "{0} can be reached from other machines; `listen` must be a loopback address such as 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// The first pause is longer than the longest.
    #[error("`first_ms` ({first_ms}) must not be more than `max_ms` ({max_ms})")]
    PausesReversed {
        /// The first pause, in milliseconds.
        first_ms: u64,
        /// The longest pause, in milliseconds.
        max_ms: u64,
    },
    /// A component asks for more than the operator allows.
    #[error(
        "`{}` may be at most {} here, as [system.ceiling] says, not {}",
        _0.limit, _0.allowed, _0.observed
    )]
    AboveCeiling(LimitExceeded),
    /// More actors are to run always than may be live.
    #[error("`run` names {always} actors, and `live_actors` allows {allowed}")]
    TooManyRun {
        /// How many are to run always.
        always: usize,
        /// How many may be live.
        allowed: u64,
    },
    /// A group has nobody to watch over.
    #[error("a group needs at least one member")]
    NoMembers,
    /// A member is no component, actor or group of this system.
    #[error("there is no {what} `{}`{}", shown(name), hint(name, known))]
    UnknownMember {
        /// A component or a group.
        what: &'static str,
        /// Its name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A member has two supervisors.
    #[error("`{member}` is already a member of the group `{group}`")]
    MemberTwice {
        /// The member.
        member: String,
        /// The first group that has it.
        group: String,
    },
    /// A group has itself as a member, at once or through other groups.
    #[error("the group `{0}` is a member of itself")]
    GroupInItself(String),
}

/// A foreign text as a message may repeat it: short, and with nothing in it that
/// moves a terminal's cursor.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(MAX_QUOTED_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MAX_QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The nearest of `known`, or a list of them.
fn hint(wrong: &str, known: &[String]) -> String {
    const MAX_LISTED: usize = 32;
    if let Some(nearest) = nearest(wrong, known) {
        return format!("; did you mean `{nearest}`?");
    }
    if known.is_empty() {
        return "; none is known here".into();
    }
    let listed: Vec<String> = known
        .iter()
        .take(MAX_LISTED)
        .map(|known| format!("`{known}`"))
        .collect();
    let more = if known.len() > MAX_LISTED {
        ", …"
    } else {
        ""
    };
    format!("; known here: {}{more}", listed.join(", "))
}

/// The one of `known` that a typing mistake turns into `wrong`: a third of its
/// characters may differ.
fn nearest<'a>(wrong: &str, known: &'a [String]) -> Option<&'a String> {
    if wrong.len() > 4 * MAX_QUOTED_CHARS {
        return None;
    }
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(wrong, known), known))
        .filter(|(distance, known)| *distance <= (known.chars().count() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

fn range(minimum: &Option<Number>, maximum: &Option<Number>) -> String {
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!("from {minimum} to {maximum}"),
        (Some(minimum), None) => format!("at least {minimum}"),
        (None, Some(maximum)) => format!("at most {maximum}"),
        (None, None) => "another number".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_lists_all() {
        let known = ["mailbox", "idle_ms", "run"].map(str::to_owned);
        assert_eq!(hint("mailbx", &known), "; did you mean `mailbox`?");
        assert_eq!(hint("rnu", &known), "; did you mean `run`?");
        assert_eq!(
            hint("zzz", &known),
            "; known here: `mailbox`, `idle_ms`, `run`"
        );
        assert_eq!(hint("zzz", &[]), "; none is known here");
    }

    #[test]
    fn foreign_text_is_cut_and_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(shown(&"x".repeat(64)), "x".repeat(64));
        assert_eq!(shown(&"x".repeat(65)), format!("{}…", "x".repeat(64)));
        assert_eq!(nearest(&"x".repeat(1 << 20), &["x".to_owned()]), None);
    }

    #[test]
    fn an_error_says_the_way_to_it() {
        let error = ConfigError {
            path: vec![
                Step::Key("components".into()),
                Step::Item(2),
                Step::Key("retry".into()),
            ],
            part: Part::Value,
            problem: Problem::PausesReversed {
                first_ms: 2,
                max_ms: 1,
            },
        };
        assert_eq!(
            error.to_string(),
            "components[2].retry: `first_ms` (2) must not be more than `max_ms` (1)"
        );
    }
}
