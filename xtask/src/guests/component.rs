//! From a core module to a component.

// Layer 1: Standard library imports
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

// Layer 3: Internal module imports
use super::guest::{CONTRACT, World};

/// Makes a component for `world` of a core module.
pub(crate) fn encode(root: &Path, mut module: Vec<u8>, world: &World) -> anyhow::Result<Vec<u8>> {
    match world {
        World::None => return Ok(module),
        World::Named => {}
        World::Actor => embed(root, &mut module, None)?,
        World::Own { wit } => embed(root, &mut module, Some(wit))?,
    }
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
}

/// Writes into the module which world it is for: that of the file `wit`, or else the
/// contract's `actor`.
fn embed(root: &Path, module: &mut Vec<u8>, wit: Option<&str>) -> anyhow::Result<()> {
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_path(root.join(CONTRACT))?;
    let world = match wit {
        None => resolve.select_world(&[contract], Some("actor"))?,
        Some(wit) => {
            let package = resolve
                .push_file(root.join(wit))
                .with_context(|| format!("cannot read {wit}"))?;
            resolve.select_world(&[package], None)?
        }
    };
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
}
