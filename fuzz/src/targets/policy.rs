//! An operator's policy.

// Layer 3: Internal module imports
use airssys_wasm::core::security::principal::Principal;
use airssys_wasm::security::policy::action::PolicyAction;
use airssys_wasm::security::policy::rule_set::Policy;

/// Some time in 2026.
const NOW_MS: u64 = 1_790_000_000_000;

/// The text of a policy.
pub(crate) fn run(bytes: &[u8]) {
    let policy = match Policy::from_bytes(bytes, "policy.cedar") {
        Ok(policy) => policy,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for rule in policy.rules() {
        assert!(policy.rule_text(rule).is_some(), "{rule} stands somewhere");
    }
    let principal = Principal {
        component: "shop/cart".into(),
        version: "1.2.0".into(),
        digest: format!("sha256:{}", "0f".repeat(32)),
        signer: Some("ci".into()),
    };
    for action in PolicyAction::all() {
        for resource in resources(action) {
            let verdict = policy.decide(&principal, action, resource, NOW_MS);
            let again = policy.decide(&principal, action, resource, NOW_MS + 1);
            assert_eq!(verdict, again, "the same minute, the same answer");
            assert!(
                !verdict.allowed || !verdict.rules.is_empty(),
                "{action} is allowed by nothing"
            );
        }
    }
}

/// A resource of the action's form, and one that is of none.
fn resources(action: PolicyAction) -> [&'static str; 2] {
    let good = match action.name() {
        "send" | "call" | "timers" | "storage" | "spawn" => "shop/stock/main",
        "directory" => "shop/stock",
        "publish" | "subscribe" => "orders.eu.new",
        "read_files" | "write_files" => "/data/a",
        "network" => "api.example.com:443",
        _ => "name",
    };
    [good, "\u{0}/../:"]
}
