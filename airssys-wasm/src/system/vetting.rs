//! What a version of a component may do, and whether that is what it needs.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

// Layer 3: Internal module imports
use crate::component::deployment::{MakeGuest, Version};
use crate::core::component::digest::Digest;
use crate::core::memory::ComponentMemory;
use crate::core::security::capabilities::Capabilities;
use crate::core::security::principal::Principal;
use crate::core::storage::usage::Usage;
use crate::runtime::store::StoreManager;
use crate::security::access::Access;
use crate::security::granted::Granted;
use crate::security::grants::{Grants, InvalidGrant, Missing};
use crate::security::policy::denied::DeniedByRule;
use crate::system::config::component::ComponentConfig;
use crate::system::neighbourhood::Neighbourhood;
use crate::system::node::Node;
use crate::system::program::{Equipment, Program};
use crate::system::provisioning::{ProvisionError, provide, tell_of_idle};

/// Why a version of a component is not run here, although it could be.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It needs more than is granted.
    Needs(Vec<Missing>),
    /// What it needs, or what is granted, is not written as it has to be.
    Grant(InvalidGrant),
    /// Something that it is to be given is not there.
    Provision(ProvisionError),
    /// The policy does not let it run.
    Policy(DeniedByRule),
}

/// A version that may run.
pub(crate) struct Fit {
    /// Makes its guests.
    pub(crate) make: MakeGuest<StoreManager>,
    /// What they may do.
    pub(crate) access: Arc<Access>,
}

/// Whose version it is.
pub(crate) struct Vetted<'a> {
    pub(crate) config: &'a ComponentConfig,
    pub(crate) granted: &'a Arc<Granted>,
    pub(crate) usage: &'a Arc<Usage>,
    pub(crate) memory: &'a Arc<ComponentMemory>,
}

impl Node {
    /// Looks whether a version that was loaded gets what it needs, and makes its guests
    /// then: they may do what is granted and needed.
    pub(crate) fn vet(
        self: &Arc<Self>,
        vetted: Vetted<'_>,
        program: &Program,
    ) -> Result<Fit, Unfit> {
        let config = vetted.config;
        let needs = needs_of(config, program).as_ref().map(Grants::compile);
        let needs = needs.transpose().map_err(Unfit::Grant)?;
        let principal = Principal {
            component: config.name.to_string(),
            version: program.id.label.clone(),
            digest: program.id.digest.to_string(),
            signer: program.signer.clone(),
        };
        let access = Arc::new(Access::new(
            Arc::clone(vetted.granted),
            needs,
            Arc::clone(&self.policy),
            principal,
        ));
        self.vet_again(&access)?;
        let surroundings = Neighbourhood::new(self, &vetted, Arc::clone(&access));
        tell_of_idle(config, vetted.granted);
        let equipment = Equipment {
            limits: config.limits.clone(),
            memory: Arc::clone(vetted.memory),
            provisions: Arc::new(provide(config).map_err(Unfit::Provision)?),
            surroundings: Arc::new(surroundings),
        };
        Ok(Fit {
            make: self.workshop.maker(program, equipment),
            access,
        })
    }

    /// Looks whether a version gets what it needs at this moment, and may run.
    pub(crate) fn vet_again(&self, access: &Access) -> Result<(), Unfit> {
        let missing = access.missing();
        if !missing.is_empty() {
            return Err(Unfit::Needs(missing));
        }
        self.may_start(access.principal()).map_err(Unfit::Policy)
    }
}

impl Node {
    /// What the current version of a component may do.
    pub(crate) fn access_of(&self, component: &str) -> Option<Arc<Access>> {
        let components = self.read_components();
        let component = components.by_name.get(component)?;
        let current = component.deployment.current();
        component.accesses.of(current.id.digest)
    }
}

/// What the versions of a component may do that are kept.
#[derive(Debug, Default)]
pub(crate) struct Accesses(Mutex<BTreeMap<Digest, Arc<Access>>>);

impl Accesses {
    /// That of a component's only version.
    pub(crate) fn first(version: Digest, access: Arc<Access>) -> Arc<Self> {
        Arc::new(Self(Mutex::new([(version, access)].into())))
    }

    /// Takes note of a version that is about to run.
    pub(crate) fn add(&self, version: Digest, access: Arc<Access>) {
        let mut accesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accesses.insert(version, access);
    }

    /// Forgets the versions that are not `kept`.
    pub(crate) fn retain(&self, kept: &[Arc<Version<StoreManager>>]) {
        let mut accesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accesses.retain(|digest, _| kept.iter().any(|version| version.id.digest == *digest));
    }

    /// What a version may do.
    pub(crate) fn of(&self, version: Digest) -> Option<Arc<Access>> {
        let accesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accesses.get(&version).cloned()
    }
}

/// What the binary says that it needs, and what the operator says, together.
fn needs_of(config: &ComponentConfig, program: &Program) -> Option<Capabilities> {
    let declared = program.compiled.outline().needs.clone();
    let (Some(mut both), Some(written)) = (declared.clone(), &config.needs) else {
        return declared.or_else(|| config.needs.clone());
    };
    for (capability, pattern) in written.iter() {
        both.of_mut(capability).push(pattern.to_owned());
    }
    Some(both)
}
