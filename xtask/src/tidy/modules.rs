//! A folder's `mod.rs`, and the host library's root, declare modules and do nothing else.

// Layer 2: Third-party crate imports
use syn::spanned::Spanned as _;
use syn::{Item, UseTree};

// Layer 3: Internal module imports
use super::problem::Problem;
use super::source::SourceFile;

/// The re-exports that stay: the file and the one name that it may pass on.
const RE_EXPORTS: &[(&str, &str)] = &[("airssys-wasm/src/core/component/mod.rs", "MessagePayload")];

/// Reports every item of a `mod.rs` or of the root that is not a `mod name;`.
pub(crate) fn check(file: &SourceFile) -> Vec<Problem> {
    if !file.is_mod_rs() && !file.is_host_root() {
        return Vec::new();
    }
    let stray = file
        .ast
        .items
        .iter()
        .filter(|item| !is_declaration(item, &file.path));
    let problems = stray.map(|item| {
        Problem::new(
            &file.path,
            item.span().start().line,
            "modules",
            "only `mod name;` may stand here",
            "put the item into a file named after it, and let users import it from there",
        )
    });
    problems.collect()
}

fn is_declaration(item: &Item, path: &str) -> bool {
    match item {
        Item::Mod(module) => module.content.is_none(),
        Item::Use(import) => RE_EXPORTS.iter().any(|(file, name)| {
            path == *file && imported_name(&import.tree).as_deref() == Some(name)
        }),
        _ => false,
    }
}

/// The name at the end of a `use` of exactly one.
fn imported_name(tree: &UseTree) -> Option<String> {
    match tree {
        UseTree::Path(path) => imported_name(&path.tree),
        UseTree::Name(name) => Some(name.ident.to_string()),
        UseTree::Rename(_) | UseTree::Glob(_) | UseTree::Group(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile::parse(path, text).unwrap();
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn declarations_with_docs_and_attributes_may_stand() {
        let text =
            "//! Docs.\n#![warn(x)]\n/// A.\npub mod a;\n#[cfg(unix)]\npub(crate) mod b;\nmod c;\n";
        assert!(lines("airssys-wasm/src/core/mod.rs", text).is_empty());
        assert!(lines("airssys-wasm/src/lib.rs", text).is_empty());
    }

    #[test]
    fn anything_else_is_reported_where_it_stands() {
        for item in [
            "pub use a::A;",
            "fn f() {}",
            "mod a { }",
            "const A: u8 = 1;",
            "m!();",
        ] {
            let problems = lines("airssys-wasm/src/core/mod.rs", &format!("mod a;\n{item}\n"));
            assert_eq!(problems.len(), 1, "{item}: {problems:#?}");
            assert!(
                problems[0].starts_with("airssys-wasm/src/core/mod.rs:2: modules:"),
                "{problems:#?}"
            );
        }
        assert!(lines("airssys-wasm/src/core/clock.rs", "fn f() {}").is_empty());
    }

    #[test]
    fn the_one_re_export_is_that_name_in_that_file() {
        let file = "airssys-wasm/src/core/component/mod.rs";
        assert!(lines(file, "pub use message::MessagePayload;").is_empty());
        assert!(lines(file, "pub use self::message::MessagePayload;").is_empty());
        assert_eq!(
            lines(file, "pub use message::{MessagePayload, Other};").len(),
            1
        );
        assert_eq!(lines(file, "pub use message::*;").len(), 1);
        assert_eq!(
            lines("airssys-wasm/src/core/mod.rs", "pub use a::MessagePayload;").len(),
            1
        );
    }
}
