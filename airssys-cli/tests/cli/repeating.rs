//! `try --repeat`: many turns on one instance.

use serde_json::{Value, json};

use crate::run::{try_guest, try_json};

#[test]
fn a_table_instead_of_the_reply() {
    let run = try_guest("counter", "--kind add --data 2 --repeat 50");
    let table = run.assert_code(0).out();
    let labels: Vec<&str> = table
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(labels, ["", "time", "fuel", "memory", "turns"]);
    let heads: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heads, ["min", "p50", "p90", "p99", "max"]);
    run.assert_err(&["loaded in"]);
}

#[test]
fn the_figures_are_in_order() {
    let (code, json) = try_json("counter", "--kind add --data 2 --repeat 50");
    assert_eq!((code, &json["outcome"]), (0, &json!("replied")));
    let repeat = &json["repeat"];
    assert_eq!(repeat["turns"], 50);
    for figures in [&repeat["wall_ns"], &repeat["fuel"]] {
        let values = ["min", "p50", "p90", "p99", "max"].map(|p| figures[p].as_u64().unwrap());
        assert!(values.is_sorted() && values[0] > 0, "{figures}");
    }
    assert!(repeat["peak_memory_bytes"].as_u64().unwrap() >= 1 << 16);
    for absent in ["reply", "effects", "calls", "cost"] {
        assert_eq!(json.get(absent), None, "{absent}");
    }
}

#[test]
fn state_stays_between_turns_and_the_first_failure_ends_it() {
    // The third addition does not fit 64 bits any more.
    let args = "--kind add --data 4000000000000000000 --repeat 10";
    let run = try_guest("counter", args);
    run.assert_code(20).assert_err(&[
        "error: turn 3 of 10: the guest rejected the message",
        "the count would be too large",
    ]);
    assert!(
        run.out().contains("turns                 2\n"),
        "{}",
        run.out()
    );

    let (code, json) = try_json("counter", args);
    assert_eq!((code, &json["repeat"]["turns"]), (20, &json!(2)));
}

#[test]
fn a_first_turn_that_fails_has_no_figures() {
    let (code, json) = try_json("unreachable", "--repeat 10");
    assert_eq!((code, &json["repeat"]), (22, &Value::Null));
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("turn 1 of 10: ")
    );
}

#[test]
fn guests_that_may_wait_are_repeated_too() {
    let (code, json) = try_json(
        "probe",
        "--kind rpc.call --data {\"target\":\"a/b/c\"} --repeat 300",
    );
    assert_eq!((code, &json["repeat"]["turns"]), (0, &json!(300)));
}
