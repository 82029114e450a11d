//! Texts in which `*` stands for any characters.

// Layer 2: Third-party crate imports
use globset::{Glob, GlobBuilder, GlobMatcher, escape};

/// What a `*` does not stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// A `/`.
    Slash,
    /// It stands for everything.
    None,
}

/// A text in which `*` stands for any characters but the separator.
#[derive(Debug, Clone)]
pub(crate) struct Wildcard {
    text: String,
    /// None for a text without a `*`, which is compared.
    matcher: Option<GlobMatcher>,
}

impl Wildcard {
    /// Compiles a text.
    ///
    /// # Errors
    ///
    /// In words, when two `*` stand side by side.
    pub(crate) fn new(text: String, separator: Separator) -> Result<Self, String> {
        if text.contains("**") {
            return Err("two `*` stand side by side".into());
        }
        let matcher = match text.contains('*') {
            false => None,
            true => Some(compile(&text, separator)?),
        };
        Ok(Self { text, matcher })
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The glob that it is, if it has a `*`.
    pub(crate) fn as_glob(&self) -> Option<&Glob> {
        self.matcher.as_ref().map(GlobMatcher::glob)
    }

    /// Whether it means this.
    pub(crate) fn matches(&self, resource: &str) -> bool {
        match &self.matcher {
            Some(matcher) => matcher.is_match(resource),
            None => self.text == resource,
        }
    }

    /// Whether it means all that `other` means, which has the same separator.
    ///
    /// A `*` of the other is met as if it were a letter, which only a `*` of this one means;
    /// and what that means of a letter, it means of any text in its place.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.matches(&other.text)
    }
}

fn compile(text: &str, separator: Separator) -> Result<GlobMatcher, String> {
    let parts: Vec<String> = text.split('*').map(escape).collect();
    let glob = GlobBuilder::new(&parts.join("*"))
        .literal_separator(separator == Separator::Slash)
        .backslash_escape(false)
        .build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}
