//! Signatures: the whole way, and each way to go wrong.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::run::{Run, finish, guest};
use crate::system::Home;

const COMPONENT: &str = r#"
[[component]]
name = "shop/counter"
source = "counter.wasm"
"#;

/// A folder with a component and the keys `ci`, `old` and `stranger`.
pub(crate) struct Workshop {
    home: Home,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let home = Home::with_manifest(&["counter", "echo"], "");
        let workshop = Self { home };
        for key in ["ci", "old", "stranger"] {
            workshop.run(&format!("keygen --out {key}")).assert_code(0);
        }
        workshop
    }

    /// Runs a command in the folder.
    pub(crate) fn run(&self, args: &str) -> Run {
        let mut command = self.home.command(args);
        command.current_dir(self.home.path());
        finish(command)
    }

    #[track_caller]
    pub(crate) fn json(&self, args: &str) -> Value {
        self.run(&format!("{args} --json")).assert_code(0).json()
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.home.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(file), content).unwrap();
    }

    pub(crate) fn public(&self, key: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap();
        text.trim_end().to_owned()
    }

    /// A manifest that trusts `ci` and, until 1999, `old`.
    fn trust(&self) {
        let keys = ["ci", "old"].map(|key| {
            let public = self.public(key);
            format!("[[security.keys]]\nname = \"{key}\"\npublic = \"{public}\"\n")
        });
        let [ci, old] = keys;
        self.write(
            "airssys.toml",
            format!(
                "version = 1\nname = \"shop\"\n[security]\nrequire_signed = true\n{ci}{old}\
                 not_after = \"1999-12-31T23:59:59Z\"\n{COMPONENT}"
            ),
        );
    }

    fn sign(&self, by: &str) {
        self.run(&format!("sign counter.wasm --key {by}.key"))
            .assert_code(0);
    }

    /// Puts in the place of the signature each that is not taken, and the word and the words
    /// for it.
    fn each_refusal(&self, mut check: impl FnMut(&str, &str)) {
        self.sign("ci");
        let good = fs::read(self.path("counter.wasm.sig")).unwrap();
        let bytes = fs::read(self.path("counter.wasm")).unwrap();
        let put = |signature: &[u8]| self.write("counter.wasm.sig", signature);

        put(&good[..100]);
        check("signature-truncated", "cut off after 100 bytes");
        put(b"");
        check("signature-truncated", "cut off after 0 bytes");
        put(b"nonsense");
        check("signature-malformed", "does not begin with");
        put(&vec![b'x'; 10 << 20]);
        check("signature-malformed", "more than 1024 bytes");
        put(&[0xff; 200]);
        check("signature-malformed", "does not begin with");
        put(b"airssys-signature 1 ed25519:x y\n");
        check("signature-malformed", "44 characters");
        self.write("counter.wasm.sig", "");
        self.sign("stranger");
        check("signature-unknown-key", &self.public("stranger"));
        self.sign("old");
        check("signature-expired", "expired at 1999-12-31T23:59:59Z");

        put(&good);
        let mut changed = bytes.clone();
        // In a custom section at the end, so that it would still be a component.
        changed.extend([0, 2, 1, b'x']);
        self.write("counter.wasm", changed);
        check("signature-tampered", "not what the key `ci` signed");
        self.write("counter.wasm", bytes);
        fs::remove_file(self.path("counter.wasm.sig")).unwrap();
        check("signature-missing", "it is not signed");
    }
}

/// Fails unless a component was refused, and for this reason.
#[track_caller]
fn assert_refused(run: &Run, kind: &str, cause: &str) {
    let error = run.assert_code(13).json()["error"].clone();
    assert_eq!(error["kind"], kind, "{error}");
    assert_eq!(error["exit_code"], 13);
    assert!(error["cause"].as_str().unwrap().contains(cause), "{error}");
    assert_ne!(error["next"], "", "{error}");
}

#[test]
fn what_is_signed_is_verified() {
    let workshop = Workshop::new();
    let signed = workshop.json("sign counter.wasm --key ci.key");
    assert_eq!(signed["signature"], "counter.wasm.sig");
    assert_eq!(signed["key"], workshop.public("ci"));
    let text = fs::read_to_string(workshop.path("counter.wasm.sig")).unwrap();
    let start = format!("airssys-signature 1 {} ", workshop.public("ci"));
    assert!(text.starts_with(&start) && text.len() == 162, "{text}");

    let by_file = workshop.run("verify counter.wasm --key old.pub --key ci.pub");
    assert_eq!(
        by_file.assert_code(0).out(),
        "counter.wasm: signed by ci.pub\n"
    );
    let by_text = format!("verify counter.wasm --key {}", workshop.public("ci"));
    assert_eq!(workshop.json(&by_text)["signer"], workshop.public("ci"));

    // Without `--key` by the manifest of the folder, or the one that is named.
    let nobody = workshop.run("verify counter.wasm");
    nobody.assert_code(2).assert_err(&["no key", "--key"]);
    workshop.trust();
    let verified = workshop.json("verify counter.wasm");
    assert_eq!(verified["signer"], "ci");
    assert_eq!(verified["signature"], "counter.wasm.sig");
    let manifest = workshop.path("airssys.toml");
    let elsewhere = format!(
        "verify {} --manifest {}",
        workshop.path("counter.wasm").display(),
        manifest.display()
    );
    assert_eq!(workshop.home.json(&elsewhere)["signer"], "ci");
    // Those of `--key` alone.
    let others = workshop.run("verify counter.wasm --key old.pub --json");
    assert_refused(&others, "signature-unknown-key", &workshop.public("ci"));

    fs::rename(workshop.path("counter.wasm.sig"), workshop.path("s")).unwrap();
    workshop
        .run("verify counter.wasm --signature s")
        .assert_code(0);
    workshop
        .run("verify counter.wasm --signature none")
        .assert_code(3)
        .assert_err(&["cannot read none"]);
}

#[test]
fn what_is_not_trusted_is_refused_by_verify_up_deploy_and_upgrade() {
    let workshop = Workshop::new();
    workshop.trust();
    workshop.each_refusal(|kind, cause| {
        assert_refused(&workshop.run("verify counter.wasm --json"), kind, cause);
        assert_refused(&workshop.run("up --json"), kind, cause);
    });
    workshop.run("up").assert_code(13).assert_err(&[
        "shop/counter is not trusted",
        "it is not signed",
        "next:",
    ]);

    workshop.sign("ci");
    let up = workshop.home.up("");
    assert_eq!(up.ready["components"][0], "shop/counter");
    workshop
        .run("ask shop/counter/a -k add -d 5")
        .assert_code(0);
    let changed = fs::read(workshop.path("counter.wasm")).unwrap();
    workshop.write("counter.wasm", [&changed[..], &[0, 2, 1, b'v']].concat());
    workshop.each_refusal(|kind, cause| {
        let deployed = workshop.run("deploy shop/other counter.wasm --json");
        assert_refused(&deployed, kind, cause);
        let upgraded = workshop.run("upgrade shop/counter counter.wasm --json");
        assert_refused(&upgraded, kind, cause);
    });
    // The old version runs on.
    let components = workshop.json("ps")["components"].clone();
    assert_eq!(components.as_array().unwrap().len(), 1);
    assert_eq!(
        workshop
            .run("ask shop/counter/a -k get")
            .assert_code(0)
            .out(),
        "5"
    );

    workshop.sign("ci");
    let upgraded = workshop.run("upgrade shop/counter counter.wasm");
    let out = upgraded.assert_code(0).out();
    assert!(out.contains(", signed by ci\n"), "{out}");
    fs::rename(workshop.path("counter.wasm.sig"), workshop.path("s")).unwrap();
    let deployed = workshop.json("deploy shop/other counter.wasm --signature s");
    assert_eq!(deployed["signer"], "ci");
}

#[test]
fn where_no_key_is_trusted_that_is_said() {
    let workshop = Workshop::new();
    workshop.write(
        "airssys.toml",
        format!("version = 1\nname = \"shop\"{COMPONENT}"),
    );
    workshop.write("counter.wasm.sig", "of another program");
    let _up = workshop.home.up("");
    workshop.run("sign echo.wasm --key ci.key").assert_code(0);
    let deployed = workshop.run("deploy shop/echo echo.wasm");
    let out = deployed.assert_code(0).out();
    assert!(out.contains("its signature not looked at"), "{out}");
    assert_eq!(
        workshop.json("deploy shop/more echo.wasm")["signer"],
        Value::Null
    );
}

#[test]
fn sign_replaces_signatures_and_nothing_else() {
    let workshop = Workshop::new();
    workshop.sign("ci");
    workshop.sign("old");
    let text = fs::read_to_string(workshop.path("counter.wasm.sig")).unwrap();
    assert!(text.contains(&workshop.public("old")));
    for out in ["counter.wasm", "ci.key", "ci.pub"] {
        let content = fs::read(workshop.path(out)).unwrap();
        let refused = workshop.run(&format!("sign counter.wasm --key ci.key --out {out}"));
        refused.assert_code(3).assert_err(&["is there already"]);
        assert_eq!(fs::read(workshop.path(out)).unwrap(), content);
    }
}

#[test]
fn a_mistake_about_keys_is_shown_with_its_line() {
    let workshop = Workshop::new();
    workshop.sign("ci");
    workshop.trust();
    let good = fs::read_to_string(workshop.path("airssys.toml")).unwrap();
    let (ci, old) = (workshop.public("ci"), workshop.public("old"));
    for (from, to, words) in [
        (
            ci.as_str(),
            "ed25519:short",
            "airssys.toml:7:10: a public key has 44 characters behind `ed25519:`, and this has 5",
        ),
        (
            &ci,
            &old,
            "airssys.toml:10:10: this is the key `ci` once more",
        ),
        (
            "\"old\"",
            "\"ci\"",
            "airssys.toml:9:8: there is already a key `ci`",
        ),
        ("\"old\"", "\"Old\"", "airssys.toml:9:8: a name here"),
        (
            "1999-12-31T23:59:59Z",
            "1999-12-31",
            "airssys.toml:11:13: this is no moment in RFC 3339",
        ),
        (
            "source = \"counter.wasm\"",
            "source = \"counter.wasm\"\nsignature = \"none.sig\"",
            "none.sig",
        ),
    ] {
        workshop.write("airssys.toml", good.replace(from, to));
        workshop
            .run("up airssys.toml")
            .assert_code(6)
            .assert_err(&[words]);
    }
    workshop.write(
        "airssys.toml",
        format!("version = 1\n[security]\nrequire_signed = true\n{COMPONENT}"),
    );
    workshop
        .run("up airssys.toml")
        .assert_code(6)
        .assert_err(&["airssys.toml:3:18: no key is trusted", "`airssys keygen`"]);
}

#[test]
fn an_expired_key_is_a_warning_at_the_start() {
    let workshop = Workshop::new();
    workshop.trust();
    workshop.sign("ci");
    let mut up = workshop.home.up("");
    up.wait_for("a key has expired");
}

#[test]
fn a_folder_is_still_checked_as_data() {
    let workshop = Workshop::new();
    let folder = workshop.path("none");
    let missing = workshop.run(&format!("verify {}", folder.display()));
    missing.assert_code(32);
    let component = workshop.run("verify . --key ci.pub");
    component.assert_code(3);
    // Of a guest of this repository nothing is known.
    let unsigned = format!("verify {} --key {}", guest("echo"), workshop.public("ci"));
    let unsigned = workshop.home.run(&format!("{unsigned} --json"));
    assert_refused(&unsigned, "signature-missing", "it is not signed");
}
