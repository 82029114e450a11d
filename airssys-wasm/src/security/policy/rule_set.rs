//! A policy: the rules that an operator wrote.

// Layer 1: Standard library imports
use std::mem;
use std::ops::Range;
use std::str;

// Layer 2: Third-party crate imports
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Entity, PolicyId, PolicySet,
    Request, RestrictedExpression,
};

// Layer 3: Internal module imports
use crate::core::security::principal::Principal;
use crate::security::policy::action::PolicyAction;
use crate::security::policy::minute::Minute;
use crate::security::policy::policy_error::{MAX_POLICY_BYTES, PolicyError};
use crate::security::policy::reading::Reading;
use crate::security::policy::resource::{describe, entity, string};
use crate::security::policy::schema::Vocabulary;
use crate::security::policy::stack::on_own_stack;
use crate::security::policy::verdict::{Rule, Verdict};

/// An operator's rules above grants, written in [Cedar](https://www.cedarpolicy.com) and
/// checked against the [schema](crate::security::policy::schema::schema_text).
///
/// What no rule permits is denied, and what a rule forbids is denied whatever others permit.
///
/// ```
/// use airssys_wasm::core::security::capability::Capability;
/// use airssys_wasm::core::security::principal::Principal;
/// use airssys_wasm::security::policy::rule_set::Policy;
///
/// let policy = Policy::parse(
///     r#"
///     permit (principal in Namespace::"shop", action, resource);
///
///     @id("no network at night")
///     forbid (principal, action == Action::"network", resource)
///     when { context.hour < 6 };
///     "#,
///     "policy.cedar",
/// )?;
/// let cart = Principal {
///     component: "shop/cart".into(),
///     version: "1.4.0".into(),
///     digest: "sha256:…".into(),
///     signer: None,
/// };
/// let three_o_clock_ms = 3 * 3_600_000;
/// let at_night = policy.decide(&cart, Capability::Network, "example.com:443", three_o_clock_ms);
/// assert!(!at_night.allowed);
/// assert_eq!(at_night.rules[0].name, "no network at night");
/// # Ok::<(), airssys_wasm::security::policy::policy_error::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    pub(super) words: Vocabulary,
    pub(super) set: PolicySet,
    pub(super) text: String,
    /// In the order of the file, in which Cedar numbers them.
    pub(super) rules: Vec<Written>,
    pub(super) looks_at_time: bool,
}

/// A rule and where it stands.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) rule: Rule,
    pub(super) place: Range<usize>,
}

impl Policy {
    /// Reads a policy. The `file_name` stands in errors.
    ///
    /// Costs some milliseconds, and about a tenth of one for each rule.
    ///
    /// # Errors
    ///
    /// When the text is larger than [`MAX_POLICY_BYTES`], has no rule or more than
    /// [`MAX_RULES`](crate::security::policy::policy_error::MAX_RULES), or has mistakes, which
    /// are shown with their lines: what is no Cedar, what does not fit the schema, a rule that
    /// can never apply, a name of a component that is none, and letters that look like others.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, PolicyError> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(PolicyError::TooLarge(file_name.into()));
        }
        // Some editors begin a file with an invisible mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        on_own_stack(|| Reading::new(text, file_name)?.read())
    }

    /// Reads a policy from bytes that may be no text.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and when they are no UTF-8.
    pub fn from_bytes(bytes: &[u8], file_name: &str) -> Result<Self, PolicyError> {
        let text = str::from_utf8(bytes).map_err(|error| PolicyError::NotUtf8 {
            file: file_name.to_owned(),
            line: newlines(&bytes[..error.valid_up_to()]) + 1,
        })?;
        Self::parse(text, file_name)
    }

    /// Its rules, in the order of the file.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|written| &written.rule)
    }

    /// What a rule says, as it was written.
    pub fn rule_text(&self, rule: &Rule) -> Option<&str> {
        let mut rules = self.rules.iter();
        let written = rules.find(|written| written.rule == *rule)?;
        Some(&self.text[written.place.clone()])
    }

    /// What was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a rule looks at the time, so that a decision counts for a minute alone.
    pub fn looks_at_time(&self) -> bool {
        self.looks_at_time
    }

    /// Decides whether a component may do something to a resource at a time of day, given in
    /// milliseconds since 1970. The same question in the same minute has the same answer.
    ///
    /// It is denied if a rule forbids it, if no rule permits it, if a rule fails when it is
    /// evaluated, even one that would permit, or if the text is no resource of the action's
    /// form. Costs some tens of microseconds, and about one more for each rule.
    pub fn decide(
        &self,
        principal: &Principal,
        action: impl Into<PolicyAction>,
        resource: &str,
        now_ms: u64,
    ) -> Verdict {
        let (action, at) = (action.into(), Minute::of(now_ms));
        let decided = on_own_stack(|| self.evaluate(principal, action, resource, at));
        decided.unwrap_or_else(Verdict::failed)
    }

    fn evaluate(
        &self,
        principal: &Principal,
        action: PolicyAction,
        resource: &str,
        at: Minute,
    ) -> Result<Verdict, String> {
        let words = &self.words;
        let resource = describe(words, action, resource)?;
        let asking = self.describe_principal(principal)?;
        // Rules that do not look at it cannot tell.
        let context = match self.looks_at_time {
            true => time(at)?,
            false => Context::empty(),
        };
        let (from, on) = (asking.uid(), resource.uid());
        let request = Request::new(from, words.action(action), on, context, None)
            .map_err(|e| e.to_string())?;
        let all = [words.action_in_groups(action), asking, resource];
        let entities = Entities::from_entities(all, None).map_err(|e| e.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);

        let diagnostics = response.diagnostics();
        let reasons = diagnostics.reason();
        let mut rules: Vec<Rule> = reasons.filter_map(|id| self.rule(id)).cloned().collect();
        rules.sort();
        let errors: Vec<String> = diagnostics.errors().map(|e| self.in_words(e)).collect();
        Ok(Verdict {
            allowed: response.decision() == Decision::Allow && errors.is_empty(),
            rules,
            errors,
        })
    }

    fn describe_principal(&self, principal: &Principal) -> Result<Entity, String> {
        let mut attributes = vec![
            ("namespace", string(principal.namespace())),
            ("name", string(principal.name())),
            ("version", string(&principal.version)),
            ("digest", string(&principal.digest)),
        ];
        if let Some(signer) = &principal.signer {
            attributes.push(("signer", string(signer)));
        }
        let uid = self.words.component(&principal.component);
        entity(
            uid,
            attributes,
            [self.words.namespace(principal.namespace())],
        )
    }

    fn rule(&self, id: &PolicyId) -> Option<&Rule> {
        let number = number_of(id)?;
        self.rules.get(number).map(|written| &written.rule)
    }

    fn in_words(&self, error: &AuthorizationError) -> String {
        let AuthorizationError::PolicyEvaluationError(failed) = error;
        match self.rule(failed.policy_id()) {
            Some(rule) => format!("the rule {rule} failed: {}", failed.inner()),
            None => error.to_string(),
        }
    }
}

/// A condition may be so deep that even to drop it needs room.
impl Drop for Policy {
    fn drop(&mut self) {
        let set = mem::take(&mut self.set);
        on_own_stack(|| drop(set));
    }
}

/// The number that Cedar gave to a rule of a text, from 0.
pub(super) fn number_of(id: &PolicyId) -> Option<usize> {
    let id: &str = id.as_ref();
    id.strip_prefix("policy")?.parse().ok()
}

fn time(at: Minute) -> Result<Context, String> {
    let number = |value: u32| RestrictedExpression::new_long(value.into());
    let now = RestrictedExpression::new_datetime(at.to_string());
    let pairs = [
        ("now", now),
        ("hour", number(at.hour())),
        ("minute", number(at.minute())),
        ("weekday", number(at.weekday())),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    Context::from_pairs(pairs).map_err(|e| e.to_string())
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::security::capability::Capability;
    use crate::security::policy::verdict::RuleEffect;

    const NOON_MS: u64 = 1_795_435_200_000; // A Monday, the 23rd of November of 2026.
    const HOUR_MS: u64 = 3_600_000;

    fn policy(text: &str) -> Policy {
        Policy::parse(text, "policy.cedar").unwrap_or_else(|error| panic!("{error}"))
    }

    fn cart(version: &str, signer: Option<&str>) -> Principal {
        Principal {
            component: "shop/cart".into(),
            version: version.into(),
            digest: "sha256:00ff".into(),
            signer: signer.map(str::to_owned),
        }
    }

    fn allows(policy: &Policy, capability: Capability, resource: &str) -> bool {
        let verdict = policy.decide(&cart("1.2.0", None), capability, resource, NOON_MS);
        assert!(verdict.errors.is_empty(), "{verdict:?}");
        verdict.allowed
    }

    #[test]
    fn what_nothing_permits_is_denied() {
        let policy = policy("permit (principal == Component::\"shop/stock\", action, resource);");
        let verdict = policy.decide(&cart("1", None), Capability::Send, "a/b/c", NOON_MS);
        let nothing = Verdict {
            allowed: false,
            rules: Vec::new(),
            errors: Vec::new(),
        };
        assert_eq!(verdict, nothing);
    }

    #[test]
    fn what_a_rule_forbids_is_denied_whatever_others_permit() {
        let policy = policy(
            "permit (principal, action, resource);\n\n\
             @id(\"not to pay\")\n\
             forbid (principal, action, resource in Component::\"shop/pay\");\n\
             permit (principal, action == Action::\"send\", resource);",
        );
        let to_pay = policy.decide(&cart("1", None), Capability::Send, "shop/pay/main", NOON_MS);
        let forbids = Rule {
            line: 3,
            name: "not to pay".into(),
            effect: RuleEffect::Forbid,
        };
        assert!(!to_pay.allowed);
        assert_eq!(to_pay.rules, [forbids]);

        let to_stock = policy.decide(&cart("1", None), Capability::Send, "shop/stock/a", NOON_MS);
        let names: Vec<_> = to_stock
            .rules
            .iter()
            .map(|rule| rule.name.as_str())
            .collect();
        assert!(to_stock.allowed);
        assert_eq!(names, ["rule 1", "rule 3"]);
        let text = policy.rule_text(&to_stock.rules[1]).unwrap();
        assert_eq!(
            text,
            "permit (principal, action == Action::\"send\", resource);"
        );
    }

    #[test]
    fn a_namespace_holds_its_components_and_their_actors() {
        let policy = policy(
            "permit (principal in Namespace::\"shop\", action in Action::\"messaging\",\n\
             resource in Namespace::\"shop\");\n\
             permit (principal, action == Action::\"directory\",\n\
             resource in Component::\"shop/stock\");",
        );
        assert!(allows(&policy, Capability::Send, "shop/stock/main"));
        assert!(!allows(&policy, Capability::Send, "bank/stock/main"));
        assert!(!allows(&policy, Capability::Storage, "shop/stock/main"));
        assert!(allows(&policy, Capability::Directory, "shop/stock"));
        assert!(!allows(&policy, Capability::Directory, "shop/cart"));
        let stranger = Principal {
            component: "shopping/cart".into(),
            ..cart("1", None)
        };
        let verdict = policy.decide(&stranger, Capability::Send, "shop/stock/main", NOON_MS);
        assert!(!verdict.allowed);
    }

    #[test]
    fn a_component_may_be_told_from_others_by_version_digest_and_signer() {
        let policy = policy(
            "permit (principal, action == Action::\"start\", resource == System::\"shop\") when {\n\
               principal.version like \"2.*\" && principal has signer && \n\
               principal.signer == \"release\" };\n\
             permit (principal, action == Action::\"start\", resource) when {\n\
               principal.digest == \"sha256:abcd\" };",
        );
        let start = |principal: &Principal, system: &str| {
            let verdict = policy.decide(principal, PolicyAction::Start, system, NOON_MS);
            assert!(verdict.errors.is_empty(), "{verdict:?}");
            verdict.allowed
        };
        assert!(start(&cart("2.0.1", Some("release")), "shop"));
        assert!(!start(&cart("2.0.1", Some("release")), "bank"));
        assert!(!start(&cart("2.0.1", Some("nightly")), "shop"));
        assert!(!start(&cart("2.0.1", None), "shop"));
        assert!(!start(&cart("1.2.0", Some("release")), "shop"));
        let known = Principal {
            digest: "sha256:abcd".into(),
            ..cart("0", None)
        };
        assert!(start(&known, "bank"));
    }

    #[test]
    fn conditions_see_what_a_resource_has() {
        let policy = policy(
            "permit (principal, action == Action::\"network\", resource) when {\n\
               resource.host like \"*.example.com\" && resource.port == 443 };\n\
             permit (principal, action == Action::\"network\", resource) when {\n\
               resource has ip && resource.ip.isInRange(ip(\"10.0.0.0/8\")) };\n\
             permit (principal, action == Action::\"publish\", resource) when {\n\
               resource.text like \"orders.*\" };\n\
             permit (principal, action == Action::\"read_files\",\n\
               resource in Folder::\"/data\");\n\
             permit (principal, action == Action::\"timers\", resource) when {\n\
               resource in principal && resource.instance != \"main\" };",
        );
        let network = Capability::Network;
        assert!(allows(&policy, network, "API.example.com.:443"));
        assert!(!allows(&policy, network, "api.example.com:80"));
        assert!(!allows(&policy, network, "example.com.evil.org:443"));
        assert!(allows(&policy, network, "10.1.2.3:5432"));
        assert!(allows(&policy, network, "[::ffff:10.1.2.3]:5432"));
        assert!(!allows(&policy, network, "11.1.2.3:5432"));
        assert!(allows(&policy, Capability::Publish, "orders.new"));
        assert!(!allows(&policy, Capability::Publish, "stock.new"));
        assert!(allows(&policy, Capability::ReadFiles, "/data"));
        assert!(allows(&policy, Capability::ReadFiles, "/data/in/a.csv"));
        assert!(!allows(&policy, Capability::ReadFiles, "/database"));
        assert!(!allows(&policy, Capability::WriteFiles, "/data"));
        assert!(allows(&policy, Capability::Timers, "shop/cart/alice"));
        assert!(!allows(&policy, Capability::Timers, "shop/cart/main"));
        assert!(!allows(&policy, Capability::Timers, "shop/stock/alice"));
    }

    #[test]
    fn a_window_of_time_opens_and_closes() {
        let policy = policy(
            "permit (principal, action, resource) when {\n\
               context.weekday <= 5 && context.hour >= 8 && context.hour < 18 &&\n\
               context.now < datetime(\"2027-01-01\") };",
        );
        assert!(policy.looks_at_time());
        let at = |now_ms| {
            let verdict = policy.decide(&cart("1", None), Capability::Clock, "precise", now_ms);
            verdict.allowed
        };
        let before_eight_ms = NOON_MS - 4 * HOUR_MS - 1;
        assert!(!at(before_eight_ms));
        assert!(at(before_eight_ms + 1));
        assert!(at(NOON_MS + 6 * HOUR_MS - 1));
        assert!(!at(NOON_MS + 6 * HOUR_MS));
        assert!(!at(NOON_MS + 5 * 24 * HOUR_MS), "a Saturday");
        assert!(!at(NOON_MS + 365 * 24 * HOUR_MS), "another year");
        assert!(!at(u64::MAX));
    }

    #[test]
    fn only_what_looks_at_the_context_looks_at_the_time() {
        for (text, looks) in [
            ("permit (principal, action, resource);", false),
            ("// context\npermit (principal, action, resource);", false),
            (
                "@id(\"context\") permit (principal, action, resource);",
                false,
            ),
            (
                "permit (principal, action, resource) when { \"context\" != principal.name };",
                false,
            ),
            (
                "permit (principal, action, resource) unless { context.hour > 3 };",
                true,
            ),
            (
                "permit (principal, action, resource) when { {a: context}.a.hour > 3 };",
                true,
            ),
        ] {
            assert_eq!(policy(text).looks_at_time(), looks, "{text}");
        }
    }

    #[test]
    fn a_rule_that_fails_denies() {
        let permits = "permit (principal, action, resource);";
        let fails = "@id(\"sums\") permit (principal, action, resource) when {\n\
                     context.hour * 9223372036854775807 > 1 };";
        let policy = policy(&format!("{permits}\n{fails}"));
        let verdict = policy.decide(&cart("1", None), Capability::Send, "a/b/c", NOON_MS);
        assert!(!verdict.allowed);
        let error = &verdict.errors[0];
        assert!(
            error.starts_with("the rule `sums` (line 2) failed: integer overflow"),
            "{error}"
        );
        // At midnight there is nothing to overflow.
        let midnight_ms = NOON_MS - 12 * HOUR_MS;
        let verdict = policy.decide(&cart("1", None), Capability::Send, "a/b/c", midnight_ms);
        assert!(verdict.allowed);
    }

    #[test]
    fn what_is_no_resource_of_the_action_is_denied() {
        let policy = policy("permit (principal, action, resource);");
        for (capability, resource) in [
            (Capability::Send, "a/b"),
            (Capability::Network, "nowhere"),
            (Capability::ReadFiles, "/data/../etc"),
        ] {
            let verdict = policy.decide(&cart("1", None), capability, resource, NOON_MS);
            assert!(!verdict.allowed && verdict.errors.len() == 1, "{verdict:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_not_alike() {
        let policy = policy(
            "forbid (principal == Component::\"shop/cart\", action, resource);\n\
                             permit (principal, action, resource);",
        );
        let cyrillic = Principal {
            component: "ѕhop/cart".into(),
            ..cart("1", None)
        };
        // Such a component cannot be deployed; the policy sees that it is another.
        let verdict = policy.decide(&cyrillic, Capability::Secrets, "key", NOON_MS);
        assert!(verdict.allowed);
        assert!(!allows(&policy, Capability::Secrets, "key"));
    }
}
