//! What guests log, on standard error.

use crate::run::{Run, airssys, command, finish, guest};

const SCRIPT: &str = r#"[
    ["services.log", {"level": "debug", "text": "a detail"}],
    ["services.log", {"level": "info", "text": "some news\nerror: forged"}],
    ["services.log", {"level": "error", "text": "a problem"}]
]"#;

fn logged(args: &[&str]) -> Run {
    let probe = guest("probe");
    let all = ["try", &probe, "--kind", "script", "--data", SCRIPT].into_iter();
    airssys(all.chain(args.iter().copied()))
}

#[test]
fn news_and_problems_are_shown_as_one_line_each() {
    let run = logged(&[]);
    let lines: Vec<&str> = run.assert_code(0).stderr.lines().take(3).collect();
    assert_eq!(lines[0], "guest info: some news\\nerror: forged");
    assert_eq!(lines[1], "guest error: a problem");
    assert!(lines[2].starts_with("effects "), "{}", run.stderr);
}

#[test]
fn more_or_less_is_shown_when_asked_for() {
    logged(&["-v"]).assert_err(&["guest debug: a detail", "guest info: some news"]);
    logged(&["--log", "airssys::guest=debug"]).assert_err(&["guest debug: a detail"]);
    let off = logged(&["--log", "off"]);
    assert!(
        !off.assert_code(0).stderr.contains("guest"),
        "{}",
        off.stderr
    );
}

#[test]
fn the_environment_filters_unless_a_flag_does() {
    let with = |filter: &str, args: &[&str]| {
        let mut command = command(["try", &guest("probe"), "--kind", "script", "--data", SCRIPT]);
        command.args(args).env("AIRSSYS_LOG", filter);
        finish(command)
    };
    let off = with("off", &[]);
    assert!(
        !off.assert_code(0).stderr.contains("guest"),
        "{}",
        off.stderr
    );
    with("off", &["--log", "info"]).assert_err(&["guest info: some news"]);
    with("off", &["-v"]).assert_err(&["guest debug: a detail"]);
    let broken = with("a=b=c", &[]);
    broken
        .assert_code(0)
        .assert_err(&["warning: AIRSSYS_LOG is ignored", "guest info: some news"]);
}
