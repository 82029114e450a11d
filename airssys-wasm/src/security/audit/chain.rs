//! Following the chain from line to line.

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::security::audit::line::Line;
use crate::security::audit::mark::Mark;

/// Where in the chain one is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    /// The number of the line before.
    seq: u64,
    /// Its hash, if it is known.
    hash: Option<Digest>,
}

impl Chain {
    /// Behind a line that is known.
    pub(crate) fn behind(last: Mark) -> Self {
        Self {
            seq: last.seq,
            hash: Some(last.hash),
        }
    }

    /// Before a line of which nothing but its number is known.
    pub(crate) fn before(seq: u64) -> Self {
        Self {
            seq: seq.saturating_sub(1),
            hash: None,
        }
    }

    /// The last line, if its hash is known.
    pub(crate) fn last(&self) -> Option<Mark> {
        let seq = self.seq;
        self.hash.map(|hash| Mark { seq, hash })
    }

    /// Takes the next line, and says what is wrong with it if anything is.
    pub(crate) fn follow(&mut self, line: &[u8]) -> Result<Mark, String> {
        let Some(line) = Line::parse(line) else {
            return Err("this is no line of an audit log".to_owned());
        };
        let expected = self.seq.saturating_add(1);
        if line.seq != expected {
            return Err(format!(
                "entry {expected} is expected, and entry {} is here",
                line.seq
            ));
        }
        if self.hash.is_some_and(|hash| hash != line.prev) {
            return Err(format!(
                "entry {} does not continue the entry before it",
                line.seq
            ));
        }
        if !line.is_sound() {
            return Err(format!("entry {} was edited", line.seq));
        }
        *self = Self::behind(line.mark());
        Ok(line.mark())
    }
}
