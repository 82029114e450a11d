//! A mistake in a text that a person wrote, with its place.

// Layer 1: Standard library imports
use std::fmt;
use std::ops::Range;

// Layer 2: Third-party crate imports
use thiserror::Error;

/// The most characters of a line that are shown on each side of a mistake.
const MAX_SHOWN_CHARS: usize = 60;

/// A mistake in a manifest, a policy or another text that a person wrote, with its place.
///
/// Displayed as `file:line:column: message`, the line, and a caret below it. Nothing
/// of the text reaches the display that would steer a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistake {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in characters counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    shown: String,
    caret: Range<usize>,
}

impl Mistake {
    /// A mistake at the bytes `span` of `text`; a span that reaches outside is cut.
    pub(crate) fn new(file: &str, text: &str, span: Range<usize>, message: &str) -> Self {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &text[start..];
        let line_end = start + rest.find('\n').unwrap_or(rest.len());
        let end = floor(text, span.end).clamp(start, line_end);

        let column = text[line_start..start].chars().count();
        let width = text[start..end].chars().count().clamp(1, MAX_SHOWN_CHARS);
        let skipped = column.saturating_sub(MAX_SHOWN_CHARS);
        let shown = text[line_start..line_end]
            .trim_end()
            .chars()
            .skip(skipped)
            .take(column - skipped + MAX_SHOWN_CHARS)
            .map(visible)
            .collect();
        Self {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: column + 1,
            message: message.chars().map(visible).collect(),
            shown,
            caret: column - skipped..column - skipped + width,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, width) = (self.caret.start, self.caret.len());
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        writeln!(f, "{}", self.shown)?;
        write!(f, "{:before$}{:^>width$}", "", "^")
    }
}

/// The last place up to `index` where a character begins, or the end of the text.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// One column wide, and harmless in a terminal.
fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_caret_stands_below_the_mistake() {
        let text = "a = 1\n\tmailbx = 2 # ü\r\nb = 3";
        let mistake = Mistake::new("airssys.toml", text, 7..13, "unknown\nkey");
        assert_eq!(
            mistake.to_string(),
            "airssys.toml:2:2: unknown key\n mailbx = 2 # ü\n ^^^^^^"
        );
        assert_eq!((mistake.line, mistake.column), (2, 2));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let shown = Mistake::new("f", &text, 5_000..10_001, "m").to_string();
        let expected = format!(
            "f:1:5001: m\n{}X{}\n{}{}",
            "a".repeat(60),
            "b".repeat(59),
            " ".repeat(60),
            "^".repeat(60)
        );
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn no_span_panics_or_steers_a_terminal(text in any::<String>(), start: u8, length: u8) {
            let (start, length) = (usize::from(start), usize::from(length));
            let shown = Mistake::new("f", &text, start..start + length, &text).to_string();
            prop_assert_eq!(shown.matches('\n').count(), 2);
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
