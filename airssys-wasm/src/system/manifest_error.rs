//! Why a manifest, or a folder of components, cannot be used.

// Layer 1: Standard library imports
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::system::component_name::InvalidName;

/// The largest manifest that is read, in bytes: 1 MiB.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The most characters of a line that are shown on each side of a mistake.
const MAX_SHOWN_CHARS: usize = 60;
/// The shortest manifest that runs something, for those who have none yet.
const SHORTEST: &str =
    "version = 1\n\n[[component]]\nname = \"app/hello\"\nsource = \"hello.wasm\"";

/// Why a manifest, or a folder of components, cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Something in the manifest is wrong, at a place that is shown.
    #[error(transparent)]
    Mistake(Box<Mistake>),
    /// Nothing is there.
    #[error("{}: there is no such file; write one:\n\n{SHORTEST}", .0.display())]
    NotFound(PathBuf),
    /// The manifest is a folder, a device or a pipe.
    #[error("{}: this is no regular file; give the path of an airssys.toml", .0.display())]
    NotAFile(PathBuf),
    /// There is no such folder.
    #[error("{}: there is no such folder", .0.display())]
    NotAFolder(PathBuf),
    /// The manifest is too large.
    #[error("{}: this is larger than {MAX_MANIFEST_BYTES} bytes, the most that a manifest may have", .0.display())]
    TooLarge(PathBuf),
    /// The manifest is no text.
    #[error("{}: line {line} is not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The manifest.
        path: PathBuf,
        /// The first line that is no text, counted from 1.
        line: usize,
    },
    /// The text is no manifest, and no place says why.
    #[error("{}: {message}", path.display())]
    NotRead {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The system refused to read it.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has nothing to run.
    #[error(
        "{}: there is neither an airssys.toml nor a .wasm file; put a component here, or write airssys.toml:\n\n{SHORTEST}",
        .0.display()
    )]
    NothingToRun(PathBuf),
    /// The folder has too many components.
    #[error("{}: there are more than {maximum} .wasm files; name those to run in an airssys.toml", folder.display())]
    TooManyFiles {
        /// The folder.
        folder: PathBuf,
        /// How many there may be.
        maximum: usize,
    },
    /// Two files give the same name of a component.
    #[error("{} and {} would both be the component `{name}`; rename one, or name them in an airssys.toml", first.display(), second.display())]
    SameName {
        /// The name.
        name: String,
        /// The first file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A file's name makes no name of a component.
    #[error("{}: this gives no name for a component; rename it, or name it in an airssys.toml", path.display())]
    FileName {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidName,
    },
}

/// A mistake in the text of a manifest, with its place.
///
/// Displayed as `file:line:column: message`, the line, and a caret below it. Nothing
/// of the text reaches the display that would steer a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistake {
    /// The manifest, as the caller named it.
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

impl From<Mistake> for ManifestError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(Box::new(mistake))
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
