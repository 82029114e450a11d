//! What a component may do: `grants`, `grant`, `revoke`, and the manifest.

use std::fs;

use serde_json::json;

use crate::system::Home;

const DESK: &str = r#"
name = "desk"
[[component]]
name = "shop/desk"
source = "relay.wasm"
run = ["main"]
[component.grants]
send = ["shop/counter"]
[[component]]
name = "shop/counter"
source = "counter.wasm"
run = ["a"]
"#;

const SEND: &str =
    r#"ask shop/desk/main -k send -d {"target":"shop/counter/a","kind":"add","text":"1"}"#;

fn desk() -> Home {
    Home::with_manifest(&["relay", "counter"], DESK)
}

#[test]
fn what_is_granted_is_shown_and_changed_while_the_system_runs() {
    let home = desk();
    let _up = home.up("");
    let shown = home.run("grants shop/desk");
    assert_eq!(
        shown.assert_code(0).out(),
        "CAPABILITY  FOR\nsend        shop/counter\n"
    );
    assert_eq!(
        home.json("grants shop/counter"),
        json!({"component": "shop/counter", "granted": {}})
    );
    home.run(SEND).assert_code(0);

    let revoked = home.run("revoke shop/desk send shop/*");
    assert_eq!(
        revoked.assert_code(0).out(),
        "shop/desk is granted nothing\n"
    );
    home.run(SEND)
        .assert_code(20)
        .assert_err(&["denied: `send` for \"shop/counter/a\": not granted"]);

    let granted = home.json("grant shop/desk send shop/counter/a");
    assert_eq!(granted["granted"], json!({"send": ["shop/counter/a"]}));
    home.run(SEND).assert_code(0);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let home = desk();
    let _up = home.up("");
    home.run("grant shop/desk fly away")
        .assert_code(2)
        .assert_err(&["there is no capability `fly`"]);
    home.run("grant shop/desk send shop")
        .assert_code(9)
        .assert_err(&["for all of a namespace write shop/*"]);
    home.run("grant shop/nobody send self")
        .assert_code(9)
        .assert_err(&["there is no component `shop/nobody`", "airssys ps"]);
    home.run("revoke shop/desk send shop/counter/a")
        .assert_code(9)
        .assert_err(&[
            "nothing that `send` is granted to `shop/desk`",
            "airssys grants",
        ]);
    home.run("deploy shop/more relay.wasm --grant send")
        .assert_code(2)
        .assert_err(&["CAPABILITY=PATTERN"]);
}

#[test]
fn a_manifest_with_a_bad_pattern_points_at_it() {
    let home = desk();
    let manifest = home.path().join("airssys.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("shop/counter\"]", "shop/../x\"]")).unwrap();
    let mut up = home.command("up");
    up.arg(home.path());
    crate::run::finish(up).assert_code(6).assert_err(&[
        "airssys.toml:9:9:",
        "no pattern of actors",
        "^^^",
    ]);
}

#[test]
fn a_value_that_nobody_may_read_is_warned_of() {
    let home = Home::with_manifest(
        &["counter"],
        "name = \"x\"\n[[component]]\nname = \"a/b\"\nsource = \"counter.wasm\"\n\
         config = { colour = \"red\" }\n",
    );
    let mut up = home.up("");
    up.wait_for("nobody may read");
}
