//! The policy of a system: read at the start, replaced while it runs, and asked when a
//! version is to run.

// Layer 1: Standard library imports
use std::fmt::Display;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::security::audit::Operation;
use crate::core::security::principal::Principal;
use crate::security::policy::action::PolicyAction;
use crate::security::policy::denied::DeniedByRule;
use crate::security::policy::policy_error::PolicyError;
use crate::security::policy::rule_set::Policy;
use crate::system::auditing::Deed;
use crate::system::handle::System;
use crate::system::node::Node;
use crate::system::policy_file::{PolicyFileError, read_policy};

/// What a policy that is handed over is called in errors.
const HANDED_OVER: &str = "policy";

/// The policy of a running system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Whether there is one; without, grants alone decide.
    pub is_set: bool,
    /// How many rules it has.
    pub rules: usize,
    /// Its text.
    pub text: String,
}

impl System {
    /// The policy that counts.
    pub fn policy(&self) -> PolicyReport {
        let report = |policy: &Policy| PolicyReport {
            is_set: true,
            rules: policy.rules().len(),
            text: policy.text().to_owned(),
        };
        self.node.policy.inspect(report).unwrap_or(PolicyReport {
            is_set: false,
            rules: 0,
            text: String::new(),
        })
    }

    /// Replaces the policy, or removes it, until the system ends: what counts from the start
    /// belongs in the configuration. It counts from the next host call of every actor on.
    /// Components that run go on running, even if the new policy would not let them start.
    ///
    /// # Errors
    ///
    /// When the text is no policy. The old one counts on.
    pub async fn set_policy(&self, text: Option<&str>) -> Result<PolicyReport, PolicyError> {
        let set = match text {
            None => Ok(None),
            Some(text) => parse(text.to_owned()).await.map(Some),
        };
        let set = set.map(|policy| {
            self.node.policy.replace(policy);
            self.policy()
        });
        self.node.audited_policy(set)
    }

    /// Reads the file of the policy again that the configuration names, and replaces the
    /// policy by what is in it, as [`set_policy`](Self::set_policy) does.
    ///
    /// # Errors
    ///
    /// When no file was configured, or it has no policy. The old one counts on.
    pub async fn reload_policy(&self) -> Result<PolicyReport, PolicyFileError> {
        let reloaded = match self.node.read_policy().await {
            Ok(true) => Ok(self.policy()),
            Ok(false) => Err(PolicyFileError::NoFile),
            Err(error) => Err(error),
        };
        self.node.audited_policy(reloaded)
    }
}

impl Node {
    /// Reads the policy that the configuration names, and says whether it names one.
    pub(crate) async fn read_policy(&self) -> Result<bool, PolicyFileError> {
        let Some(path) = self.security.policy.clone() else {
            return Ok(false);
        };
        let read = spawn_blocking(move || read_policy(&path)).await;
        let broken_off = PolicyFileError::BrokenOff;
        let policy = read.unwrap_or_else(|panicked| Err(broken_off(panicked.to_string())))?;
        self.policy.replace(Some(policy));
        Ok(true)
    }

    /// Writes down that the policy was replaced, by which, or why it was not.
    fn audited_policy<E: Display>(
        &self,
        ended: Result<PolicyReport, E>,
    ) -> Result<PolicyReport, E> {
        let deed = Deed::of(Operation::Policy);
        let deed = match &ended {
            Ok(report) if report.is_set => deed.with(Digest::of(report.text.as_bytes())),
            Ok(_) => deed.with("none"),
            Err(_) => deed,
        };
        self.audited(deed, ended)
    }

    /// Whether the policy lets a version of a component run in this system.
    pub(crate) fn may_start(&self, principal: &Principal) -> Result<(), DeniedByRule> {
        let now_ms = self.clock.now().unix_ms;
        let start = |policy: &Policy| {
            let verdict = policy.decide(principal, PolicyAction::Start, &self.name, now_ms);
            DeniedByRule::from_verdict(verdict)
        };
        self.policy.inspect(start).unwrap_or(Ok(()))
    }
}

/// Reads a policy where that holds up nobody: a large one takes a while.
async fn parse(text: String) -> Result<Policy, PolicyError> {
    let parsed = spawn_blocking(move || Policy::parse(&text, HANDED_OVER)).await;
    parsed.unwrap_or_else(|broken_off| {
        Err(PolicyError::NotRead {
            file: HANDED_OVER.into(),
            message: broken_off.to_string(),
        })
    })
}
