//! The components that are measured.

// Layer 1: Standard library imports
use std::fs;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

// Layer 3: Internal module imports
use crate::measure::Outcome;

/// Where a committed guest is.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from("../guests/bin")
        .join(name)
        .with_extension("wasm")
}

/// A committed guest.
pub(crate) fn committed(name: &str) -> Outcome<Vec<u8>> {
    let path = path(name);
    fs::read(&path).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// An actor made of a core module in text form.
pub(crate) fn from_text(text: &str) -> Outcome<Vec<u8>> {
    let mut module = wat::parse_str(text)?;
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir("../wit")?;
    let world = resolve.select_world(&[contract], Some("actor"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    let mut encoder = ComponentEncoder::default().module(&module)?;
    Ok(encoder.encode()?)
}

/// The same component under another digest: with a section that says nothing to anyone.
pub(crate) fn renumbered(component: &[u8], number: u32) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    let number = number.to_le_bytes();
    let mut renumbered = component.to_vec();
    // Its length, that of its name, and its name.
    renumbered.extend([CUSTOM, 6, 1, b'n']);
    renumbered.extend(number);
    renumbered
}
