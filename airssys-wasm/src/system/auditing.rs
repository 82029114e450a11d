//! What is written down of what is done to a system, and finding it again.

// Layer 1: Standard library imports
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

// Layer 2: Third-party crate imports
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::security::audit::{Action, AuditEntry, Decision, Operation};
use crate::core::security::capability::Capability;
use crate::core::storage::store::VersionId;
use crate::core::time::unix_ms;
use crate::security::audit::error::AuditError;
use crate::security::audit::log::AuditLog;
use crate::security::audit::query::{AuditFound, AuditQuery};
use crate::security::audit::settings::AuditSettings;
use crate::system::config::security::AuditConfig;
use crate::system::config::system::SystemConfig;
use crate::system::error::StartError;
use crate::system::handle::System;
use crate::system::node::Node;
use crate::system::upgrade::DeployReport;

/// The folder of the audit log in a data folder.
pub(crate) const FOLDER: &str = "audit";

/// Something that was done to a system, or wanted.
#[derive(Debug)]
pub(crate) struct Deed {
    action: Action,
    component: String,
    actor: Option<String>,
    resource: String,
}

impl Deed {
    /// Something that is about the system as a whole.
    pub(crate) fn of(operation: Operation) -> Self {
        Self::from_action(Action::Operate(operation))
    }

    /// A use of a capability.
    pub(crate) fn by_use(capability: Capability) -> Self {
        Self::from_action(Action::Use(capability))
    }

    fn from_action(action: Action) -> Self {
        Self {
            action,
            component: String::new(),
            actor: None,
            resource: String::new(),
        }
    }

    /// The same about a component.
    pub(crate) fn on(mut self, component: &str) -> Self {
        component.clone_into(&mut self.component);
        self
    }

    /// The same about an actor, and so about its component.
    pub(crate) fn on_actor(self, actor: &ComponentId) -> Self {
        Self {
            actor: Some(actor.to_string()),
            ..self.on(actor.component())
        }
    }

    /// The same with what it was done with: a version, a pattern, a path.
    pub(crate) fn with(self, resource: impl Display) -> Self {
        Self {
            resource: resource.to_string(),
            ..self
        }
    }

    /// The same with a version.
    pub(crate) fn with_version(self, version: &VersionId) -> Self {
        self.with(format_args!("{} {}", version.label, version.digest))
    }

    /// That it was done at this time, or refused, and why.
    pub(crate) fn entry(self, unix_ms: u64, decision: Decision, why: impl Display) -> AuditEntry {
        AuditEntry {
            component: self.component,
            actor: self.actor,
            resource: self.resource,
            why: why.to_string(),
            ..AuditEntry::new(unix_ms, self.action, decision)
        }
    }

    /// How it ended, at this time.
    pub(crate) fn ended<T, E: Display>(self, unix_ms: u64, ended: &Result<T, E>) -> AuditEntry {
        match ended {
            Ok(_) => self.entry(unix_ms, Decision::Allowed, ""),
            Err(error) => self.entry(unix_ms, Decision::Denied, error),
        }
    }
}

impl System {
    /// What was written down of what was done to the system and what its components were
    /// denied, the newest first, up to this moment. It reads the log's files backwards until
    /// there is enough, at worst all of them.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditFound, AuditError> {
        let (log, query) = (Arc::clone(&self.node.audit), query.clone());
        let found = spawn_blocking(move || log.query(&query)).await;
        found.unwrap_or_else(|panicked| {
            Err(AuditError::Io {
                path: self.node.audit.status().folder.unwrap_or_default(),
                source: panicked.into(),
            })
        })
    }
}

impl Node {
    /// Writes down what was done, or refused, and why.
    pub(crate) fn audit_note(&self, deed: Deed, decision: Decision, why: impl Display) {
        let unix_ms = self.clock.now().unix_ms;
        self.audit.note(deed.entry(unix_ms, decision, why));
    }

    /// Writes down how something ended, and hands it on.
    pub(crate) fn audited<T, E: Display>(&self, deed: Deed, ended: Result<T, E>) -> Result<T, E> {
        let unix_ms = self.clock.now().unix_ms;
        self.audit.note(deed.ended(unix_ms, &ended));
        ended
    }

    /// Writes down that a component was added.
    pub(crate) fn audited_deploy(
        &self,
        component: &str,
        ended: Result<DeployReport, StartError>,
    ) -> Result<DeployReport, StartError> {
        let deed = Deed::of(Operation::Deploy).on(component);
        let deed = match &ended {
            Ok(report) => deed.with_version(&report.version),
            Err(_) => deed,
        };
        self.audited(deed, ended)
    }

    /// Writes down that a component got another version, as soon as it has: whoever wanted it
    /// may be gone before its actors have switched.
    pub(crate) fn audit_change(&self, change: Operation, component: &str, version: &VersionId) {
        let deed = Deed::of(change).on(component).with_version(version);
        self.audit_note(deed, Decision::Allowed, "");
    }

    /// Writes down that something was refused, if it was, and hands on how it ended.
    pub(crate) fn audited_refusal<T, E: Display>(
        &self,
        deed: Deed,
        ended: Result<T, E>,
    ) -> Result<T, E> {
        if let Err(error) = &ended {
            self.audit_note(deed, Decision::Denied, error);
        }
        ended
    }

    /// Writes what was noted, and lets go of the log's folder.
    pub(crate) async fn close_audit(&self) {
        let log = Arc::clone(&self.audit);
        let closed = spawn_blocking(move || log.close()).await;
        if let Ok(Err(error)) = closed {
            tracing::error!(target: "airssys", %error, "the end of the audit log is lost");
        }
    }
}

/// Opens the audit log of a system: in its own folder, or in the data folder, which is there
/// already, or in memory.
pub(crate) fn open_audit(config: &SystemConfig) -> Result<AuditLog, StartError> {
    let audit = &config.security.audit;
    let in_data = || Some(config.data.as_ref()?.join(FOLDER));
    let folder: Option<PathBuf> = audit.folder.clone().or_else(in_data);
    let settings = settings(audit);
    Ok(match folder {
        Some(folder) => AuditLog::open(&folder, settings, unix_ms(SystemTime::now()))?,
        None => AuditLog::in_memory(settings),
    })
}

fn settings(config: &AuditConfig) -> AuditSettings {
    AuditSettings {
        file_bytes: config.file_bytes,
        files: usize::try_from(config.files).unwrap_or(usize::MAX),
        sample: config.sample,
        denials_per_s: config.denials_per_s,
    }
}
