//! What single actors keep, taken out and put in.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::data::{add, end, shop};
use crate::run::Run;
use crate::system::Home;

fn with_stdin(home: &Home, args: &str, stdin: &[u8]) -> Run {
    let mut command = home.command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may refuse the input before it has read all of it.
    drop(child.stdin.take().unwrap().write_all(stdin));
    child.wait_with_output().unwrap().into()
}

#[test]
fn state_is_exported_and_imported() {
    let home = shop();
    let up = home.up("");
    add(&home, "shop/counter/a", 5);
    let text = home.run("export shop/counter/a");
    let text = text.assert_code(0).out().to_owned();
    let lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(lines[0]["actor"], "shop/counter/a");
    assert_eq!(lines[1], json!({"key": "count", "value": "5"}));
    let file = home.path().join("a.jsonl");
    let at = file.display();
    let written = home.json(&format!("export shop/counter/a -o {at}"));
    assert_eq!(written["bytes"], text.len());
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    for (actor, words) in [
        ("shop/counter/nobody", "nothing is kept of"),
        ("shop/fleeting/a", "durability is `none`"),
        ("shop/no/a", "no component `shop/no`"),
    ] {
        home.run(&format!("export {actor} -o {at}.2"))
            .assert_code(9)
            .assert_err(&[words]);
    }
    assert!(!home.path().join("a.jsonl.2").exists());
    home.run(&format!("export shop/counter/a -o {at}/x"))
        .assert_code(3)
        .assert_err(&["cannot write"]);

    add(&home, "shop/counter/a", 1);
    home.run(&format!("import shop/counter/a {at}"))
        .assert_code(9)
        .assert_err(&["not stopped", "`airssys stop shop/counter/a`"]);
    home.run("stop shop/counter/a").assert_code(0);
    while home.json("ps")["live_actors"] != 0 {}
    for (lines, code, words) in [
        (String::new(), 34, "there is nothing"),
        ("{".into(), 34, "line 1"),
        (text.replace("\"5\"", "\"55\""), 34, "is it whole?"),
        (
            text.replace("\"5\"", "\"0123456789A\""),
            34,
            "value_bytes allows 10",
        ),
        (
            text.replace("shop/counter", "shop/other"),
            34,
            "another component",
        ),
        (format!("{text}{}", "x".repeat(2 << 20)), 34, "line 3"),
        (format!("{}{}", text, "{}\n".repeat(2 << 20)), 34, "line 3"),
    ] {
        let run = with_stdin(&home, "import shop/counter/a", lines.as_bytes());
        assert_eq!(run.assert_code(code).out(), "");
        run.assert_err(&["not the state of an actor", words, "nothing has changed"]);
    }
    home.run("import shop/counter/a no/such/file")
        .assert_code(3)
        .assert_err(&["cannot read no/such/file"]);
    let imported = home.json(&format!("import shop/counter/a {at}"));
    assert_eq!(
        (&imported["keys"], &imported["keys_before"]),
        (&json!(1), &json!(1))
    );
    home.run("resume shop/counter/a").assert_code(0);
    assert_eq!(add(&home, "shop/counter/a", 2), "7");
    end(up);

    let data = home.path().join("data");
    let data = data.display();
    let run = with_stdin(
        &home,
        &format!("import shop/counter/b - --data {data}"),
        text.as_bytes(),
    );
    assert!(
        run.assert_code(0)
            .out()
            .contains("has 1 key of 6 bytes now, and had 0 keys")
    );
    let large = text.replace("\"bytes\":6", "\"bytes\":2097157");
    let large = large.replace("\"5\"", &format!("\"{}\"", "5".repeat(2 << 20)));
    let import = format!("import shop/counter/c --data {data}");
    with_stdin(&home, &import, large.as_bytes())
        .assert_code(34)
        .assert_err(&["value_bytes allows 1048576"]);
    let import = format!("{import} --limit value_bytes=4MiB");
    with_stdin(&home, &import, large.as_bytes()).assert_code(0);
    home.run("import shop/counter/b --limit value_bytes=4MiB")
        .assert_code(2);
    let out = home.run(&format!("export shop/counter/c --data {data}"));
    assert_eq!(
        out.assert_code(0).out(),
        large.replace("counter/a", "counter/c")
    );
    assert_eq!(home.json(&format!("verify {data}"))["is_sound"], true);
    let _up = home.up("");
    assert_eq!(add(&home, "shop/counter/b", 1), "6");
}
