//! What a version of a component may do, and whether that is what it needs.

// Layer 1: Standard library imports
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::deployment::MakeGuest;
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

/// Whose version it is.
pub(crate) struct Vetted<'a> {
    pub(crate) config: &'a ComponentConfig,
    pub(crate) granted: &'a Arc<Granted>,
    pub(crate) usage: &'a Arc<Usage>,
}

impl Node {
    /// Looks whether a version that was loaded gets what it needs, and makes its guests
    /// then: they may do what is granted and needed.
    pub(crate) fn vet(
        self: &Arc<Self>,
        vetted: Vetted<'_>,
        program: &Program,
    ) -> Result<MakeGuest<StoreManager>, Unfit> {
        let config = vetted.config;
        let needs = needs_of(config, program).as_ref().map(Grants::compile);
        let needs = needs.transpose().map_err(Unfit::Grant)?;
        let missing = needs
            .as_ref()
            .map(|needs| vetted.granted.missing(needs, config.name.as_str()));
        match missing {
            Some(missing) if !missing.is_empty() => return Err(Unfit::Needs(missing)),
            _ => {}
        }
        let principal = Principal {
            component: config.name.to_string(),
            version: program.id.label.clone(),
            digest: program.id.digest.to_string(),
            signer: program.signer.clone(),
        };
        self.may_start(&principal).map_err(Unfit::Policy)?;
        let access = Access::new(
            Arc::clone(vetted.granted),
            needs,
            Arc::clone(&self.policy),
            principal,
        );
        let surroundings = Neighbourhood::new(
            self,
            Arc::clone(vetted.usage),
            config.limits.clone(),
            access,
        );
        tell_of_idle(config, vetted.granted);
        let equipment = Equipment {
            limits: config.limits.clone(),
            provisions: Arc::new(provide(config).map_err(Unfit::Provision)?),
            surroundings: Arc::new(surroundings),
        };
        Ok(self.workshop.maker(program, equipment))
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
