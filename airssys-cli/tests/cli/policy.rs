//! Policies: checked, explained, and obeyed by a running system.

use std::fs;

use crate::run::{Run, finish};
use crate::system::Home;

/// The example of the README.
const POLICY: &str = r#"// Who of the shop may do what.
permit (principal in Namespace::"shop", action in Action::"messaging",
        resource) unless { resource is Actor && !(resource in Namespace::"shop") };

@id("only releases")
permit (principal, action == Action::"start", resource)
when { principal has signer && principal.signer == "release" };

@id("payments by day")
permit (principal == Component::"shop/pay", action == Action::"network", resource)
when { resource.host like "*.bank.example" && resource.port == 443 };

@id("nothing at night")
forbid (principal, action == Action::"network", resource)
when { context.hour < 6 };
"#;

const MANIFEST: &str = r#"
name = "shop"
[security]
policy = "policy.cedar"
[[component]]
name = "shop/cart"
source = "counter.wasm"
[component.grants]
send = ["shop/stock", "self"]
"#;

fn home() -> Home {
    let home = Home::with_manifest(&["counter", "echo"], MANIFEST);
    write(&home, POLICY);
    home
}

fn write(home: &Home, policy: &str) {
    fs::write(home.path().join("policy.cedar"), policy).unwrap();
}

/// Runs `airssys policy` in the folder.
fn policy(home: &Home, args: &str) -> Run {
    let mut command = home.command(&format!("policy {args}"));
    command.current_dir(home.path());
    finish(command)
}

#[test]
fn a_policy_is_checked_by_itself() {
    let home = home();
    let run = policy(&home, "check policy.cedar");
    assert_eq!(
        run.assert_code(0).out(),
        "policy.cedar: 4 rules, no mistake\n"
    );
    let rules = policy(&home, "check --manifest . --json")
        .assert_code(0)
        .json();
    assert_eq!(rules["rules"][1]["name"], "only releases");
    assert_eq!(rules["rules"][1]["line"], 5);
    assert_eq!(rules["rules"][3]["effect"], "forbid");
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    let home = home();
    write(
        &home,
        "permit (principal, action, resource)\nwhen { principal.nam == \"x\" };\n",
    );
    let run = policy(&home, "check policy.cedar");
    run.assert_code(6).assert_err(&[
        "this is no policy",
        "policy.cedar:2:8:",
        "when { principal.nam == \"x\" };",
        "       ^^^^^^^^^^^^^",
        "airssys policy schema",
    ]);
    let error = policy(&home, "check policy.cedar --json")
        .assert_code(6)
        .json();
    assert_eq!(error["error"]["kind"], "bad-policy");
    policy(&home, "check nowhere.cedar").assert_code(3);
    policy(&home, "check").assert_code(2);
    fs::write(home.path().join("policy.cedar"), b"permit\xff").unwrap();
    policy(&home, "check policy.cedar")
        .assert_code(6)
        .assert_err(&["line 1 is not UTF-8"]);
}

#[test]
fn a_decision_is_explained_with_its_rules() {
    let home = home();
    let night = "check policy.cedar --component shop/pay --action network \
                 --resource api.bank.example:443 --at 2026-11-23T03:00:00Z";
    let run = policy(&home, night);
    let text = run.assert_code(15).out();
    assert_eq!(
        text,
        "denied: shop/pay network for api.bank.example:443, at 2026-11-23T03:00:00Z\n  \
           policy  forbidden by\n    \
             policy.cedar:13: nothing at night\n      \
               @id(\"nothing at night\")\n      \
               forbid (principal, action == Action::\"network\", resource)\n      \
               when { context.hour < 6 };\n"
    );
    let day = night.replace("T03", "T13");
    let run = policy(&home, &day);
    assert!(
        run.assert_code(0)
            .out()
            .starts_with("allowed: shop/pay network")
    );
    let explained = policy(&home, &format!("{day} --json"))
        .assert_code(0)
        .json();
    assert_eq!(explained["allowed"], true);
    let rule = &explained["policy"]["rules"][0];
    assert_eq!(
        (&rule["name"], &rule["line"]),
        (&"payments by day".into(), &9.into())
    );
    assert!(rule["text"].as_str().unwrap().contains("*.bank.example"));

    let stranger = day.replace("shop/pay", "shop/cart");
    let run = policy(&home, &stranger);
    assert!(
        run.assert_code(15)
            .out()
            .ends_with("policy  no rule permits it\n")
    );
    let nonsense = day.replace("api.bank.example:443", "nowhere");
    let run = policy(&home, &nonsense);
    assert!(
        run.assert_code(15)
            .out()
            .contains("which denies it: \"nowhere\" is no host:port")
    );
}

#[test]
fn version_and_signer_can_be_asked_about() {
    let home = home();
    let start = "check policy.cedar --component shop/cart --version 2.0.0 --action start";
    policy(&home, start).assert_code(15);
    let run = policy(&home, &format!("{start} --signer release"));
    assert!(
        run.assert_code(0)
            .out()
            .contains("policy.cedar:5: only releases")
    );
    policy(&home, &format!("{start} --signer nightly")).assert_code(15);
}

#[test]
fn with_a_manifest_grants_count_as_well() {
    let home = home();
    let ask = |target: &str| {
        let args = "check --manifest . --component shop/cart/alice --action send --resource";
        policy(&home, &format!("{args} {target}"))
    };
    let run = ask("shop/stock/main");
    let text = run.assert_code(0).out();
    assert!(
        text.contains("  grants  granted\n  policy  permitted by\n"),
        "{text}"
    );
    assert!(
        ask("shop/cart/alice")
            .assert_code(0)
            .out()
            .contains("grants  granted")
    );
    let run = ask("shop/cart/bob");
    let text = run.assert_code(15).out();
    assert!(
        text.contains("  grants  not granted\n  policy  permitted by\n"),
        "{text}"
    );
    let other = "check --manifest . --component shop/other --action send --resource a/b/c";
    policy(&home, other)
        .assert_code(6)
        .assert_err(&["no component shop/other"]);
}

#[test]
fn a_question_is_whole_or_none() {
    let home = home();
    for args in [
        "check policy.cedar --component shop/cart",
        "check policy.cedar --action send",
        "check policy.cedar --component shop/cart --action send",
        "check policy.cedar --component shop/cart --action fly --resource x",
        "check policy.cedar --component shop --action start",
        "check policy.cedar --component shop/cart --action start --at noon",
    ] {
        policy(&home, args).assert_code(2);
    }
}

#[test]
fn the_schema_names_every_action() {
    let home = home();
    let run = policy(&home, "schema");
    let schema = run.assert_code(0).out();
    for words in [
        "entity Component in [Namespace]",
        "action send in [messaging]",
        "action start",
    ] {
        assert!(schema.contains(words), "no {words:?} in\n{schema}");
    }
    let json = policy(&home, "schema --json").assert_code(0).json();
    assert_eq!(json["schema"], schema);
}

#[test]
fn a_system_that_may_not_start_says_by_which_rule() {
    let home = home();
    let run = finish({
        let mut command = home.command("up");
        command.arg(home.path());
        command
    });
    run.assert_code(15).assert_err(&[
        "component `shop/cart` may not start: no rule of the policy permits it",
        "airssys policy check",
    ]);
    write(&home, "permit (principal, action);\n");
    let run = finish({
        let mut command = home.command("up");
        command.arg(home.path());
        command
    });
    run.assert_code(6)
        .assert_err(&["this is no policy", "policy.cedar:1:26:"]);
}

#[test]
fn a_running_system_obeys_another_policy() {
    let home = home();
    write(&home, "permit (principal, action, resource);\n");
    let _up = home.up("");
    let run = home.run("policy show");
    assert_eq!(
        run.assert_code(0).out(),
        "permit (principal, action, resource);\n"
    );

    let forbids = "permit (principal, action in Action::\"use\", resource);\n";
    fs::write(home.path().join("other.cedar"), forbids).unwrap();
    let run = policy(&home, "set other.cedar");
    assert_eq!(run.assert_code(0).out(), "a policy of 1 rule counts\n");
    assert_eq!(home.run("policy show").assert_code(0).out(), forbids);
    let echo = home.path().join("echo.wasm");
    let deploy = format!("deploy shop/echo {}", echo.display());
    home.run(&deploy)
        .assert_code(15)
        .assert_err(&["may not start", "policy show"]);

    fs::write(home.path().join("other.cedar"), "permit").unwrap();
    policy(&home, "set other.cedar")
        .assert_code(6)
        .assert_err(&["other.cedar:1:"]);
    let report = home.json("policy reload");
    assert_eq!(
        (&report["is_set"], &report["rules"]),
        (&true.into(), &1.into())
    );
    home.run(&deploy).assert_code(0);

    write(&home, "permit");
    home.run("policy reload")
        .assert_code(6)
        .assert_err(&["the old one counts on", "policy.cedar:1:"]);
    let run = home.run("policy remove");
    assert_eq!(
        run.assert_code(0).out(),
        "no policy counts: grants alone decide\n"
    );
    assert_eq!(home.json("policy show")["is_set"], false);
}
