//! `airssys inspect`: look at a component before running it.

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::runtime::inspection::{Inspection, Interface, Need};
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::quantity::{bytes, count};
use crate::text::visible;
use crate::{advice, output};

/// How wide lists of functions are written.
const WIDTH: usize = 80;

const JSON_HELP: &str = "\
Print one JSON object on one line instead

Its fields are file, digest, bytes, handler (the version that it exports, or null),
runs_here, fault (why not, as an error of `airssys try --json`, or null), imports and
exports (each name and functions), and needs (each capability, and because of which
imports). If the file is no component there is only error.";

/// Show what is in a component, and what it would need, without running it
///
/// Nothing is compiled or run. That a component imports something is no evidence that
/// it uses it: what an actor may do is decided when it does it. Its own storage, logs,
/// time and random numbers need no grant.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The component to look at, a .wasm file
    component: PathBuf,
    #[arg(long, help = "Print one JSON object on one line instead", long_help = JSON_HELP)]
    json: bool,
}

/// What is known of a component without running it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: String,
    digest: Digest,
    bytes: u64,
    handler: Option<&'a str>,
    runs_here: bool,
    fault: Option<Failure>,
    imports: &'a [Interface],
    exports: &'a [Interface],
    needs: &'a [Need],
}

/// Inspects a component. One that cannot be run here is still a good answer.
pub(crate) fn run(args: &InspectArgs) -> Exit {
    output::exit_of(args.json.into(), inspect(args))
}

fn inspect(args: &InspectArgs) -> Result<(), Failure> {
    let limits = Limits::default();
    let file = ComponentFile::read(args.component.clone(), &limits)?;
    let size = file.bytes.len() as u64;
    LimitExceeded::check(Limit::ComponentBytes, limits.component_bytes, size)
        .map_err(advice::over_limit)?;
    let inspection = Inspection::of(&file.bytes).map_err(|e| advice::not_loaded(e, &file))?;
    let fault = inspection.fault.map(|e| advice::not_loaded(e, &file));
    let report = Report {
        file: file.path.display().to_string(),
        digest: inspection.digest,
        bytes: inspection.bytes,
        handler: inspection.handler.as_deref(),
        runs_here: fault.is_none(),
        fault,
        imports: &inspection.imports,
        exports: &inspection.exports,
        needs: &inspection.needs,
    };
    match args.json {
        true => output::write_json(&report),
        false => output::write(report.text().as_bytes()),
    }
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        let mut row = |label, value: &str| {
            text.push_str(&format!("  {label:<12}{value}\n"));
        };
        row("digest", &self.digest.to_string());
        row("size", &self.size());
        row("interfaces", &self.packages());
        match &self.fault {
            None => row("runs here", "yes"),
            Some(fault) => {
                row("runs here", "no");
                row("  cause", &visible(&fault.cause));
                row("  next", &visible(&fault.next));
            }
        }
        section(&mut text, "imports", self.imports);
        section(&mut text, "exports", self.exports);
        self.write_needs(&mut text);
        text
    }

    fn size(&self) -> String {
        match self.bytes {
            size @ 0..1024 => bytes(size),
            size => format!("{} ({} bytes)", bytes(size), count(size)),
        }
    }

    /// The packages that it was built against, with their versions.
    fn packages(&self) -> String {
        let names = self
            .imports
            .iter()
            .chain(self.exports)
            .map(|i| i.name.as_str());
        let packages: BTreeSet<String> = names.filter_map(package).collect();
        match packages.is_empty() {
            true => "none".to_owned(),
            false => visible(&Vec::from_iter(packages).join(", ")),
        }
    }

    fn write_needs(&self, text: &mut String) {
        text.push_str("\nto be granted, or some of the imports are of no use\n");
        if self.needs.is_empty() {
            text.push_str("  nothing\n");
        }
        let names = self.needs.iter().map(|need| need.capability.len());
        let width = names.max().unwrap_or(0);
        for need in self.needs {
            let imports: Vec<String> = need.because.iter().map(|import| short(import)).collect();
            list(text, &format!("  {:<width$}  ", need.capability), &imports);
        }
    }
}

fn section(text: &mut String, title: &str, interfaces: &[Interface]) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "\n{title}");
    if interfaces.is_empty() {
        text.push_str("  nothing\n");
    }
    for interface in interfaces {
        let _ = writeln!(text, "  {}", visible(&interface.name));
        if !interface.functions.is_empty() {
            list(text, "      ", &interface.functions);
        }
    }
}

/// Writes `items` as a list that is broken between them, behind `head` and below it,
/// so that they stand in one column.
fn list(text: &mut String, head: &str, items: &[String]) {
    let indent = head.chars().count();
    let mut line = head.to_owned();
    for (i, item) in items.iter().enumerate() {
        let comma = if i + 1 < items.len() { "," } else { "" };
        let item = format!("{}{comma}", visible(item));
        let is_first = line.chars().count() == indent;
        if !is_first && line.chars().count() + 1 + item.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = format!("{:indent$}{item}", "");
            continue;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(&item);
    }
    let _ = writeln!(text, "{line}");
}

/// `airssys:actor 0.1.0` for `airssys:actor/messaging@0.1.0`.
fn package(interface: &str) -> Option<String> {
    let (package, rest) = interface.split_once('/')?;
    let (_, version) = rest.split_once('@')?;
    Some(format!("{package} {version}"))
}

/// `messaging.send` for `airssys:actor/messaging@0.1.0#send`; other packages keep
/// their name.
fn short(import: &str) -> String {
    let Some((interface, function)) = import.split_once('#') else {
        return import.to_owned();
    };
    let name = interface
        .split_once('@')
        .map_or(interface, |(name, _)| name);
    let name = name.strip_prefix("airssys:actor/").unwrap_or(name);
    format!("{name}.{function}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened() {
        assert_eq!(
            short("airssys:actor/messaging@0.1.0#send"),
            "messaging.send"
        );
        assert_eq!(short("wasi:cli/exit@0.2.3#exit"), "wasi:cli/exit.exit");
        assert_eq!(short("odd"), "odd");
        assert_eq!(
            package("airssys:actor/messaging@0.1.0").as_deref(),
            Some("airssys:actor 0.1.0")
        );
        assert_eq!(package("run"), None);
        assert_eq!(package("a:b/c"), None);
    }

    #[test]
    fn long_lists_are_broken_between_items() {
        let items: Vec<String> = (0..30).map(|i| format!("function-{i}")).collect();
        let mut text = String::new();
        list(&mut text, "  head  ", &items);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 3, "{text}");
        assert!(
            lines.iter().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert!(lines[0].starts_with("  head  function-0, "), "{text}");
        assert!(lines[1].starts_with("        function-"), "{text}");
        let listed: Vec<&str> = text.split_whitespace().skip(1).collect();
        assert_eq!(listed.join(" "), items.join(", "));
    }

    #[test]
    fn an_item_too_long_for_a_line_still_stands() {
        let long = "x".repeat(2 * WIDTH);
        let mut text = String::new();
        list(&mut text, "  ", &[long.clone(), "b\x1b".to_owned()]);
        assert_eq!(text, format!("  {long},\n  b\\u{{1b}}\n"));
    }
}
