//! The form of an actor's address.

use airssys_guest::TurnError;

/// The longest part of an address, in characters.
const MAX_PART_CHARS: usize = 128;

/// Rejects what is no address. Such a member would have every later broadcast fail.
pub(crate) fn check(address: &str) -> Result<(), TurnError> {
    if address.split('/').count() == 3 && address.split('/').all(is_part) {
        return Ok(());
    }
    Err(TurnError::reject(format_args!(
        "`{address}` is no address: it is to be namespace/name/instance"
    )))
}

fn is_part(part: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    (1..=MAX_PART_CHARS).contains(&part.len())
        && part.chars().all(is_allowed)
        && part != "."
        && part != ".."
}
