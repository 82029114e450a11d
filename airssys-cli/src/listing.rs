//! Interfaces, functions and patterns of a component, as lists for people.

// Layer 1: Standard library imports
use std::fmt::Write;

// Layer 2: Third-party crate imports
use airssys_wasm::runtime::inspection::Interface;
use airssys_wasm::runtime::uses::Use;

// Layer 3: Internal module imports
use crate::text::visible;

/// How wide lists are written.
const WIDTH: usize = 80;

/// Writes `items` as a list that is broken between them, behind `head` and below it,
/// so that they stand in one column.
pub(crate) fn list(text: &mut String, head: &str, items: &[String]) {
    let indent = head.chars().count();
    let mut line = head.to_owned();
    for (i, item) in items.iter().enumerate() {
        let comma = if i + 1 < items.len() { "," } else { "" };
        let item = format!("{}{comma}", visible(item));
        let is_first = line.chars().count() == indent;
        if !is_first && line.chars().count() + 1 + item.chars().count() > WIDTH {
            // Writing to a text cannot fail.
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

/// Writes interfaces, each behind `mark` and with its functions below it.
pub(crate) fn interfaces(text: &mut String, mark: &str, interfaces: &[Interface]) {
    for interface in interfaces {
        let _ = writeln!(text, "{mark}{}", visible(&interface.name));
        if !interface.functions.is_empty() {
            let indent = " ".repeat(mark.len() + 4);
            list(text, &indent, &interface.functions);
        }
    }
}

/// Writes capabilities, each with the functions that could use it behind it.
pub(crate) fn uses(text: &mut String, uses: &[Use]) {
    for it in uses {
        let functions: Vec<String> = it.because.iter().map(|import| short(import)).collect();
        list(text, &head("  ", it.capability.name()), &functions);
    }
}

/// What stands before the patterns or functions of a capability: all begin in one column.
pub(crate) fn head(mark: &str, capability: &str) -> String {
    format!("{mark}{capability:<13}")
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
