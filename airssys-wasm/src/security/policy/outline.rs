//! Where the rules of a policy stand, found without understanding them.

// Layer 1: Standard library imports
use std::ops::Range;

/// The deepest nesting of brackets in a rule.
pub(crate) const MAX_DEPTH: usize = 64;
/// The most operators and clauses of a rule that nest into each other though no bracket
/// says so, as in `a || b || c`.
pub(crate) const MAX_CHAIN: usize = 256;

/// Where each rule stands, without the spaces and comments before it. What follows the last
/// semicolon counts as one, if there is something.
///
/// Whoever understands rules recurses into them; this does not, and so bounds how deep that
/// goes: a rule's tree is at most [`MAX_DEPTH`] + [`MAX_CHAIN`] high.
///
/// # Errors
///
/// The place where a rule becomes too deep, and in words how.
pub(crate) fn outline(text: &str) -> Result<Vec<Range<usize>>, (Range<usize>, String)> {
    let mut outline = Outline::default();
    let mut index = 0;
    while index < text.len() {
        index = outline.step(text.as_bytes(), index)?;
    }
    if let Some(start) = outline.start {
        outline.rules.push(start..text.len());
    }
    Ok(outline.rules)
}

#[derive(Default)]
struct Outline {
    rules: Vec<Range<usize>>,
    /// Where the rule begins that is being read.
    start: Option<usize>,
    depth: usize,
    chain: usize,
}

impl Outline {
    /// Reads one piece of the text, and returns where the next begins.
    fn step(&mut self, text: &[u8], index: usize) -> Result<usize, (Range<usize>, String)> {
        let byte = text[index];
        let next = text.get(index + 1).copied();
        if byte.is_ascii_whitespace() {
            return Ok(index + 1);
        }
        if byte == b'/' && next == Some(b'/') {
            return Ok(end_of(text, index, |byte| byte != b'\n'));
        }
        self.start.get_or_insert(index);
        match byte {
            b'"' => return Ok(end_of_string(text, index)),
            b';' => {
                let start = self.start.take().unwrap_or(index);
                self.rules.push(start..index + 1);
                (self.depth, self.chain) = (0, 0);
            }
            b'(' | b'{' => self.depth += 1,
            // An index stands in a chain: `a["b"]["c"]`.
            b'[' => (self.depth, self.chain) = (self.depth + 1, self.chain + 1),
            b')' | b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b'.' | b'+' | b'-' | b'*' | b'!' => self.chain += 1,
            b'&' | b'|' if next == Some(byte) => {
                self.chain += 1;
                self.check(index)?;
                return Ok(index + 2);
            }
            _ if is_word(byte) => {
                let end = end_of(text, index, is_word);
                if matches!(&text[index..end], b"if" | b"when" | b"unless") {
                    self.chain += 1;
                }
                self.check(index)?;
                return Ok(end);
            }
            _ => {}
        }
        self.check(index)?;
        Ok(index + 1)
    }

    fn check(&self, index: usize) -> Result<(), (Range<usize>, String)> {
        let place = index..index + 1;
        if self.depth > MAX_DEPTH {
            let message = format!("brackets nest at most {MAX_DEPTH} deep in a rule");
            return Err((place, message));
        }
        if self.chain > MAX_CHAIN {
            let message = format!(
                "a rule has at most {MAX_CHAIN} operators; use a set, `in [...]` or \
                 `[...].contains(...)`, or write several rules"
            );
            return Err((place, message));
        }
        Ok(())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn end_of(text: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = &text[start..];
    let length = rest.iter().position(|byte| !belongs(*byte));
    start + length.unwrap_or(rest.len())
}

/// Behind the quote that ends a string.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut index = start + 1;
    while let Some(byte) = text.get(index) {
        match byte {
            b'"' => return index + 1,
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(text: &str) -> Vec<&str> {
        let found = outline(text).unwrap();
        found.into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn rules_end_with_semicolons_that_count() {
        let text = "// one; two\n\n@id(\"a;\\\"b\")permit (a); // x;\n  forbid (b);\n// end\n";
        assert_eq!(rules(text), ["@id(\"a;\\\"b\")permit (a);", "forbid (b);"]);
        assert_eq!(rules("permit"), ["permit"]);
        assert_eq!(rules("permit \"a"), ["permit \"a"]);
        assert!(rules(" // nothing").is_empty());
    }

    #[test]
    fn what_nests_is_counted_anew_in_each_rule() {
        let fits = format!("{};", "(".repeat(MAX_DEPTH));
        assert_eq!(rules(&fits.repeat(3)).len(), 3);
        assert!(outline(&"(".repeat(MAX_DEPTH + 1)).is_err());
        for link in ["a || ", "a.", "a[0]", "!", "if ", "when {} ", "a + ", "- "] {
            let fits = format!("{};", link.repeat(MAX_CHAIN));
            assert_eq!(rules(&fits.repeat(2)).len(), 2, "{link}");
            let (place, _) = outline(&link.repeat(MAX_CHAIN + 1)).unwrap_err();
            assert!(place.start >= MAX_CHAIN, "{link}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), code in "[a-z\"\\\\;/\n ()&|.]{0,80}") {
            for text in [text, code] {
                for place in outline(&text).unwrap() {
                    prop_assert!(text.get(place).is_some());
                }
            }
        }
    }
}
