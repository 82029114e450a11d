//! The list of all guests as Rust: `guests/bin/each_guest.rs`.
//!
//! The host's tests include it and bring a module for each name in it, so that a guest
//! without a test is a compile error.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 3: Internal module imports
use super::guest::{BINARIES, Guest};

/// The list's own path.
pub(crate) const PATH: &str = "guests/bin/each_guest.rs";

/// The text of the list.
pub(crate) fn text(guests: &[Guest]) -> String {
    let names = guests.iter().filter_map(|guest| {
        let file = guest.binary.strip_prefix(BINARIES)?.strip_prefix('/')?;
        Some(file.strip_suffix(".wasm")?.replace('-', "_"))
    });
    let lines: String = names.map(|name| format!("    {name},\n")).collect();
    format!("// Written by `cargo xtask guests`.\neach_guest! {{\n{lines}}}\n")
}

/// Whether the list in the repository at `root` names these guests.
pub(crate) fn is_current(root: &Path, guests: &[Guest]) -> bool {
    fs::read_to_string(root.join(PATH)).is_ok_and(|found| found == text(guests))
}
