//! Building a guest, if its toolchain is there.

// Layer 1: Standard library imports
use std::cell::OnceCell;
use std::path::Path;

// Layer 3: Internal module imports
use super::component;
use super::guest::{Guest, Recipe, World};
use super::rust::Rust;
use super::zig::Zig;

/// What came of building a guest.
pub(crate) enum Built {
    /// Its binary, and the tools that made it.
    Binary { bytes: Vec<u8>, made_by: String },
    /// Nothing, because this is not installed.
    Left { missing: String },
}

/// The toolchains of this machine, each looked for when a guest first needs it.
pub(crate) struct Toolchains<'a> {
    root: &'a Path,
    rust: OnceCell<Result<Rust, String>>,
    zig: OnceCell<Result<Zig, String>>,
}

impl<'a> Toolchains<'a> {
    /// The toolchains for the repository at `root`.
    pub(crate) fn new(root: &'a Path) -> Self {
        Self {
            root,
            rust: OnceCell::new(),
            zig: OnceCell::new(),
        }
    }

    /// Builds `guest`, unless its toolchain is missing.
    pub(crate) fn build(&self, guest: &Guest) -> anyhow::Result<Built> {
        let (module, mut made_by) = match &guest.recipe {
            Recipe::Crate => match self.rust.get_or_init(|| Rust::find(self.root)) {
                Ok(rust) => (rust.build(&guest.name)?, rust.to_string()),
                Err(missing) => return Ok(Built::left(missing)),
            },
            Recipe::C { source } => match self.zig.get_or_init(|| Zig::find(self.root)) {
                Ok(zig) => (zig.build(source)?, zig.to_string()),
                Err(missing) => return Ok(Built::left(missing)),
            },
            Recipe::Text { source } => (wat::parse_file(self.root.join(source))?, "wat".to_owned()),
            Recipe::Empty => (wat::parse_str("(module)")?, "wat".to_owned()),
        };
        if !matches!(guest.world, World::None) {
            made_by += ", wit-component";
        }
        let bytes = component::encode(self.root, module, &guest.world)?;
        Ok(Built::Binary { bytes, made_by })
    }
}

impl Built {
    fn left(missing: &str) -> Self {
        Self::Left {
            missing: missing.to_owned(),
        }
    }
}
