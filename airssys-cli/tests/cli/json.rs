//! `try --json`: the documented fields.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::run::{airssys_with_stdin, guest, try_guest, try_json};

#[test]
fn a_success_has_every_documented_field() {
    let (code, json) = try_json("counter", "--kind add --data 2 --seed 7 --now-ms 1000");
    assert_eq!((code, &json["outcome"]), (0, &json!("replied")));
    assert_eq!(json["reply"], json!({"text": "2"}));
    assert_eq!(
        json["effects"],
        json!([{"effect": "set", "key": "count", "value": {"text": "2"}}])
    );
    assert_eq!(json["calls"], json!([]));
    assert_eq!(json["activation"]["effects"], json!([]));
    for cost in [&json["cost"], &json["activation"]["cost"]] {
        for field in ["wall_ns", "fuel", "peak_memory_bytes"] {
            assert!(cost[field].is_u64(), "{field} in {cost}");
        }
    }
    assert!(json["cost"]["fuel"].as_u64().unwrap() > 0);
    assert_eq!(json["component"]["file"], guest("counter"));
    assert!(
        json["component"]["digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert!(json["component"]["bytes"].is_u64() && json["component"]["load_ns"].is_u64());
    assert_eq!(json["actor"], "try/counter/1");
    assert_eq!((&json["seed"], &json["now_ms"]), (&json!(7), &json!(1000)));
    assert_eq!(
        (&json["error"], &json["repeat"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn replies_are_text_or_base64_or_null() {
    let reply = |bytes: &[u8]| {
        let run = airssys_with_stdin(["try", &guest("echo"), "-", "--json"], bytes);
        run.assert_code(0).json()["reply"].clone()
    };
    assert_eq!(reply("grün\n".as_bytes()), json!({"text": "grün\n"}));
    assert_eq!(reply(b"\xff\xfe"), json!({"base64": "//4="}));
    let (_, json) = try_json("relay", "--kind note --data x");
    assert_eq!(json["reply"], Value::Null);
    assert!(json.as_object().unwrap().contains_key("reply"));
}

#[test]
fn a_failure_has_its_outcome_and_what_it_took() {
    for (kind, code, outcome) in [
        ("add-then-reject", 20, "rejected"),
        ("add-then-retry", 21, "retry"),
        ("add-then-trap", 22, "failed"),
    ] {
        let (found, json) = try_json("counter", &format!("--kind {kind} --data 2"));
        assert_eq!((found, &json["outcome"]), (code, &json!(outcome)));
        assert_eq!(
            (&json["reply"], &json["effects"]),
            (&Value::Null, &json!([]))
        );
        assert!(json["cost"]["fuel"].is_u64());
        let error = &json["error"];
        assert_eq!(error["exit_code"], code);
        for field in ["kind", "message", "cause", "next"] {
            assert!(error[field].is_string(), "{field} in {error}");
        }
        assert_eq!(error.get("backtrace").is_some(), kind == "add-then-trap");
    }
}

#[test]
fn a_limit_has_its_figures() {
    let (code, json) = try_json("endless-loop", "--fuel 1000");
    assert_eq!((code, &json["outcome"]), (24, &json!("failed")));
    let error = &json["error"];
    assert_eq!(error["limit"], "turn_fuel");
    assert_eq!(
        (&error["allowed"], &error["observed"]),
        (&json!(1000), &json!(1001))
    );
}

#[test]
fn a_run_that_did_not_get_far_has_no_more_than_it_knows() {
    let (code, json) = try_json("no-such-guest", "");
    assert_eq!((code, &json["outcome"]), (3, &json!("failed")));
    let fields: BTreeSet<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, ["error", "outcome"].into());
}

#[test]
fn standard_error_has_logs_and_nothing_else() {
    let run = try_guest("counter", "--json --kind add --data 2");
    assert_eq!(run.assert_code(0).stderr, "");
    let run = try_guest("lifecycle", "--json --config init=trap");
    run.assert_code(22);
    assert!(run.stderr.starts_with("guest error: "), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}
