//! Adding components, and changing their versions while messages flow.

// Layer 1: Standard library imports
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::component::deployment::{Deployment, Version};
use crate::component::world::World;
use crate::core::event::Event;
use crate::core::memory::ComponentMemory;
use crate::core::security::audit::Operation;
use crate::core::storage::store::VersionId;
use crate::core::turn::recorded::RecordedTurn;
use crate::runtime::store::StoreManager;
use crate::security::granted::Granted;
use crate::system::config::component::ComponentConfig;
use crate::system::config::system::{MAX_ENTRIES, SystemConfig};
use crate::system::error::{ControlError, StartError};
use crate::system::node::{Component, Node};
use crate::system::replay::{ReplayReport, replay};
use crate::system::signing::Binary;
use crate::system::vetting::{Accesses, Fit, Unfit, Vetted};
use crate::system::waiting::until;

/// How long an upgrade waits for live actors to switch. Those that are within a turn
/// switch when it ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was added to a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeployReport {
    /// The component.
    pub component: String,
    /// What its actors run.
    pub version: Arc<VersionId>,
    /// The name of the trusted key that signed it, if one did.
    pub signer: Option<String>,
}

/// How an upgrade, or a return to an earlier version, went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpgradeReport {
    /// The component.
    pub component: String,
    /// What its actors ran.
    pub from: Arc<VersionId>,
    /// What they run now.
    pub to: Arc<VersionId>,
    /// The name of the trusted key that signed it, if it is new and one did.
    pub signer: Option<String>,
    /// How many recorded turns the new version was tried on.
    pub tried: usize,
    /// Those of them that went otherwise than they had.
    pub different: Vec<ReplayReport>,
    /// Live actors that have switched.
    pub switched: usize,
    /// Live actors that had not when the report was made.
    pub not_switched: Vec<String>,
    /// Whether the new version failed so often meanwhile that the old one is back.
    pub is_reverted: bool,
}

impl Node {
    /// Adds a component, and starts those of its actors that always run.
    pub(crate) async fn deploy(
        self: &Arc<Self>,
        config: ComponentConfig,
        binary: Binary,
    ) -> Result<DeployReport, StartError> {
        let report = self.add(config, binary).await?;
        self.start_always(|actor| actor.component() == report.component);
        Ok(report)
    }

    /// Adds a component.
    pub(crate) async fn add(
        self: &Arc<Self>,
        config: ComponentConfig,
        binary: Binary,
    ) -> Result<DeployReport, StartError> {
        self.is_open().map_err(|_| StartError::ShuttingDown)?;
        self.check_alone(&config)?;
        let mut config = config;
        self.ceiling.lower(&mut config.limits);
        if !self.durability_of(&config).is_durable() {
            config.limits.lower_to_memory(&self.ceiling);
        }
        let name = config.name.to_string();
        if self.component(&name).is_some() {
            return Err(StartError::Exists(name));
        }
        let usage = self.usage_of(&name);
        let allowed = config.limits.total_memory_bytes;
        let memory = ComponentMemory::new(Arc::clone(&self.memory), allowed);
        let granted = Granted::new(config.grants.clone());
        let granted = granted.map_err(|source| StartError::unfit(&name, Unfit::Grant(source)))?;
        let granted = Arc::new(granted);
        let checked = self.check_signature(&name, binary).await;
        let checked = checked.map_err(|error| StartError::untrusted(&name, error))?;
        let loaded = self.workshop.load(&config, checked).await;
        let program = loaded.map_err(|source| StartError::Component {
            name: name.clone(),
            source,
        })?;
        let vetted = Vetted {
            config: &config,
            granted: &granted,
            usage: &usage,
            memory: &memory,
        };
        let fit = self.vet(vetted, &program);
        let Fit { make, access } = fit.map_err(|unfit| StartError::unfit(&name, unfit))?;
        let deployment = Deployment::new(
            name.clone(),
            config.actor_settings(self.durability_of(&config)),
            config.run.clone(),
            program.id,
            make,
        );
        let deployment = Arc::new(deployment.with_usage(usage).with_memory(memory));
        let report = DeployReport {
            component: name.clone(),
            version: Arc::clone(&deployment.current().id),
            signer: program.signer,
        };
        let component = Component {
            config: Arc::new(config),
            deployment,
            granted,
            accesses: Accesses::first(report.version.digest, access),
            changing: Arc::default(),
        };
        self.insert(name.clone(), component)?;
        self.tell(|| Event::Deployed {
            component: name,
            version: Arc::clone(&report.version),
        });
        Ok(report)
    }

    /// Checks a component that comes alone, as strictly as if it had come with the system.
    fn check_alone(&self, config: &ComponentConfig) -> Result<(), StartError> {
        let alone = SystemConfig {
            components: vec![config.clone()],
            // All that counts is whether there is one.
            data: self.store.log().map(|_log| PathBuf::from("data")),
            security: self.security.clone(),
            ceiling: self.ceiling,
            ..SystemConfig::default()
        };
        Ok(alone.check()?)
    }

    fn insert(&self, name: String, component: Component) -> Result<(), StartError> {
        let mut components = self
            .components
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if components.by_name.contains_key(&name) {
            return Err(StartError::Exists(name));
        }
        if components.by_name.len() >= MAX_ENTRIES {
            return Err(StartError::TooMany(MAX_ENTRIES));
        }
        components.by_name.insert(name, component);
        components.names = components.by_name.keys().cloned().collect();
        Ok(())
    }

    /// Changes the version of a component: the new one is compiled, tried on recorded
    /// turns, and then each actor switches between two turns.
    pub(crate) async fn upgrade(
        self: &Arc<Self>,
        name: &str,
        binary: Binary,
    ) -> Result<UpgradeReport, ControlError> {
        let component = self.existing(name)?;
        let busy = |_| ControlError::Busy(name.to_owned());
        let _changing = component.changing.try_lock().map_err(busy)?;
        let checked = self.check_signature(name, binary).await;
        let checked = checked.map_err(|error| ControlError::untrusted(name, error))?;
        let loaded = self.workshop.load(&component.config, checked).await;
        let program = loaded.map_err(ControlError::Component)?;
        let vetted = Vetted {
            config: &component.config,
            granted: &component.granted,
            usage: &component.deployment.usage,
            memory: &component.deployment.memory,
        };
        let fit = self.vet(vetted, &program);
        let Fit { make, access } = fit.map_err(|unfit| ControlError::unfit(name, unfit))?;
        let candidate = Version {
            number: 0,
            id: Arc::new(program.id),
            make: Arc::new(make),
        };
        if component.deployment.current().id.digest == candidate.id.digest {
            return Err(ControlError::SameVersion {
                component: name.to_owned(),
                version: candidate.id.label.clone(),
            });
        }
        let (tried, different) = try_on_recorded(&component, &candidate).await?;
        // What was granted may have been revoked meanwhile, and the policy replaced.
        let vetted = self.vet_again(&access);
        vetted.map_err(|unfit| ControlError::unfit(name, unfit))?;
        let now_ms = self.clock.now().clock_ms;
        let deployment = &component.deployment;
        let Version { id, make, .. } = candidate;
        component.accesses.add(id.digest, access);
        let from = deployment.try_version(Arc::clone(&id), make, now_ms);
        component.accesses.retain(&deployment.versions());
        self.audit_change(Operation::Upgrade, name, &id);
        let mut report = self.switch(&component, &from, id).await;
        report.signer = program.signer;
        report.tried = tried;
        report.different = different;
        Ok(report)
    }

    /// Returns to a kept version: the one with this digest or this name, or else the one
    /// before the current one.
    pub(crate) async fn roll_back(
        self: &Arc<Self>,
        name: &str,
        version: Option<&str>,
    ) -> Result<UpgradeReport, ControlError> {
        let component = self.existing(name)?;
        let busy = |_| ControlError::Busy(name.to_owned());
        let _changing = component.changing.try_lock().map_err(busy)?;
        let kept = component.deployment.versions();
        let chosen = match version {
            None => kept.get(1).cloned(),
            Some(wanted) => kept.iter().find(|it| is_meant(&it.id, wanted)).cloned(),
        };
        let Some(chosen) = chosen else {
            return Err(match version {
                None => ControlError::NoEarlierVersion(name.to_owned()),
                Some(wanted) => no_version(name, wanted, &kept),
            });
        };
        if chosen.number == component.deployment.current_number() {
            return Err(ControlError::SameVersion {
                component: name.to_owned(),
                version: chosen.id.label.clone(),
            });
        }
        let access = component.accesses.of(chosen.id.digest);
        let access = access.ok_or_else(|| no_version(name, &chosen.id.label, &kept))?;
        let vetted = self.vet_again(&access);
        vetted.map_err(|unfit| ControlError::unfit(name, unfit))?;
        let from = component.deployment.return_to(&chosen);
        let to = Arc::clone(&chosen.id);
        self.audit_change(Operation::Rollback, name, &to);
        Ok(self.switch(&component, &from, to).await)
    }

    /// Has the live actors switch to what is the current version already, and waits until
    /// they have.
    async fn switch(
        &self,
        component: &Component,
        from: &Version<StoreManager>,
        to: Arc<VersionId>,
    ) -> UpgradeReport {
        let name = &component.deployment.name;
        self.tell(|| Event::UpgradeStarted {
            component: name.clone(),
            from: Arc::clone(&from.id),
            to: Arc::clone(&to),
        });
        let number = component.deployment.current_number();
        let live = self.cells_of(name);
        self.signal_switch(name);
        // One that has no instance at the moment has nothing to switch.
        let has_switched = |version: u64| version == 0 || version >= number;
        let is_done = || {
            component.deployment.current_number() != number
                || live.iter().all(|cell| has_switched(cell.version()))
        };
        until(PATIENCE, is_done).await;
        let switched = live.iter().filter(|cell| has_switched(cell.version()));
        let others = live.iter().filter(|cell| !has_switched(cell.version()));
        UpgradeReport {
            component: name.clone(),
            from: Arc::clone(&from.id),
            to,
            signer: None,
            tried: 0,
            different: Vec::new(),
            switched: switched.count(),
            not_switched: others.map(|cell| cell.address.to_string()).collect(),
            is_reverted: component.deployment.current_number() != number,
        }
    }

    /// The version to run a recorded turn on: the one that is asked for, else the one that
    /// it ran on, else the current one.
    pub(crate) fn version_for(
        &self,
        turn: &RecordedTurn,
        wanted: Option<&str>,
    ) -> Result<Arc<Version<StoreManager>>, ControlError> {
        let component = self.existing(turn.actor.component())?;
        let kept = component.deployment.versions();
        let Some(wanted) = wanted else {
            let ran_on = kept.iter().find(|it| it.id.digest == turn.component);
            let current = || component.deployment.current();
            return Ok(ran_on.map_or_else(current, Arc::clone));
        };
        let found = kept.iter().find(|it| is_meant(&it.id, wanted)).cloned();
        found.ok_or_else(|| no_version(turn.actor.component(), wanted, &kept))
    }

    pub(crate) fn existing(&self, name: &str) -> Result<Component, ControlError> {
        let missing = || ControlError::NoComponent(name.to_owned());
        self.component(name).ok_or_else(missing)
    }
}

/// Runs the turns that were kept on a version that is to come. It must not fail where the
/// running one does not: a turn that lived on what its guest had in memory fails on both.
async fn try_on_recorded(
    component: &Component,
    candidate: &Version<StoreManager>,
) -> Result<(usize, Vec<ReplayReport>), ControlError> {
    let turns = component.deployment.recordings.list();
    let current = component.deployment.current();
    let mut different = Vec::new();
    let mut failures = Vec::new();
    for turn in &turns {
        let (report, result) = replay(turn, candidate).await;
        if let Err(error) = result
            && replay(turn, &current).await.1.is_ok()
        {
            failures.push(format!("{:?} to {}: {error}", report.kind, report.actor));
        }
        if !report.is_same() {
            different.push(report);
        }
    }
    match failures.first() {
        None => Ok((turns.len(), different)),
        Some(first) => Err(ControlError::TrialFailed {
            tried: turns.len(),
            failed: failures.len(),
            first: first.clone(),
        }),
    }
}

fn no_version(component: &str, wanted: &str, kept: &[Arc<Version<StoreManager>>]) -> ControlError {
    ControlError::NoVersion {
        component: component.to_owned(),
        version: wanted.to_owned(),
        kept: kept.iter().map(|it| it.id.label.clone()).collect(),
    }
}

/// Whether a version is meant by its name, its digest or the beginning of that.
fn is_meant(id: &VersionId, wanted: &str) -> bool {
    let digest = id.digest.to_string();
    let is_beginning = |digest: &str| wanted.len() >= 6 && digest.starts_with(wanted);
    id.label == wanted || is_beginning(&digest) || is_beginning(&digest["sha256:".len()..])
}
