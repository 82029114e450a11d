//! A line that was said, and the two forms in which it is stored.

use std::fmt::{self, Display, Formatter};
use std::time::SystemTime;

use airssys_guest::{TurnError, json, services};
use serde::{Deserialize, Serialize};

use super::log::Log;

/// The longest text of a line, in bytes. A thousand members get it at once, and a
/// turn may send 16 MiB.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// A line that was said.
#[derive(Deserialize, Serialize)]
pub(crate) struct Line {
    /// The speaker's address.
    pub(crate) from: String,
    /// What was said.
    pub(crate) text: String,
    /// When, in milliseconds since 1970. Zero when that was not kept.
    at_ms: u64,
}

impl Line {
    /// A line that is said now.
    pub(crate) fn now(from: &str, text: &str) -> Result<Self, TurnError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TurnError::reject(format_args!(
                "a line has at most {MAX_TEXT_BYTES} bytes, and this one has {}",
                text.len()
            )));
        }
        if text.contains(['\n', '\r']) {
            return Err(TurnError::reject("the text has more than one line"));
        }
        let since_1970 = services::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            from: from.to_owned(),
            text: text.to_owned(),
            at_ms: since_1970.map_or(0, |time| time.as_millis() as u64),
        })
    }
}

/// As callers see it, whatever the form in which it is stored.
impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.from, self.text)
    }
}

/// A form in which lines are stored.
pub(crate) trait Form {
    /// Where they are stored. The counter is the same for all forms, so that a line
    /// keeps its number when it changes its form.
    const LOG: Log;

    /// What is stored of a line.
    fn encode(line: &Line) -> Result<Vec<u8>, TurnError>;

    /// The line that was stored.
    fn decode(stored: &[u8]) -> Result<Line, TurnError>;
}

const COUNTER: &str = "lines-said";

/// `address: text`, as version 1 stores it.
pub(crate) struct Plain;

impl Form for Plain {
    const LOG: Log = Log {
        prefix: "history/",
        counter: COUNTER,
    };

    fn encode(line: &Line) -> Result<Vec<u8>, TurnError> {
        Ok(line.to_string().into_bytes())
    }

    fn decode(stored: &[u8]) -> Result<Line, TurnError> {
        let stored = String::from_utf8_lossy(stored);
        // No address has a colon, so the first one ends it.
        let (from, text) = stored
            .split_once(": ")
            .ok_or_else(|| TurnError::reject("a stored line is broken: it names no speaker"))?;
        Ok(Line {
            from: from.to_owned(),
            text: text.to_owned(),
            at_ms: 0,
        })
    }
}

/// `{"from", "text", "at_ms"}`, as version 2 stores it.
pub(crate) struct Json;

impl Form for Json {
    const LOG: Log = Log {
        prefix: "line/",
        counter: COUNTER,
    };

    fn encode(line: &Line) -> Result<Vec<u8>, TurnError> {
        Ok(json::encode(line)?)
    }

    fn decode(stored: &[u8]) -> Result<Line, TurnError> {
        serde_json::from_slice(stored)
            .map_err(|error| TurnError::reject(format_args!("a stored line is broken: {error}")))
    }
}
