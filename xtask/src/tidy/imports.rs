//! The order of imports: standard library, third parties, this crate; each under its heading.

// Layer 1: Standard library imports
use std::collections::HashSet;

// Layer 2: Third-party crate imports
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, UseTree};

// Layer 3: Internal module imports
use super::problem::Problem;
use super::source::{SourceFile, is_test_module};

const RULE: &str = "imports";

/// The heading over each group; a group that is empty goes without.
const HEADINGS: [&str; 3] = [
    "// Layer 1: Standard library imports",
    "// Layer 2: Third-party crate imports",
    "// Layer 3: Internal module imports",
];

/// Reports imports out of their group and glob imports. `mod.rs` and the root have no imports to
/// order, and a test module may import as it likes.
pub(crate) fn check(file: &SourceFile) -> Vec<Problem> {
    let mut problems = globs(file);
    if !file.is_mod_rs() && !file.is_host_root() {
        problems.extend(groups(file));
    }
    problems
}

/// What stands at a line, as far as this rule cares; groups count from 0, as `HEADINGS` does.
enum Mark {
    Heading(usize),
    UnknownHeading,
    Import(usize),
}

fn groups(file: &SourceFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |line: usize, what: String, way_out: &str| {
        problems.push(Problem::new(&file.path, line, RULE, what, way_out));
    };
    let mut open: Option<OpenGroup> = None;
    for (line, mark) in marks(file) {
        match mark {
            Mark::UnknownHeading => report(
                line,
                "this is none of the three headings".to_owned(),
                &format!("the headings are `{}`", HEADINGS.join("`, `")),
            ),
            Mark::Heading(group) => {
                if let Some(empty) = open.filter(|open| open.imports == 0) {
                    report(empty.line, nothing_under(empty.group), LEAVE_OUT);
                }
                if open.is_some_and(|open| open.group >= group) {
                    report(
                        line,
                        format!("`{}` comes too late", HEADINGS[group]),
                        "each heading stands once, in the order standard library, third-party \
                         crates, this crate",
                    );
                }
                open = Some(OpenGroup {
                    group,
                    line,
                    imports: 0,
                });
            }
            Mark::Import(group) => match &mut open {
                Some(open) if open.group == group => open.imports += 1,
                _ => report(
                    line,
                    "this import is not in its group".to_owned(),
                    &format!("move it under the heading `{}`", HEADINGS[group]),
                ),
            },
        }
    }
    if let Some(empty) = open.filter(|open| open.imports == 0) {
        report(empty.line, nothing_under(empty.group), LEAVE_OUT);
    }
    problems
}

/// The group that the lines after its heading belong to.
#[derive(Clone, Copy)]
struct OpenGroup {
    group: usize,
    line: usize,
    imports: usize,
}

const LEAVE_OUT: &str = "leave the heading of an empty group out";

fn nothing_under(group: usize) -> String {
    format!("no import under `{}`", HEADINGS[group])
}

/// The headings and the top-level imports of `file`, by line.
fn marks(file: &SourceFile) -> Vec<(usize, Mark)> {
    let local = names_declared_in(file);
    let imports = file.ast.items.iter().filter_map(|item| match item {
        Item::Use(import) => Some((
            import.use_token.span.start().line,
            Mark::Import(group_of(import, &local)),
        )),
        _ => None,
    });
    let headings = file.text.lines().enumerate().filter_map(|(index, line)| {
        let known = HEADINGS.iter().position(|heading| *heading == line);
        let mark = match known {
            Some(group) => Mark::Heading(group),
            None if line.starts_with("// Layer ") => Mark::UnknownHeading,
            None => return None,
        };
        Some((index + 1, mark))
    });
    let mut marks: Vec<(usize, Mark)> = imports.chain(headings).collect();
    marks.sort_by_key(|(line, _)| *line);
    marks
}

fn group_of(import: &ItemUse, local: &HashSet<String>) -> usize {
    match first_name(&import.tree).as_str() {
        "std" | "core" | "alloc" => 0,
        "crate" | "self" | "super" => 2,
        name if local.contains(name) && import.leading_colon.is_none() => 2,
        _ => 1,
    }
}

/// Modules and enums of the file itself, which a `use` may name without `self::`.
fn names_declared_in(file: &SourceFile) -> HashSet<String> {
    let names = file.ast.items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    });
    names.collect()
}

fn first_name(tree: &UseTree) -> String {
    match tree {
        UseTree::Path(path) => path.ident.to_string(),
        UseTree::Name(name) => name.ident.to_string(),
        UseTree::Rename(rename) => rename.ident.to_string(),
        UseTree::Group(group) => group.items.first().map(first_name).unwrap_or_default(),
        UseTree::Glob(_) => String::new(),
    }
}

fn globs(file: &SourceFile) -> Vec<Problem> {
    let mut globs = Globs {
        file,
        problems: Vec::new(),
    };
    globs.visit_file(&file.ast);
    globs.problems
}

struct Globs<'a> {
    file: &'a SourceFile,
    problems: Vec<Problem>,
}

impl<'ast> Visit<'ast> for Globs<'_> {
    fn visit_use_glob(&mut self, glob: &'ast syn::UseGlob) {
        self.problems.push(Problem::new(
            &self.file.path,
            glob.span().start().line,
            RULE,
            "a glob import",
            "name what you import, so that a reader can find it",
        ));
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

    fn problems_in(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile::parse(path, text).unwrap();
        check(&file).iter().map(ToString::to_string).collect()
    }

    fn problems(text: &str) -> Vec<String> {
        problems_in("src/a.rs", text)
    }

    #[track_caller]
    fn assert_only(text: &str, place_and_what: &str) {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(
            problems[0].starts_with(&format!("src/a.rs:{place_and_what}")),
            "{problems:#?}"
        );
    }

    const ALL_THREE: &str = "\
// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use bytes::Bytes;
use ::serde::Serialize;

// Layer 3: Internal module imports
use crate::core::id::Id;
use super::a;
use State::Open;
enum State { Open }
";

    #[test]
    fn three_groups_under_their_headings_are_in_order() {
        assert_eq!(problems(ALL_THREE), Vec::<String>::new());
        assert_eq!(problems("fn no_imports() {}"), Vec::<String>::new());
    }

    #[test]
    fn an_empty_group_goes_without_a_heading() {
        let text = "// Layer 1: Standard library imports\nuse std::fs;\n\n\
                    // Layer 3: Internal module imports\nuse crate::a::b;\n";
        assert_eq!(problems(text), Vec::<String>::new());

        let empty = "// Layer 1: Standard library imports\n\
                     // Layer 3: Internal module imports\nuse crate::a::b;\n";
        assert_only(empty, "1: imports: no import under `// Layer 1");
        assert_only(
            "// Layer 2: Third-party crate imports\n",
            "1: imports: no import under",
        );
    }

    #[test]
    fn an_import_without_or_under_a_foreign_heading_is_reported() {
        assert_only(
            "use std::fs;\n",
            "1: imports: this import is not in its group",
        );
        let text = "// Layer 1: Standard library imports\nuse std::fs;\nuse bytes::Bytes;\n";
        assert_only(text, "3: imports: this import is not in its group");
        assert!(problems(text)[0].contains("under the heading `// Layer 2: Third-party"));
    }

    #[test]
    fn headings_stand_once_in_order_and_to_the_letter() {
        let text = "// Layer 3: Internal module imports\nuse crate::a::b;\n\
                    // Layer 1: Standard library imports\nuse std::fs;\n";
        assert_only(
            text,
            "3: imports: `// Layer 1: Standard library imports` comes too late",
        );
        let twice = "// Layer 1: Standard library imports\nuse std::fs;\n\
                     // Layer 1: Standard library imports\nuse std::io;\n";
        assert_only(twice, "3: imports: `// Layer 1");
        assert_only(
            "// Layer 2: ours\nfn f() {}\n",
            "1: imports: this is none of the three",
        );
    }

    #[test]
    fn attributes_and_comments_over_an_import_do_not_matter() {
        let text =
            "// Layer 1: Standard library imports\n// Why this one.\n#[cfg(unix)]\nuse std::fs;\n";
        assert_eq!(problems(text), Vec::<String>::new());
    }

    #[test]
    fn globs_are_for_test_modules_only() {
        let text = "// Layer 3: Internal module imports\nuse crate::a::*;\n";
        assert_only(text, "2: imports: a glob import");
        assert_only("fn f() { use crate::a::*; }", "1: imports: a glob import");
        assert_eq!(
            problems("#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"),
            Vec::<String>::new()
        );
        assert_eq!(problems_in("src/a/mod.rs", "pub use b::*;").len(), 1);
    }

    #[test]
    fn mod_rs_and_the_root_need_no_headings() {
        let text = "mod a;\npub use a::A;\n";
        assert_eq!(
            problems_in("airssys-wasm/src/core/mod.rs", text),
            Vec::<String>::new()
        );
        assert_eq!(
            problems_in("airssys-wasm/src/lib.rs", text),
            Vec::<String>::new()
        );
    }
}
