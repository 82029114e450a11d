//! `airssys diff`: what a new version of a component asks for beyond the old one.

// Layer 1: Standard library imports
use std::fmt::Write;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::runtime::difference::{Change, Difference, InterfaceChange, NeedChange, Side};
use airssys_wasm::runtime::uses::Use;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::commands::inspect::look_at;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listing::{head, interfaces, list, uses};
use crate::output::{self, Form};
use crate::quantity::{bytes, count};
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys diff cart-1.wasm cart-2.wasm
  airssys diff old.wasm new.wasm > /dev/null || exit 1    in CI, before a release
  airssys diff old.wasm new.wasm --json | jq .needs";

const JSON_HELP: &str = "\
Print one JSON object on one line instead

Its fields are asks_for_more, stops_declaring (whether the new one says no more what it
needs), old and new (each file, digest, bytes, handler and declares_needs), needs (each
capability, pattern, and change: `added`, `widened` with from, `narrowed` with to, or
`removed`), may_newly_use (each capability that only the new one's imports could use, and
because of which functions), and imports and exports (each added and removed: interfaces
with name and functions). If a file is no component there is only error.";

/// Show what a new version of a component asks for beyond the old one
///
/// Ends with exit code 14 if somebody should look before the new version runs: it says it
/// needs what the old one does not; or says no more what it needs, as the old one did; or
/// does not say it, and imports what can use capabilities that the old one could not.
/// Nothing is compiled or run.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffArgs {
    /// The version that runs, a .wasm file
    old: PathBuf,
    /// The version that is to run in its place
    new: PathBuf,
    #[arg(long, help = "Print one JSON object on one line instead", long_help = JSON_HELP)]
    json: bool,
}

/// Two versions, with their files.
#[derive(Debug, Serialize)]
struct Report<'a> {
    asks_for_more: bool,
    stops_declaring: bool,
    old: Version<'a>,
    new: Version<'a>,
    #[serde(flatten)]
    changes: Changes<'a>,
}

#[derive(Debug, Serialize)]
struct Version<'a> {
    file: String,
    #[serde(flatten)]
    side: &'a Side,
}

/// What of a [`Difference`] is about both.
#[derive(Debug, Serialize)]
struct Changes<'a> {
    needs: &'a [NeedChange],
    may_newly_use: &'a [Use],
    imports: &'a InterfaceChange,
    exports: &'a InterfaceChange,
}

/// Compares two components.
pub(crate) fn run(args: DiffArgs) -> Exit {
    let form = Form::from(args.json);
    match diff(args, form) {
        Ok(true) => Exit::AsksForMore,
        Ok(false) => Exit::Success,
        Err(failure) => output::exit_of(form, Err(failure)),
    }
}

/// Says whether the new one asks for more.
fn diff(args: DiffArgs, form: Form) -> Result<bool, Failure> {
    let (old_file, old) = look_at(args.old)?;
    let (new_file, new) = look_at(args.new)?;
    let difference = Difference::between(&old, &new);
    let report = Report {
        asks_for_more: difference.asks_for_more(),
        stops_declaring: difference.stops_declaring(),
        old: Version {
            file: old_file.path.display().to_string(),
            side: &difference.old,
        },
        new: Version {
            file: new_file.path.display().to_string(),
            side: &difference.new,
        },
        changes: Changes {
            needs: &difference.needs,
            may_newly_use: &difference.may_newly_use,
            imports: &difference.imports,
            exports: &difference.exports,
        },
    };
    match form {
        Form::Json => output::write_json(&report)?,
        Form::Text => output::write(report.text().as_bytes())?,
    }
    Ok(report.asks_for_more)
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{} -> {}", self.old.file, self.new.file);
        let mut row = |label, value: &str| {
            let _ = writeln!(text, "  {label:<16}{value}");
        };
        if self.old.side.digest == self.new.side.digest {
            row("digest", "the same: they are one version");
        } else {
            row("digest", &format!("{} ->", self.old.side.digest));
            row("", &self.new.side.digest.to_string());
        }
        row("size", &self.size());
        row("handler", &self.handler());
        row("asks for more", self.verdict());
        self.write_needs(&mut text);
        if !self.changes.may_newly_use.is_empty() {
            text.push_str("\nits imports could newly use, which is no evidence that it does\n");
            uses(&mut text, self.changes.may_newly_use);
        }
        write_interfaces(&mut text, "imports", self.changes.imports);
        write_interfaces(&mut text, "exports", self.changes.exports);
        text
    }

    fn size(&self) -> String {
        let (old, new) = (self.old.side.bytes, self.new.side.bytes);
        let change = match (old.abs_diff(new), new > old) {
            (0, _) => return bytes(new),
            (more, true) => format!("+{}", count(more)),
            (less, false) => format!("-{}", count(less)),
        };
        format!("{} -> {} ({change} bytes)", bytes(old), bytes(new))
    }

    fn handler(&self) -> String {
        let [old, new] = [&self.old, &self.new].map(|it| {
            let version = it.side.handler.as_deref();
            version.map_or_else(|| "none, it is no actor".to_owned(), visible)
        });
        match old == new {
            true => new,
            false => format!("{old} -> {new}"),
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.asks_for_more, self.new.side.declares_needs) {
            (false, _) => "no",
            (true, true) => "yes: grant it, or leave the old version",
            (true, false) if self.stops_declaring => {
                "yes: it says no more what it needs, and may do whatever is granted"
            }
            (true, false) => "yes: it does not say what it needs, and imports more",
        }
    }

    fn write_needs(&self, text: &mut String) {
        text.push_str("\nneeds\n");
        if !self.new.side.declares_needs {
            text.push_str("  declares nothing: it may do whatever it is granted\n");
        } else if self.changes.needs.is_empty() {
            text.push_str("  the same\n");
        }
        for change in self.changes.needs {
            let (mark, note) = match &change.change {
                Change::Added => ("+", String::new()),
                Change::Widened { from } => ("+", format!(" (before: {})", from.join(", "))),
                Change::Narrowed { to } => ("-", format!(" (now: {})", to.join(", "))),
                Change::Removed => ("-", String::new()),
            };
            let head = head(&format!("  {mark} "), change.capability.name());
            list(text, &head, &[format!("{}{note}", change.pattern)]);
        }
    }
}

fn write_interfaces(text: &mut String, title: &str, change: &InterfaceChange) {
    if change.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    interfaces(text, "  + ", &change.added);
    interfaces(text, "  - ", &change.removed);
}
