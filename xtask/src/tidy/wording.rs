//! Rules that hold for every Rust file: lints are silenced with a reason, nothing is left to do,
//! no emoji, and a file stays readable in one sitting.

// Layer 2: Third-party crate imports
use syn::Attribute;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

// Layer 3: Internal module imports
use super::problem::Problem;
use super::source::SourceFile;

/// The longest that a file may be, tests apart.
const MAX_LINES: usize = 400;

/// Files that may be longer, each with the reason.
const LONGER: &[(&str, &str)] = &[];

/// Words for work that was put off. Spelled in halves, or this file would report itself.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Reports what of the above `file` breaks.
pub(crate) fn check(file: &SourceFile) -> Vec<Problem> {
    let mut problems = silenced_lints(file);
    for (index, line) in file.text.lines().enumerate() {
        let mut report = |rule, what: String, way_out| {
            problems.push(Problem::new(&file.path, index + 1, rule, what, way_out));
        };
        if let Some(word) = UNFINISHED.into_iter().find(|word| has_word(line, word)) {
            report(
                "unfinished",
                format!("a `{word}`"),
                "finish it, or say in prose what is not there",
            );
        }
        if let Some(emoji) = line.chars().find(|c| is_emoji(*c)) {
            let escape = emoji.escape_unicode();
            report(
                "emoji",
                format!("an emoji, {escape}"),
                "use words, or in test data the escape",
            );
        }
    }
    problems.extend(too_long(file));
    problems
}

fn too_long(file: &SourceFile) -> Option<Problem> {
    let lines = file.lines_before_tests();
    let excused = LONGER.iter().any(|(path, _reason)| *path == file.path);
    (lines > MAX_LINES && !excused).then(|| {
        Problem::new(
            &file.path,
            lines,
            "length",
            format!("{lines} lines before the tests, more than {MAX_LINES}"),
            "split the file by its nouns, or give it a line with the reason in \
             xtask/src/tidy/wording.rs",
        )
    })
}

fn silenced_lints(file: &SourceFile) -> Vec<Problem> {
    let mut silenced = SilencedLints {
        file,
        problems: Vec::new(),
    };
    silenced.visit_file(&file.ast);
    silenced.problems
}

struct SilencedLints<'a> {
    file: &'a SourceFile,
    problems: Vec<Problem>,
}

impl<'ast> Visit<'ast> for SilencedLints<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let Ok(list) = attribute.meta.require_list() else {
            return;
        };
        let tokens = list.tokens.to_string();
        let silences = list.path.is_ident("allow") || list.path.is_ident("expect");
        // `cfg_attr(test, allow(x))`: tokens print with spaces between them.
        let may_silence = list.path.is_ident("cfg_attr")
            && (has_word(&tokens, "allow") || has_word(&tokens, "expect"));
        if (silences || may_silence) && !has_word(&tokens, "reason") {
            self.problems.push(Problem::new(
                &self.file.path,
                attribute.span().start().line,
                "lints",
                "a lint is silenced without a reason",
                "write `#[expect(lint, reason = \"…\")]`",
            ));
        }
    }
}

/// Whether `word` stands in `line` with no letter, digit or underscore around it.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|candidate| candidate == word)
}

/// Whether `c` is drawn as a picture. Arrows, mathematics and plain check marks are text.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' // the blocks that hold nothing else
        | '\u{2600}'..='\u{2712}' | '\u{2714}'..='\u{2716}' | '\u{2718}'..='\u{27BF}' // dingbats
        | '\u{2B1B}' | '\u{2B1C}' | '\u{2B50}' | '\u{2B55}' // squares, star, circle
        | '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23FA}' // clocks and media buttons
        | '\u{FE0F}' // "draw the character before me as a picture"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let file = SourceFile::parse("src/a.rs", text).unwrap();
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn assert_only(text: &str, place_and_rule: &str) {
        let problems = problems(text);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(
            problems[0].starts_with(&format!("src/a.rs:{place_and_rule}")),
            "{problems:#?}"
        );
    }

    #[test]
    fn a_lint_is_silenced_with_a_reason() {
        assert_only("\n#[allow(dead_code)]\nfn f() {}", "2: lints");
        assert_only("#![allow(dead_code)]\n", "1: lints");
        assert_only("#[expect(dead_code)]\nfn f() {}", "1: lints");
        assert_only("#[cfg_attr(test, allow(dead_code))]\nfn f() {}", "1: lints");
        assert_only("fn f() { #[allow(unused)] let x = 1; }", "1: lints");
        assert!(problems("#[expect(dead_code, reason = \"a\")]\nfn f() {}").is_empty());
        assert!(problems("#[cfg_attr(test, derive(Debug))]\nstruct S;").is_empty());
    }

    #[test]
    fn nothing_is_left_to_do() {
        for word in UNFINISHED {
            assert_only(&format!("fn f() {{}}\n// {word}: later\n"), "2: unfinished");
            assert!(problems(&format!("const {word}S: u8 = 1;")).is_empty());
        }
    }

    #[test]
    fn pictures_are_not_text_but_arrows_are() {
        for emoji in ["\u{2705}", "\u{1F980}", "\u{26A0}\u{FE0F}", "\u{2B50}"] {
            assert_only(&format!("// {emoji}\n"), "1: emoji");
        }
        assert!(problems("// a → b, ≤ 3 µs, ✓ and ✗, — …\n").is_empty());
    }

    #[test]
    fn a_long_file_is_reported_but_long_tests_are_not() {
        let long = "fn f() {}\n".repeat(MAX_LINES + 1);
        assert_only(&long, "401: length");
        assert!(problems(&"fn f() {}\n".repeat(MAX_LINES)).is_empty());
        assert!(problems(&format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")).is_empty());
    }
}
