//! Asking whether an actor may do something.

// Layer 1: Standard library imports
use std::hint::black_box;
use std::sync::Arc;

// Layer 3: Internal module imports
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::core::security::principal::Principal;
use airssys_wasm::security::access::Access;
use airssys_wasm::security::granted::Granted;

use crate::figure::Figure;
use crate::measure::{Outcome, Plan, alone, batches};

/// How many other patterns there are of the same capability.
const OTHERS: usize = 100;

/// What is asked about.
const RESOURCE: &str = "shop/stock/main";

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for (key, pattern, other) in [
        ("grant_check", "shop/stock", "other/c"),
        ("grant_check_one_actor", RESOURCE, "other/c"),
        ("grant_check_all", "*", "other/c"),
        ("grant_check_glob", "shop/*/main", "other/*/c"),
    ] {
        let access = access(pattern, other)?;
        let cart = ComponentId::new("shop", "cart", "alice");
        let check = batches(plan, || {
            let resource = black_box(RESOURCE);
            Ok(access.check(&cart, Capability::Send, resource, || 0)?)
        })?;
        figures.push(Figure::plain(key, alone(plan, check)?));
    }
    Ok(figures)
}

/// One pattern among others of a kind, and no policy.
fn access(pattern: &str, other: &str) -> Outcome<Access> {
    let others = (0..OTHERS).map(|number| format!("{other}{number}"));
    let granted = Granted::new(Capabilities {
        send: others.chain([pattern.to_owned()]).collect(),
        ..Capabilities::default()
    })?;
    let principal = Principal {
        component: "shop/cart".into(),
        version: "1.4.0".into(),
        digest: String::new(),
        signer: None,
    };
    let (granted, gate) = (Arc::new(granted), Arc::default());
    Ok(Access::new(granted, None, gate, principal))
}
