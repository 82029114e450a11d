//! The ledger of the README, which is killed as often as one likes.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::system::Home;

const MANIFEST: &str = "../examples/ledger/airssys.toml";

const KILLS: u32 = 5;

#[test]
fn the_ledger_survives_being_killed() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(MANIFEST);
    let manifest = fs::read_to_string(example).unwrap();
    let home = Home::with_manifest(&["ledger"], "");
    let manifest = manifest.replace("../../guests/bin/", "");
    fs::write(home.path().join("airssys.toml"), manifest).unwrap();
    for number in 1..=KILLS {
        let up = home.up("");
        let ask = format!("ask bank/ledger/main --kind next --data {number} --id n{number}");
        home.run(&ask).assert_code(0);
        up.signal(Signal::KILL);
        let (code, _, _) = up.ended();
        assert_eq!(code, None, "it was killed");

        // Whoever did not get the answer asks again, and changes nothing by it.
        let up = home.up("");
        home.run(&ask).assert_code(0);
        let again = format!("ask bank/ledger/main --kind next --data {number}");
        home.run(&again).assert_code(20);
        drop(up);
    }
    let up = home.up("");
    let count = home.run("ask bank/ledger/main --kind count");
    assert_eq!(count.assert_code(0).out().trim(), KILLS.to_string());
    drop(up);
}
