//! A text that is to become a policy.

// Layer 1: Standard library imports
use std::collections::HashMap;
use std::ops::Range;

// Layer 2: Third-party crate imports
use cedar_policy::ffi::DetailedError;
use cedar_policy::{Effect, Policy as CedarRule, PolicySet, ValidationMode, Validator};
use serde_json::Value;

// Layer 3: Internal module imports
use crate::core::mistake::Mistake;
use crate::security::policy::names::check_names;
use crate::security::policy::outline::outline;
use crate::security::policy::policy_error::{MAX_MISTAKES, MAX_RULES, PolicyError};
use crate::security::policy::rule_set::{Policy, Written, number_of};
use crate::security::policy::schema::Vocabulary;
use crate::security::policy::verdict::{Rule, RuleEffect};

/// The longest name of a rule, in characters.
const MAX_NAME_CHARS: usize = 64;
/// The word for what a policy knows of the time.
const CONTEXT: &str = "context";

/// A text that is to become a policy, with the places of its rules.
pub(crate) struct Reading<'a> {
    text: &'a str,
    file: &'a str,
    places: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    /// Looks where the rules are, and how deep.
    pub(crate) fn new(text: &'a str, file: &'a str) -> Result<Self, PolicyError> {
        let places = outline(text).map_err(|(place, message)| {
            PolicyError::Mistakes(vec![Mistake::new(file, text, place, &message)])
        })?;
        match places.len() {
            0 => Err(PolicyError::NoRules(file.into())),
            rules if rules > MAX_RULES => Err(PolicyError::TooManyRules(file.into())),
            _ => Ok(Self { text, file, places }),
        }
    }

    /// Reads the rules and checks them. Recurses into them.
    pub(crate) fn read(&self) -> Result<Policy, PolicyError> {
        let parsed: Result<PolicySet, _> = self.text.parse();
        let set = parsed.map_err(|errors| {
            let first = DetailedError::from(&errors);
            let others = first.related.clone();
            self.refused([first].into_iter().chain(others))
        })?;
        self.check_templates(&set)?;
        let rules = self.rules(&set)?;
        let words = Vocabulary::new().map_err(|message| self.not_read(message))?;
        self.validate(&words, &set)?;
        check_names(&words, &set, self.text, &self.places)
            .map_err(|(place, message)| self.mistake(place, &message))?;
        let looks_at_time = self.looks_at_time(&set)?;
        Ok(Policy {
            words,
            set,
            text: self.text.to_owned(),
            rules,
            looks_at_time,
        })
    }

    /// Nothing could fill a template's slots.
    fn check_templates(&self, set: &PolicySet) -> Result<(), PolicyError> {
        let Some(template) = set.templates().next() else {
            return Ok(());
        };
        let message = "this is a template: write the component or resource instead of the slot";
        Err(self.mistake(self.place(number_of(template.id())), message))
    }

    fn validate(&self, words: &Vocabulary, set: &PolicySet) -> Result<(), PolicyError> {
        let validator = Validator::new(words.schema.clone());
        let validated = validator.validate(set, ValidationMode::Strict);
        let errors = validated.validation_errors().map(DetailedError::from);
        let mut complaints: Vec<DetailedError> = errors.collect();
        if complaints.is_empty() {
            // A rule that can never apply, or letters that look like others, mean something
            // else than whoever wrote them thinks.
            let warnings = validated.validation_warnings();
            complaints = warnings.map(DetailedError::from).collect();
        }
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(self.refused(complaints)),
        }
    }

    /// The rules in the order of the file, each with its name.
    fn rules(&self, set: &PolicySet) -> Result<Vec<Written>, PolicyError> {
        let mut numbered: Vec<(usize, &CedarRule)> = set
            .policies()
            .filter_map(|rule| Some((number_of(rule.id())?, rule)))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        let is_each = |(index, (number, _)): (usize, &(usize, _))| index == *number;
        if numbered.len() != self.places.len() || !numbered.iter().enumerate().all(is_each) {
            let message = "its rules are not where they seem to be".to_owned();
            return Err(self.not_read(message));
        }
        let mut known = HashMap::new();
        let mut rules = Vec::with_capacity(numbered.len());
        for ((number, rule), place) in numbered.into_iter().zip(&self.places) {
            let line = line_of(self.text, place.start);
            let name = self.name_of(rule, number)?;
            if let Some(first) = known.insert(name.clone(), line) {
                let message = format!("the rule in line {first} is called {name:?} as well");
                return Err(self.mistake(place.clone(), &message));
            }
            let effect = match rule.effect() {
                Effect::Permit => RuleEffect::Permit,
                Effect::Forbid => RuleEffect::Forbid,
            };
            rules.push(Written {
                rule: Rule { line, name, effect },
                place: place.clone(),
            });
        }
        Ok(rules)
    }

    fn name_of(&self, rule: &CedarRule, number: usize) -> Result<String, PolicyError> {
        let Some(name) = rule.annotation("id") else {
            return Ok(format!("rule {}", number + 1));
        };
        let length = name.chars().count();
        if (1..=MAX_NAME_CHARS).contains(&length) && !name.chars().any(char::is_control) {
            return Ok(name.to_owned());
        }
        let message = format!("a rule's `@id` has 1 to {MAX_NAME_CHARS} characters, all printable");
        Err(self.mistake(self.place(Some(number)), &message))
    }

    /// Whether a rule looks at the context.
    fn looks_at_time(&self, set: &PolicySet) -> Result<bool, PolicyError> {
        // What is not in the text is in no rule; most have it nowhere.
        let may_look = |rule: &&CedarRule| {
            let place = self.place(number_of(rule.id()));
            self.text
                .get(place)
                .is_none_or(|text| text.contains(CONTEXT))
        };
        for rule in set.policies().filter(may_look) {
            let tree = rule.to_json().map_err(|e| self.not_read(e.to_string()))?;
            if has_context(&tree) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn place(&self, rule: Option<usize>) -> Range<usize> {
        let place = rule.and_then(|number| self.places.get(number));
        place.cloned().unwrap_or_default()
    }

    /// Cedar's complaints, each at its place.
    fn refused(&self, complaints: impl IntoIterator<Item = DetailedError>) -> PolicyError {
        let mut mistakes: Vec<Mistake> = complaints
            .into_iter()
            .map(|complaint| {
                let message = in_words(&complaint);
                let place = complaint.source_locations.first().map(|label| label.loc);
                let place = place.map_or(0..0, |place| place.start..place.end);
                Mistake::new(self.file, self.text, place, &message)
            })
            .collect();
        // Of several about one place, the first is the cause.
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.dedup_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.truncate(MAX_MISTAKES);
        PolicyError::Mistakes(mistakes)
    }

    fn mistake(&self, place: Range<usize>, message: &str) -> PolicyError {
        PolicyError::Mistakes(vec![Mistake::new(self.file, self.text, place, message)])
    }

    fn not_read(&self, message: String) -> PolicyError {
        PolicyError::NotRead {
            file: self.file.to_owned(),
            message,
        }
    }
}

/// What Cedar complains about, without its own numbers of rules, and with its advice.
fn in_words(complaint: &DetailedError) -> String {
    let message = complaint.message.as_str();
    let behind = message.strip_prefix("for policy `");
    let behind = behind.and_then(|rest| rest.split_once("`, "));
    let message = behind.map_or(message, |(_, behind)| behind);
    let label = complaint.source_locations.first();
    let label = label.and_then(|it| it.label.as_ref());
    let mut words = message.to_owned();
    for more in label.into_iter().chain(complaint.help.as_ref()) {
        words.push_str("; ");
        words.push_str(more);
    }
    words
}

/// Whether a rule's tree, as Cedar writes it in JSON, has the variable `context`.
fn has_context(tree: &Value) -> bool {
    match tree {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            (name == "Var" && value.as_str() == Some(CONTEXT)) || has_context(value)
        }),
        Value::Array(items) => items.iter().any(has_context),
        _ => false,
    }
}

/// The line of a place, from 1.
fn line_of(text: &str, place: usize) -> usize {
    let before = text.as_bytes().iter().take(place);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capability::Capability;
    use crate::core::security::principal::Principal;
    use crate::security::policy::outline::{MAX_CHAIN, MAX_DEPTH};
    use crate::security::policy::policy_error::MAX_POLICY_BYTES;
    use proptest::prelude::*;
    use std::thread;

    fn mistakes(text: &str) -> Vec<Mistake> {
        match Policy::parse(text, "policy.cedar") {
            Err(PolicyError::Mistakes(mistakes)) => mistakes,
            other => panic!("{other:?}"),
        }
    }

    fn mistake(text: &str) -> Mistake {
        mistakes(text).remove(0)
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let found = mistake(
            "permit (principal, action, resource);\n\n\
             permit (principal, action == Action::\"network\", resource)\n\
             when { resource.hots == \"a\" };\n",
        );
        assert_eq!((found.line, found.column), (4, 8));
        let shown = found.to_string();
        assert!(
            shown.contains("when { resource.hots == \"a\" };\n"),
            "{shown}"
        );
        assert!(shown.ends_with("       ^^^^^^^^^^^^^"), "{shown}");
        assert!(
            shown.contains("hots") && shown.contains("`host`"),
            "{shown}"
        );
    }

    #[test]
    fn each_kind_of_mistake_has_its_place() {
        for (text, line, column, word) in [
            ("permit (principal, action);", 1, 26, "resource"),
            (
                "permit (principal, action, resource)",
                1,
                37,
                "unexpected end",
            ),
            ("\npermit (principal, action = 3, resource);", 2, 20, "'=='"),
            (
                "permit (principal, action == Action::\"fly\", resource);",
                1,
                30,
                "fly",
            ),
            (
                "permit (principal == User::\"a\", action, resource);",
                1,
                22,
                "User",
            ),
            (
                "permit (principal, action == Action::\"send\", resource == Topic::\"a\");",
                1,
                1,
                "applicable action",
            ),
            (
                "permit (principal, action, resource) when { principal.signer == \"a\" };",
                1,
                45,
                "signer",
            ),
            (
                "permit (principal, action, resource) when { principal.version > 3 };",
                1,
                45,
                "expected",
            ),
            (
                "permit (principal, action, resource) when { false };",
                1,
                1,
                "impossible",
            ),
            (
                "permit (principal == ?principal, action, resource);",
                1,
                1,
                "template",
            ),
            (
                "permit (principal == Component::\"shop\", action, resource);",
                1,
                33,
                "namespace/name",
            ),
            (
                "permit (principal in Namespace::\"shop/cart\", action, resource);",
                1,
                33,
                "namespace",
            ),
            (
                "forbid (principal, action, resource == Endpoint::\"Example.com:443\");",
                1,
                50,
                "example.com:443",
            ),
            (
                "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);",
                2,
                1,
                "line 1",
            ),
            (
                "@id(\"\") permit (principal, action, resource);",
                1,
                1,
                "@id",
            ),
            (
                "@id(\"a\\n\") permit (principal, action, resource);",
                1,
                1,
                "@id",
            ),
        ] {
            let found = mistake(text);
            assert!(found.message.contains(word), "{word}: {found}");
            assert_eq!((found.line, found.column), (line, column), "{found}");
        }
    }

    #[test]
    fn several_mistakes_are_told_at_once() {
        let rule = "permit (principal, action == Action::\"fly\", resource);\n";
        let found = mistakes(&rule.repeat(3));
        let lines: Vec<usize> = found.iter().map(|it| it.line).collect();
        assert_eq!(lines, [1, 2, 3]);
        assert_eq!(mistakes(&rule.repeat(100)).len(), MAX_MISTAKES);
    }

    #[test]
    fn letters_that_look_like_others_are_mistakes() {
        for text in [
            // A Cyrillic `ѕ`, and an order of writing that is turned around.
            "forbid (principal == Component::\"ѕhop/cart\", action, resource);",
            "forbid (principal in Namespace::\"ѕһор\", action, resource);",
            "forbid (principal, action == Action::\"publish\", resource) when { resource.text == \"оrders\" };",
            "forbid (principal, action == Action::\"publish\", resource) when { resource.text == \"a\u{202e}b\" };",
        ] {
            assert_eq!(mistake(text).line, 1);
        }
    }

    #[test]
    fn what_is_too_large_or_nothing_is_refused() {
        let parsed = |text: &str| Policy::parse(text, "p").map(drop).unwrap_err();
        let huge = " ".repeat(MAX_POLICY_BYTES + 1);
        assert_eq!(parsed(&huge), PolicyError::TooLarge("p".into()));
        assert_eq!(parsed("// nothing\n"), PolicyError::NoRules("p".into()));
        let many = "permit(principal,action,resource);".repeat(MAX_RULES + 1);
        assert_eq!(parsed(&many), PolicyError::TooManyRules("p".into()));
        let no_text = Policy::from_bytes(b"permit\n(\xff", "p")
            .map(drop)
            .unwrap_err();
        let expected = PolicyError::NotUtf8 {
            file: "p".into(),
            line: 2,
        };
        assert_eq!(no_text, expected);
    }

    /// As deep as they may be, each in another way.
    fn deepest_rules() -> [String; 7] {
        let head = "permit (principal, action, resource) when { ";
        // The clause and the dots count as well.
        let (all, half) = (MAX_CHAIN - 3, MAX_CHAIN / 2 - 2);
        let ors = "principal.name == \"b\" || ".repeat(half);
        let ands = "true && ".repeat(all);
        let ifs = "if principal.name == \"b\" then true else ".repeat(half);
        let sums = "1 + ".repeat(all);
        let clauses = "when { true } ".repeat(all);
        let (open, close) = ("(".repeat(MAX_DEPTH - 1), ")".repeat(MAX_DEPTH - 1));
        let records = "{a: ".repeat(MAX_DEPTH - 1);
        [
            format!("{head}{ors}principal.name == \"cart\" }};"),
            format!("{head}{ands}true }};"),
            format!("{head}{ifs}true }};"),
            format!("{head}{sums}1 > 0 }};"),
            format!("permit (principal, action, resource) {clauses};"),
            format!("{head}{open}true{close} }};"),
            format!("{head}{records}1{} has a }};", "}".repeat(MAX_DEPTH - 1)),
        ]
    }

    /// Read, evaluated and dropped on a stack that is smaller than what a guest runs on.
    #[test]
    fn the_deepest_rule_needs_no_deep_stack() {
        let small = thread::Builder::new().stack_size(128 << 10);
        let reader = small.spawn(|| {
            let asking = Principal {
                component: "shop/cart".into(),
                version: "1".into(),
                digest: "sha256:0".into(),
                signer: None,
            };
            for text in deepest_rules() {
                let policy = Policy::parse(&text, "policy.cedar");
                let policy = policy.unwrap_or_else(|error| panic!("{error}"));
                let verdict = policy.decide(&asking, Capability::Config, "key", 0);
                assert!(verdict.allowed, "{verdict:?} {text}");
            }
        });
        reader.unwrap().join().unwrap();
    }

    #[test]
    fn what_nests_deeper_is_a_mistake() {
        let head = "permit (principal, action, resource) when { ";
        for (link, times) in [
            ("(", 100_000),
            ("!", 100_000),
            ("if ", 100_000),
            ("a || ", 100_000),
        ] {
            let found = mistake(&format!("{head}{}", link.repeat(times)));
            assert!(found.message.contains("at most"), "{found}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_read_or_refused(
            text in any::<String>(),
            code in "(permit|forbid|when|\\(|\\)|\\{|\\}|;|principal|action|resource|,|@id|\"a\"|==|in|Component::| |\\.|\n){0,40}",
        ) {
            for text in [text, code] {
                if let Err(error) = Policy::parse(&text, "policy.cedar") {
                    let shown = error.to_string();
                    prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
                }
            }
        }
    }
}
