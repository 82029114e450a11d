//! `airssys inspect`: look at a component before running it.

// Layer 1: Standard library imports
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::runtime::inspection::{Inspection, Interface};
use airssys_wasm::runtime::uses::Use;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::listing::{head, interfaces, list, uses};
use crate::quantity::{bytes, count};
use crate::text::visible;
use crate::{advice, output};

const JSON_HELP: &str = "\
Print one JSON object on one line instead

Its fields are file, digest, bytes, handler (the version that it exports, or null),
runs_here, fault (why not, as an error of `airssys try --json`, or null), imports and
exports (each name and functions), needs (lists of patterns by capability, or null if it
does not say), unusable_needs (those capabilities of them that no import could use), and
may_use (each capability that its imports could use, and because of which functions). If
the file is no component there is only error.";

/// Show what is in a component, and what it asks for, without running it
///
/// Nothing is compiled or run. What it says it needs must be granted before a system runs
/// it, and it gets nothing else. What it does not say its imports tell no better: that a
/// component imports something is no evidence that it uses it. Its own storage, logs,
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
    needs: Option<&'a Capabilities>,
    unusable_needs: Vec<Capability>,
    may_use: &'a [Use],
}

/// Inspects a component. One that cannot be run here is still a good answer.
pub(crate) fn run(args: &InspectArgs) -> Exit {
    output::exit_of(args.json.into(), inspect(args))
}

fn inspect(args: &InspectArgs) -> Result<(), Failure> {
    let (file, inspection) = look_at(args.component.clone())?;
    let unusable_needs = inspection.unusable_needs();
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
        needs: inspection.needs.as_ref(),
        unusable_needs,
        may_use: &inspection.may_use,
    };
    match args.json {
        true => output::write_json(&report),
        false => output::write(report.text().as_bytes()),
    }
}

/// Reads a component of a size that is loaded, and what is in it.
///
/// # Errors
///
/// When it cannot be read, or is no component.
pub(crate) fn look_at(path: PathBuf) -> Result<(ComponentFile, Inspection), Failure> {
    let limits = Limits::default();
    let file = ComponentFile::read(path, &limits)?;
    let size = file.bytes.len() as u64;
    LimitExceeded::check(Limit::ComponentBytes, limits.component_bytes, size)
        .map_err(advice::over_limit)?;
    match Inspection::of(&file.bytes) {
        Ok(inspection) => Ok((file, inspection)),
        Err(error) => Err(advice::not_loaded(error, &file)),
    }
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file);
        let mut row = |label, value: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {label:<12}{value}");
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
        for (title, of) in [("imports", self.imports), ("exports", self.exports)] {
            let _ = writeln!(text, "\n{title}");
            interfaces(&mut text, "  ", of);
            if of.is_empty() {
                text.push_str("  nothing\n");
            }
        }
        self.write_needs(&mut text);
        self.write_uses(&mut text);
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
        text.push_str("\nneeds\n");
        let Some(needs) = self.needs else {
            text.push_str("  declares nothing: it may do whatever it is granted\n");
            return;
        };
        if needs.is_empty() {
            text.push_str("  nothing: it gets nothing, whatever it is granted\n");
        }
        for capability in Capability::ALL {
            let patterns = needs.of(capability);
            if !patterns.is_empty() {
                list(text, &head("  ", capability.name()), patterns);
            }
        }
        if !self.unusable_needs.is_empty() {
            let words = self.unusable_needs.iter().map(Capability::to_string);
            text.push_str("\nneeded, though no import could use it\n");
            list(text, "  ", &words.collect::<Vec<_>>());
        }
    }

    fn write_uses(&self, text: &mut String) {
        text.push_str("\nits imports could use, which is no evidence that it does\n");
        if self.may_use.is_empty() {
            text.push_str("  nothing\n");
        }
        uses(text, self.may_use);
    }
}

/// `airssys:actor 0.1.0` for `airssys:actor/messaging@0.1.0`.
fn package(interface: &str) -> Option<String> {
    let (package, rest) = interface.split_once('/')?;
    let (_, version) = rest.split_once('@')?;
    Some(format!("{package} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_with_its_version() {
        assert_eq!(
            package("airssys:actor/messaging@0.1.0").as_deref(),
            Some("airssys:actor 0.1.0")
        );
        assert_eq!(package("run"), None);
        assert_eq!(package("a:b/c"), None);
    }
}
