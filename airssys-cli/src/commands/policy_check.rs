//! `airssys policy check`: is it a policy, and what does it decide?

// Layer 1: Standard library imports
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

// Layer 2: Third-party crate imports
use airssys_wasm::core::component::id::{ComponentId, InvalidId};
use airssys_wasm::core::security::principal::Principal;
use airssys_wasm::security::grants::Grants;
use airssys_wasm::security::policy::action::PolicyAction;
use airssys_wasm::security::policy::minute::Minute;
use airssys_wasm::security::policy::rule_set::Policy;
use airssys_wasm::security::policy::verdict::{Rule, Verdict};
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::SystemConfig;
use airssys_wasm::system::policy_file::read_policy;
use clap::Args;
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::now::now_ms;
use crate::output::{self, Form, FormArgs};
use crate::place;
use crate::policy_advice::no_policy;
use crate::quantity::many;
use crate::text::visible;

const EXAMPLES: &str = "\
Examples:
  airssys policy check policy.cedar
  airssys policy check policy.cedar --component shop/cart --action start --signer release
  airssys policy check --manifest . --component shop/cart --action send \\
    --resource shop/stock/main
  airssys policy check policy.cedar --component shop/cart --action network \\
    --resource api.example.com:443 --at 2026-11-23T03:00:00Z --json | jq .policy.rules";

/// Check a policy, or say what it decides and by which rule
///
/// With a question the exit code is 0 if it is allowed and 15 if it is denied. With a
/// manifest it is allowed if the grants, the needs and the policy allow it. With --json it
/// prints file and rules (line, name, effect) or, with a question, allowed, component, action,
/// resource, at, grants (granted, needed) and policy (allowed, rules with their text, errors).
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// The policy, a Cedar file [default: that of the manifest]
    #[arg(required_unless_present = "manifest")]
    file: Option<PathBuf>,
    /// An airssys.toml or its folder: its policy and what it grants
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Args)]
#[command(next_help_heading = "A question")]
struct QuestionArgs {
    /// Who asks: a component, or one of its actors
    #[arg(long, value_name = "NAMESPACE/NAME[/INSTANCE]", requires = "action")]
    component: Option<Asking>,
    /// What for: a capability, such as `send`, or `start`
    #[arg(long, requires = "component")]
    action: Option<PolicyAction>,
    /// To what: an actor, a topic, a host and port, and so on [default for `start`: the system]
    #[arg(long, requires = "component", required_if_eq_any = uses())]
    resource: Option<String>,
    /// The component's version
    #[arg(long, default_value = "0.0.0", requires = "component")]
    version: String,
    /// The digest of its bytes
    #[arg(long, default_value = "", requires = "component")]
    digest: String,
    /// The name of the key that signed it [default: not signed]
    #[arg(long, requires = "component")]
    signer: Option<String>,
    /// When, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", requires = "component")]
    at: Option<Minute>,
}

/// All actions that need a resource.
fn uses() -> Vec<(&'static str, &'static str)> {
    let actions = PolicyAction::all().filter(|action| *action != PolicyAction::Start);
    actions.map(|action| ("action", action.name())).collect()
}

/// An actor of a component; the one called `main` if none is named.
#[derive(Debug, Clone)]
struct Asking(ComponentId);

impl FromStr for Asking {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split('/').count() {
            2 => format!("{text}/main").parse().map(Self),
            _ => text.parse().map(Self),
        }
    }
}

/// What is asked.
struct Question<'a> {
    actor: &'a ComponentId,
    principal: Principal,
    action: PolicyAction,
    resource: String,
    at: Minute,
}

/// What was checked.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    file: String,
    rules: Vec<&'a Rule>,
}

/// What was decided, and why.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    allowed: bool,
    component: &'a str,
    action: PolicyAction,
    resource: &'a str,
    at: String,
    /// What the manifest says, if it was named; nothing is granted for a start.
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<Granted>,
    /// What the policy says, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Decided<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Granted {
    granted: bool,
    /// Whether it is among the needs that the manifest declares, if it declares some.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Decided<'a> {
    file: String,
    allowed: bool,
    rules: Vec<Quoted<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

/// A rule and what it says.
#[derive(Debug, Serialize)]
struct Quoted<'a> {
    #[serde(flatten)]
    rule: Rule,
    text: &'a str,
}

/// Checks a policy, or answers a question.
pub(crate) fn check(args: &CheckArgs) -> Exit {
    let form = args.form.form();
    match answer(args, form) {
        Ok(true) => Exit::Success,
        Ok(false) => Exit::Denied,
        Err(failure) => output::exit_of(form, Err(failure)),
    }
}

/// Says whether it is allowed; that it is a policy, if nothing is asked.
fn answer(args: &CheckArgs, form: Form) -> Result<bool, Failure> {
    let config = args.manifest.as_deref().map(place::read).transpose()?;
    let named = config.as_ref().and_then(|it| it.security.policy.clone());
    let file = args.file.clone().or(named);
    let policy = file.as_deref().map(read_policy).transpose();
    let policy = policy.map_err(|e| no_policy(&e))?;
    let read = policy.as_ref().zip(file.as_deref());
    let Some(question) = args.question.read(config.as_ref()) else {
        let (policy, file) = read.ok_or_else(no_file)?;
        return tell_rules(policy, file, form).map(|()| true);
    };
    let grants = match &config {
        Some(config) => granted(config, &question)?,
        None => None,
    };
    let decided = read.map(|(policy, file)| question.decide(policy, file));
    let is_granted = grants.is_none_or(|it| it.granted && it.needed != Some(false));
    let explained = Explained {
        allowed: is_granted && decided.as_ref().is_none_or(|it| it.allowed),
        component: &question.principal.component,
        action: question.action,
        resource: &question.resource,
        at: question.at.to_string(),
        grants,
        policy: decided,
    };
    match form {
        Form::Json => output::write_json(&explained)?,
        Form::Text => output::write(explained.text().as_bytes())?,
    }
    Ok(explained.allowed)
}

fn tell_rules(policy: &Policy, file: &Path, form: Form) -> Result<(), Failure> {
    let checked = Checked {
        file: file.display().to_string(),
        rules: policy.rules().collect(),
    };
    match form {
        Form::Json => output::write_json(&checked),
        Form::Text => {
            let rules = many(checked.rules.len() as u64, "rule");
            output::write(format!("{}: {rules}, no mistake\n", visible(&checked.file)).as_bytes())
        }
    }
}

impl QuestionArgs {
    /// What is asked, if something is.
    fn read(&self, config: Option<&SystemConfig>) -> Option<Question<'_>> {
        let (Asking(actor), action) = self.component.as_ref().zip(self.action)?;
        let name = config.and_then(|it| it.name.clone());
        let resource = self.resource.clone().or(name);
        Some(Question {
            actor,
            principal: Principal {
                component: actor.component().to_owned(),
                version: self.version.clone(),
                digest: self.digest.clone(),
                signer: self.signer.clone(),
            },
            action,
            resource: resource.unwrap_or_else(|| "airssys".to_owned()),
            at: self.at.unwrap_or_else(|| Minute::of(now_ms())),
        })
    }
}

impl Question<'_> {
    fn decide<'a>(&self, policy: &'a Policy, file: &Path) -> Decided<'a> {
        let at_ms = self.at.unix_ms();
        let Verdict {
            allowed,
            rules,
            errors,
        } = policy.decide(&self.principal, self.action, &self.resource, at_ms);
        let quoted = rules.into_iter().map(|rule| Quoted {
            text: policy.rule_text(&rule).unwrap_or_default(),
            rule,
        });
        Decided {
            file: file.display().to_string(),
            allowed,
            rules: quoted.collect(),
            errors,
        }
    }
}

/// What a manifest grants, and what it says is needed.
fn granted(config: &SystemConfig, question: &Question<'_>) -> Result<Option<Granted>, Failure> {
    let PolicyAction::Use(capability) = question.action else {
        return Ok(None);
    };
    let mut components = config.components.iter();
    let component = components.find(|it| it.name.as_str() == question.principal.component);
    let component: &ComponentConfig = component.ok_or_else(|| {
        let message = format!(
            "the manifest has no component {}",
            question.principal.component
        );
        Failure::new(Exit::BadManifest, "unknown-component", message)
    })?;
    let allow = |patterns| {
        let grants = Grants::compile(patterns);
        // The manifest was checked when it was read.
        grants.is_ok_and(|it| it.allow(question.actor, capability, &question.resource))
    };
    Ok(Some(Granted {
        granted: allow(&component.grants),
        needed: component.needs.as_ref().map(allow),
    }))
}

impl Explained<'_> {
    fn text(&self) -> String {
        let word = if self.allowed { "allowed" } else { "denied" };
        let resource = visible(self.resource);
        let mut text = format!(
            "{word}: {} {} for {resource}, at {}\n",
            self.component, self.action, self.at
        );
        if let Some(grants) = self.grants {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  grants  {}", grants.words());
        }
        match &self.policy {
            None => text.push_str("  policy  there is none\n"),
            Some(policy) => policy.write(&mut text),
        }
        text
    }
}

impl Granted {
    fn words(self) -> &'static str {
        match (self.granted, self.needed) {
            (false, _) => "not granted",
            (true, Some(false)) => "granted, but not among the needs that the manifest declares",
            (true, _) => "granted",
        }
    }
}

impl Decided<'_> {
    fn write(&self, text: &mut String) {
        let words = match (self.errors.first(), self.rules.is_empty(), self.allowed) {
            (Some(error), ..) => format!("cannot be decided, which denies it: {error}"),
            (None, true, _) => "no rule permits it".to_owned(),
            (None, false, true) => "permitted by".to_owned(),
            (None, false, false) => "forbidden by".to_owned(),
        };
        let _ = writeln!(text, "  policy  {}", visible(&words));
        for Quoted { rule, text: quoted } in &self.rules {
            let (file, name) = (visible(&self.file), visible(&rule.name));
            let _ = writeln!(text, "    {file}:{}: {name}", rule.line);
            for line in quoted.lines() {
                let _ = writeln!(text, "      {}", visible(line));
            }
        }
    }
}

fn no_file() -> Failure {
    Failure::new(
        Exit::BadManifest,
        "no-policy",
        "the manifest names no policy",
    )
    .next("name a file: `airssys policy check policy.cedar`, or write `policy` below `[security]`")
}
