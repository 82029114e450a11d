//! Asking a policy: for the first time, and again.

// Layer 1: Standard library imports
use std::hint::black_box;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capability::Capability;
use airssys_wasm::core::security::principal::Principal;
use airssys_wasm::security::policy::gate::Gate;
use airssys_wasm::security::policy::memo::Memo;
use airssys_wasm::security::policy::rule_set::Policy;

use crate::figure::Figure;
use crate::measure::{Outcome, Plan, alone, batches};

/// How many rules the larger policy has.
const MANY: usize = 100;

/// A time of day, in milliseconds since 1970.
const NOW_MS: u64 = 1_795_435_200_000;

/// What is asked about.
const RESOURCE: &str = "shop/stock/main";

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let few = Policy::parse(RULES, "policy.cedar")?;
    let many = Policy::parse(&(RULES.to_owned() + &others()), "policy.cedar")?;
    let mut figures = Vec::new();
    for (key, policy) in [
        ("policy_check_cold", &few),
        ("policy_check_cold_100", &many),
    ] {
        let decide = batches(plan, || {
            let verdict = policy.decide(&cart(), Capability::Send, black_box(RESOURCE), NOW_MS);
            if verdict.allowed {
                Ok(())
            } else {
                Err("denied".into())
            }
        })?;
        figures.push(Figure::plain(key, alone(plan, decide)?));
    }
    for (key, gate) in [
        ("policy_check_memoised", Gate::new(Some(many))),
        ("policy_check_none", Gate::default()),
    ] {
        let memo = Memo::new(cart());
        let check = batches(plan, || {
            let send = Capability::Send;
            Ok(gate.check(&memo, send, black_box(RESOURCE), || black_box(NOW_MS))?)
        })?;
        figures.push(Figure::plain(key, alone(plan, check)?));
    }
    Ok(figures)
}

/// A policy such as an operator writes by hand.
const RULES: &str = r#"
permit (principal in Namespace::"shop", action in Action::"messaging", resource in Namespace::"shop");
permit (principal, action == Action::"start", resource)
when { principal has signer && principal.signer == "release" };
permit (principal == Component::"shop/pay", action == Action::"network", resource)
when { resource.host like "*.bank.example" && resource.port == 443 };
forbid (principal, action == Action::"network", resource) when { context.hour < 6 };
"#;

/// Rules about other components, so that there are [`MANY`].
fn others() -> String {
    let rule = |number| {
        format!(
            "permit (principal == Component::\"other/c{number}\", action == Action::\"send\", \
             resource in Namespace::\"other\");\n"
        )
    };
    (4..MANY).map(rule).collect()
}

fn cart() -> Principal {
    Principal {
        component: "shop/cart".into(),
        version: "1.4.0".into(),
        digest: format!("sha256:{}", "0".repeat(64)),
        signer: Some("release".into()),
    }
}
