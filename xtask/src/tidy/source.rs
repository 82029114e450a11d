//! A Rust file of this repository: its text, its syntax tree and its place in the crate.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 2: Third-party crate imports
use anyhow::Context as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Item, ItemMod, Meta};

/// A parsed source file.
pub(crate) struct SourceFile {
    /// Relative to the repository's root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) ast: syn::File,
}

impl SourceFile {
    /// Reads and parses `root/path`.
    pub(crate) fn read(root: &Path, path: &str) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"))?;
        Self::parse(path, &text)
    }

    /// Parses `text` as the file that stands at `path`.
    pub(crate) fn parse(path: &str, text: &str) -> anyhow::Result<Self> {
        let ast = syn::parse_file(text).map_err(|error| {
            let line = error.span().start().line;
            anyhow::anyhow!("{path}:{line}: not parseable as Rust: {error}")
        })?;
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            ast,
        })
    }

    pub(crate) fn is_mod_rs(&self) -> bool {
        self.path.ends_with("/mod.rs")
    }

    /// Whether this is the root of the host library.
    pub(crate) fn is_host_root(&self) -> bool {
        self.path == "airssys-wasm/src/lib.rs"
    }

    /// The modules that this file is, from the crate's root: `runtime/engine.rs` is
    /// `["runtime", "engine"]`, `runtime/mod.rs` is `["runtime"]`, `lib.rs` is `[]`.
    pub(crate) fn module_path(&self) -> Vec<String> {
        let inside = self
            .path
            .split_once("src/")
            .map_or(self.path.as_str(), |(_, inside)| inside);
        let mut modules: Vec<String> = inside
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if matches!(
            modules.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            modules.pop();
        }
        modules
    }

    /// How many lines come before the `#[cfg(test)]` module, or stand in the whole file.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let is_tests = |item: &&Item| matches!(item, Item::Mod(module) if is_test_module(module));
        match self.ast.items.iter().find(is_tests) {
            Some(tests) => tests.span().start().line - 1,
            None => self.text.lines().count(),
        }
    }
}

/// Whether `module` is there for tests only.
pub(crate) fn is_test_module(module: &ItemMod) -> bool {
    module.attrs.iter().any(is_cfg_test)
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.path.is_ident("cfg") && list.tokens.to_string() == "test"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module_path(path: &str) -> Vec<String> {
        SourceFile::parse(path, "").unwrap().module_path()
    }

    #[test]
    fn a_file_knows_its_module_path() {
        assert_eq!(
            module_path("airssys-wasm/src/runtime/engine.rs"),
            ["runtime", "engine"]
        );
        assert_eq!(module_path("airssys-wasm/src/runtime/mod.rs"), ["runtime"]);
        assert!(module_path("airssys-wasm/src/lib.rs").is_empty());
    }

    #[test]
    fn lines_are_counted_up_to_the_tests() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert_eq!(
            SourceFile::parse("a.rs", text)
                .unwrap()
                .lines_before_tests(),
            2
        );
        assert_eq!(
            SourceFile::parse("a.rs", "fn a() {}\n")
                .unwrap()
                .lines_before_tests(),
            1
        );
    }

    #[test]
    fn a_syntax_error_is_reported_with_its_place() {
        let error = SourceFile::parse("a.rs", "fn a() {}\nfn {")
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.starts_with("a.rs:2: not parseable as Rust"),
            "{error}"
        );
    }
}
