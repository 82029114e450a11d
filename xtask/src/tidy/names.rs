//! Types are imported at the top of the file and called by their short names.

// Layer 2: Third-party crate imports
use syn::visit::{self, Visit};
use syn::{ItemMod, TypePath};

// Layer 3: Internal module imports
use super::problem::Problem;
use super::source::{SourceFile, is_test_module};

/// Reports fully qualified names in type annotations, test modules apart.
pub(crate) fn check(file: &SourceFile) -> Vec<Problem> {
    let mut names = Names {
        file,
        problems: Vec::new(),
    };
    names.visit_file(&file.ast);
    names.problems
}

struct Names<'a> {
    file: &'a SourceFile,
    problems: Vec<Problem>,
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        let segments = &path.path.segments;
        let first = &segments[0].ident;
        if segments.len() > 1 && ["std", "alloc", "crate"].iter().any(|root| first == root) {
            let name = &segments[segments.len() - 1].ident;
            self.problems.push(Problem::new(
                &self.file.path,
                first.span().start().line,
                "names",
                format!("`{name}` is spelled with its whole path"),
                "import it, or the module that it is in, at the top of the file",
            ));
        }
        visit::visit_type_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_test_module(module) {
            visit::visit_item_mod(self, module);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let file = SourceFile::parse("src/a.rs", text).unwrap();
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_path_in_a_type_is_reported() {
        for text in [
            "struct S { path: std::path::PathBuf }",
            "fn f(path: &std::path::Path) {}",
            "fn f() -> Option<std::path::PathBuf> { None }",
            "fn f() { let x: crate::core::id::Id = g(); }",
        ] {
            let problems = problems(text);
            assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
            assert!(problems[0].contains("src/a.rs:1: names:"), "{problems:#?}");
        }
    }

    #[test]
    fn short_names_and_expressions_are_fine() {
        assert!(problems("fn f(p: &Path) -> fmt::Result { std::mem::take(p) }").is_empty());
        assert!(problems("#[cfg(test)] mod tests { fn f(p: &std::path::Path) {} }").is_empty());
    }
}
