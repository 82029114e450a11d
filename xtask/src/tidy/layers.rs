//! The layers of `airssys-wasm`, and which of them may name which other.
//!
//! Every path of a file counts: in a `use`, in an expression or a type, in an attribute and inside
//! the arguments of a macro; `super::super::system` counts as much as `crate::system`.

// Layer 2: Third-party crate imports
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Ident, ItemMod, ItemUse, Macro, MetaList, UseTree};

// Layer 3: Internal module imports
use super::problem::Problem;
use super::source::SourceFile;

const RULE: &str = "layers";

struct Layer {
    name: &'static str,
    /// The other layers that it may name.
    may_use: &'static [&'static str],
}

/// The whole architecture: a layer that stands here may name itself and `may_use`.
const LAYERS: &[Layer] = &[
    Layer {
        name: "core",
        may_use: &[],
    },
    Layer {
        name: "security",
        may_use: &["core"],
    },
    Layer {
        name: "storage",
        may_use: &["core"],
    },
    Layer {
        name: "runtime",
        may_use: &["core", "security"],
    },
    Layer {
        name: "component",
        may_use: &["core"],
    },
    Layer {
        name: "messaging",
        may_use: &["core"],
    },
    Layer {
        name: "system",
        may_use: &[
            "core",
            "security",
            "storage",
            "runtime",
            "component",
            "messaging",
        ],
    },
];

/// A third-party crate (and its companions, `name_…`) that some layers must not know.
struct ReservedCrate {
    name: &'static str,
    is_for: fn(layer: &str) -> bool,
    way_out: &'static str,
}

const RESERVED_CRATES: &[ReservedCrate] = &[
    ReservedCrate {
        name: "wasmtime",
        is_for: |layer| layer == "runtime",
        way_out: "only `runtime` knows wasmtime: put a type or a trait of ours into `core` and \
                  implement it in `runtime`",
    },
    ReservedCrate {
        name: "tokio",
        is_for: |layer| layer != "core",
        way_out: "`core` is types and traits and knows no executor: return `impl Future` and \
                  leave the choice to the layers above",
    },
];

/// Reports every path of `file`, a file of `airssys-wasm/src`, that the tables above do not allow.
pub(crate) fn check(file: &SourceFile) -> Vec<Problem> {
    let module = file.module_path();
    let Some(name) = module.first() else {
        return Vec::new();
    };
    let Some(layer) = find(name) else {
        return vec![Problem::new(
            &file.path,
            1,
            RULE,
            format!("`{name}` is not a layer of airssys-wasm"),
            "move the file into a layer, or give the layer a line in xtask/src/tidy/layers.rs",
        )];
    };
    let mut paths = Paths {
        file,
        layer,
        module: module.clone(),
        problems: Vec::new(),
    };
    paths.visit_file(&file.ast);
    paths.problems
}

fn find(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.name == name)
}

/// Walks the syntax tree and judges each path.
struct Paths<'a> {
    file: &'a SourceFile,
    layer: &'static Layer,
    /// Where the walk is: the file's module and the inline modules around the current item.
    module: Vec<String>,
    problems: Vec<Problem>,
}

/// A path as written: `::a::b::c` or `a::b::c`.
struct WrittenPath<'a> {
    from_extern: bool,
    segments: Vec<&'a Ident>,
}

impl Paths<'_> {
    fn judge(&mut self, path: &WrittenPath<'_>) {
        let Some(first) = path.segments.first() else {
            return;
        };
        let line = first.span().start().line;
        let names: Vec<String> = path.segments.iter().map(ToString::to_string).collect();
        if path.from_extern || !matches!(names[0].as_str(), "crate" | "self" | "super") {
            self.judge_crate(line, path.from_extern, &names);
        } else {
            self.judge_edge(line, &names);
        }
    }

    fn judge_edge(&mut self, line: usize, names: &[String]) {
        let absolute = resolve(&self.module, names);
        let Some(target) = absolute.first() else {
            return;
        };
        if target == self.layer.name || self.layer.may_use.contains(&target.as_str()) {
            return;
        }
        let from = self.layer.name;
        if find(target).is_none() {
            self.report(
                line,
                format!("`crate::{target}` is not a layer"),
                "name the layer that it lives in: the crate's root holds nothing but layers",
            );
            return;
        }
        let allowed = match self.layer.may_use {
            [] => "nothing but itself".to_owned(),
            others => format!("itself and {}", others.join(", ")),
        };
        self.report(
            line,
            format!("`{from}` must not use `crate::{}`", absolute.join("::")),
            &format!(
                "`{from}` may use {allowed}: move the shared type or trait down into `core`, or \
                 connect the two in `system`"
            ),
        );
    }

    fn judge_crate(&mut self, line: usize, from_extern: bool, names: &[String]) {
        let name = names[0].as_str();
        if name == "core" && !from_extern {
            self.report(
                line,
                "`core::` could mean the language's or ours".to_owned(),
                "write `std::` or `::core::` for the language's, `crate::core::` for ours",
            );
            return;
        }
        let layer = self.layer.name;
        let reserved = RESERVED_CRATES
            .iter()
            .find(|reserved| reserved.covers(name));
        if let Some(reserved) = reserved.filter(|reserved| !(reserved.is_for)(layer)) {
            self.report(
                line,
                format!("`{layer}` must not name `{name}`"),
                reserved.way_out,
            );
        }
    }

    fn report(&mut self, line: usize, what: String, way_out: &str) {
        self.problems
            .push(Problem::new(&self.file.path, line, RULE, what, way_out));
    }

    /// Judges the paths in tokens that no parser of ours understands: a macro's arguments.
    fn judge_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some(token) = rest.first() {
            let (path, after) = leading_path(rest);
            if path.segments.len() > 1 {
                self.judge(&path);
            }
            if let TokenTree::Group(group) = token {
                self.judge_tokens(group.stream());
            }
            rest = after;
        }
    }
}

impl ReservedCrate {
    fn covers(&self, name: &str) -> bool {
        let companion = name.strip_prefix(self.name);
        companion.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let from_extern = item.leading_colon.is_some();
        for segments in leaves(&item.tree) {
            self.judge(&WrittenPath {
                from_extern,
                segments,
            });
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is a local one: what it means was said by a `use`.
        if path.segments.len() > 1 {
            self.judge(&WrittenPath {
                from_extern: path.leading_colon.is_some(),
                segments: path.segments.iter().map(|segment| &segment.ident).collect(),
            });
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.judge_tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.judge_tokens(list.tokens.clone());
        visit::visit_meta_list(self, list);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }
}

/// Every path that a `use` tree imports: `a::{b, c::*}` gives `a::b` and `a::c`.
fn leaves(tree: &UseTree) -> Vec<Vec<&Ident>> {
    match tree {
        UseTree::Path(path) => {
            let mut below = leaves(&path.tree);
            for leaf in &mut below {
                leaf.insert(0, &path.ident);
            }
            below
        }
        UseTree::Name(name) => vec![vec![&name.ident]],
        UseTree::Rename(rename) => vec![vec![&rename.ident]],
        UseTree::Glob(_) => vec![Vec::new()],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

/// The path inside this crate that `names`, starting with `crate`, `self` or `super`, means in
/// `module`.
fn resolve(module: &[String], names: &[String]) -> Vec<String> {
    let mut absolute = if names[0] == "crate" {
        Vec::new()
    } else {
        module.to_vec()
    };
    for name in names {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => {
                absolute.pop();
            }
            name => absolute.push(name.to_owned()),
        }
    }
    absolute
}

/// Splits the path that `tokens` start with from what follows it; consumes at least one token.
fn leading_path(tokens: &[TokenTree]) -> (WrittenPath<'_>, &[TokenTree]) {
    let (from_extern, mut rest) = match strip_colons(tokens) {
        Some(after) => (true, after),
        None => (false, tokens),
    };
    let mut segments = Vec::new();
    while let Some((TokenTree::Ident(ident), after)) = rest.split_first() {
        segments.push(ident);
        rest = after;
        match strip_colons(after) {
            Some(after @ [TokenTree::Ident(_), ..]) => rest = after,
            _ => break,
        }
    }
    if rest.len() == tokens.len() {
        rest = &tokens[1..];
    }
    (
        WrittenPath {
            from_extern,
            segments,
        },
        rest,
    )
}

fn strip_colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), rest @ ..]
            if first.as_char() == ':' && second.as_char() == ':' =>
        {
            Some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile::parse(&format!("airssys-wasm/src/{path}"), text).unwrap();
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn assert_refused(path: &str, text: &str, what: &str) {
        let problems = problems(path, text);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].contains(what), "{problems:#?}");
    }

    #[track_caller]
    fn assert_allowed(path: &str, text: &str) {
        assert_eq!(problems(path, text), Vec::<String>::new());
    }

    #[test]
    fn the_table_is_the_architecture() {
        let edges: &[(&str, &[&str])] = &[
            ("core", &[]),
            ("security", &["core"]),
            ("storage", &["core"]),
            ("runtime", &["core", "security"]),
            ("component", &["core"]),
            ("messaging", &["core"]),
        ];
        for (from, allowed) in edges {
            for layer in LAYERS {
                let file = format!("{from}/file.rs");
                let text = format!("use crate::{}::thing::Thing;", layer.name);
                let expected = *from == layer.name || allowed.contains(&layer.name);
                assert_eq!(
                    problems(&file, &text).is_empty(),
                    expected,
                    "{from} -> {}",
                    layer.name
                );
            }
        }
        for layer in LAYERS {
            assert_allowed(
                "system/boot.rs",
                &format!("use crate::{}::thing;", layer.name),
            );
        }
    }

    #[test]
    fn a_problem_names_the_place_the_rule_and_the_way_out() {
        let problems = problems("runtime/engine.rs", "\nuse crate::system::boot::Node;\n");
        assert_eq!(
            problems,
            [
                "airssys-wasm/src/runtime/engine.rs:2: layers: `runtime` must not use \
              `crate::system::boot::Node`\n    `runtime` may use itself and core, security: move \
              the shared type or trait down into `core`, or connect the two in `system`"
            ]
        );
    }

    #[test]
    fn an_edge_is_found_wherever_a_path_can_stand() {
        let refused = "must not use `crate::system";
        for text in [
            "use crate::{core::id::Id, system::boot};",
            "use crate::system::*;",
            "use crate::system as other;",
            "fn f() { crate::system::boot(); }",
            "fn f(x: crate::system::Node) {}",
            "fn f() { assert!(matches!(x, Some(crate::system::Node { .. }))); }",
            "#[derive(crate::system::Derive)] struct S;",
            "#[cfg(test)] mod tests { use crate::system::boot; }",
            "type T = Vec<Option<crate::system::Node>>;",
            "pub use crate::system::boot::Node;",
        ] {
            assert_refused("runtime/engine.rs", text, refused);
        }
    }

    #[test]
    fn climbing_out_by_super_is_an_edge_too() {
        let refused = "must not use `crate::system::boot";
        assert_refused(
            "runtime/engine.rs",
            "use super::super::system::boot;",
            refused,
        );
        assert_refused(
            "runtime/host_fn/rpc.rs",
            "use super::super::super::system::boot;",
            refused,
        );
        assert_refused("runtime/mod.rs", "use super::system::boot;", refused);
        assert_refused(
            "runtime/engine.rs",
            "mod a { use super::super::super::system::boot; }",
            refused,
        );
        assert_allowed(
            "runtime/engine.rs",
            "use super::loader::Loader; mod a { use super::S; }",
        );
        assert_allowed(
            "runtime/engine.rs",
            "pub(crate) fn f() {} pub(super) fn g() {}",
        );
    }

    #[test]
    fn the_roots_own_names_are_not_layers() {
        assert_refused(
            "runtime/engine.rs",
            "use crate::helpers::f;",
            "`crate::helpers` is not a layer",
        );
        assert_refused(
            "helpers/f.rs",
            "fn f() {}",
            "`helpers` is not a layer of airssys-wasm",
        );
        assert_allowed("lib.rs", "pub mod core;");
    }

    #[test]
    fn only_the_runtime_knows_wasmtime() {
        for text in [
            "use wasmtime::Engine;",
            "use ::wasmtime::Engine;",
            "use wasmtime;",
            "use wasmtime_wasi::p2::WasiCtx;",
            "fn f() -> wasmtime::Result<()> { Ok(()) }",
            "wasmtime::component::bindgen!();",
            "fn f() { call!(wasmtime::Engine::default()); }",
        ] {
            assert_allowed("runtime/engine.rs", text);
            assert_refused(
                "component/turn.rs",
                text,
                "`component` must not name `wasmtime",
            );
        }
    }

    #[test]
    fn core_knows_no_executor() {
        assert_refused(
            "core/clock.rs",
            "use tokio::time::Instant;",
            "`core` must not name `tokio`",
        );
        assert_refused(
            "core/clock.rs",
            "#[tokio::test] async fn f() {}",
            "must not name `tokio`",
        );
        assert_allowed("component/mailbox.rs", "use tokio::sync::mpsc;");
        assert_allowed("core/clock.rs", "fn f(tokio: u8) { let wasmtime = tokio; }");
        assert_allowed("core/clock.rs", "use wasmtimex::T;");
    }

    #[test]
    fn core_must_say_which_core() {
        assert_refused("runtime/a.rs", "use core::fmt;", "`core::` could mean");
        assert_allowed(
            "runtime/a.rs",
            "use ::core::fmt; use std::fmt; use crate::core::id::Id;",
        );
    }

    #[test]
    fn tokens_of_macros_are_split_into_paths() {
        let text = "fn f() { m!(a::crate_x::system, $crate::core::X, Vec::<u8>::new(), x: y) }";
        assert_allowed("runtime/engine.rs", text);
        assert_refused(
            "core/x.rs",
            "m! { [(crate::runtime::X)] }",
            "must not use `crate::runtime::X`",
        );
    }
}
