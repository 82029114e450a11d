//! The lines that a room keeps, in the form that its version chooses.

use airssys_guest::TurnError;

use super::line::{Form, Line};

/// Keeps a line, and returns its number.
pub(crate) fn keep<F: Form>(line: &Line) -> Result<u64, TurnError> {
    F::LOG.push(F::encode(line)?)
}

/// The lines that are kept, oldest first.
pub(crate) fn lines<F: Form>() -> Result<Vec<Line>, TurnError> {
    let entries = F::LOG.entries()?;
    entries
        .iter()
        .map(|(_, stored)| F::decode(stored))
        .collect()
}

/// Takes every line out of one form and into another. Its number stays.
pub(crate) fn convert<From: Form, To: Form>() -> Result<(), TurnError> {
    for (number, stored) in From::LOG.entries()? {
        To::LOG.set(number, To::encode(&From::decode(&stored)?)?)?;
        From::LOG.remove(number)?;
    }
    Ok(())
}
