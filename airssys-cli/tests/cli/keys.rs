//! Keys to sign components with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::signing::Workshop;

fn mode(path: PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_key_is_made_and_nothing_is_overwritten() {
    let workshop = Workshop::new();
    let made = workshop.run("keygen --out Build.2");
    let public = workshop.public("Build.2");
    let lines = format!("\n[[security.keys]]\nname = \"build-2\"\npublic = \"{public}\"\n");
    assert_eq!(made.assert_code(0).out(), lines);
    made.assert_err(&["Build.2.key: keep it secret", "Build.2.pub: for everybody"]);
    assert_eq!(mode(workshop.path("Build.2.key")), 0o600);

    let private = fs::read_to_string(workshop.path("ci.key")).unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    for existing in ["ci.key", "ci.pub"] {
        let content = fs::read(workshop.path(existing)).unwrap();
        let again = workshop.run("keygen --out ci --json");
        let error = again.assert_code(3).json()["error"].clone();
        assert_eq!(error["kind"], "exists");
        assert_eq!(fs::read(workshop.path(existing)).unwrap(), content);
        // Where one of the pair is there already, nothing is left of the other.
        let is_left = workshop.path("ci.key").exists();
        assert_eq!(is_left, existing == "ci.key");
        drop(fs::remove_file(workshop.path("ci.key")));
    }

    let made = workshop.json("keygen");
    assert_eq!(made["name"], "airssys");
    assert_eq!(made["private_file"], "airssys.key");
    assert_eq!(made["public"], workshop.public("airssys"));
    fs::create_dir(workshop.path("keys")).unwrap();
    let made = workshop.json("keygen --out keys");
    assert_eq!(made["public_file"], "keys/airssys.pub");
    workshop
        .run("keygen --out none/ci")
        .assert_code(3)
        .assert_err(&["none/ci.key"]);
}

#[test]
fn a_private_key_must_be_private_and_a_key() {
    let workshop = Workshop::new();
    let path = workshop.path("ci.key");
    for mode in [0o644, 0o640, 0o604] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refused = workshop.run("sign counter.wasm --key ci.key");
        refused.assert_code(3).assert_err(&[
            "the private key is not private",
            &format!("{mode:04o}"),
            "chmod 600",
        ]);
        assert!(!workshop.path("counter.wasm.sig").exists());
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let private = fs::read(&path).unwrap();
    for content in [&b""[..], b"nonsense", &private[..60], &[0xff; 10 << 10]] {
        workshop.write("ci.key", content);
        let refused = workshop.run("sign counter.wasm --key ci.key");
        refused
            .assert_code(3)
            .assert_err(&["this is no private key", "airssys keygen"]);
    }
    for (args, code, words) in [
        ("sign counter.wasm --key none.key", 3, "none.key"),
        ("sign counter.wasm --key .", 3, "no regular file"),
        ("sign none.wasm --key old.key", 3, "cannot read none.wasm"),
        ("sign counter.wasm", 2, "--key"),
        // The private half where the public one belongs.
        (
            "verify counter.wasm --key old.key",
            3,
            "this is a private key, which must stay secret",
        ),
        ("verify counter.wasm --key none.pub", 3, "none.pub"),
        ("verify counter.wasm --key ed25519:x", 2, "44 characters"),
    ] {
        workshop.run(args).assert_code(code).assert_err(&[words]);
    }
}
