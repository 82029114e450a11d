//! Actors that together hold all descriptors that a process may have.

// Layer 1: Standard library imports
use std::fs::File;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

// Layer 2: Third-party crate imports
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::select;
use tokio::time::sleep;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::component::ComponentConfig;

use crate::network::{MAX_OPEN, all_told, told};
use crate::support::{HOSTILE, alone, siege};
use crate::wat::guest;

/// What each actor may hold is little, and twenty times that is more than a process often has.
/// Nothing has to be granted for it, and half of what all may hold is left to other components.
#[test]
fn sockets_of_very_many_actors() {
    let _alone = alone();
    let _few = Descriptors::only(1_024);
    let all_made = AtomicU64::new(0);
    siege(
        |it| {
            let outsider = guest("outsider");
            let nothing = |it: &mut ComponentConfig| it.grants = Capabilities::default();
            it.component_with(HOSTILE, outsider.clone(), nothing)
                .component_with("good/other", outsider, nothing)
        },
        async |system| {
            let many = json!([["connect-many", {"count": 1_000}], ["sleep", {"wait-ms": 200}]]);
            let ask = |number: u8| (number.to_string(), "script", many.clone());
            let mut asking = pin!(all_told(system, (0..20).map(ask).collect()));
            let all = loop {
                select! {
                    all = &mut asking => break all,
                    () = sleep(Duration::from_millis(2)) => {}
                }
                File::open("/proc/self/statm").expect("there are descriptors left");
                // It gets a socket, which may reach nobody.
                let to = json!({"to": "127.0.0.1:9"});
                let told = told(system, "good/other/a", "hold", &to).await;
                assert_eq!(told, "access-denied");
            };
            for told in all {
                let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
                let (made, end) = (told[0]["ok"][0].as_u64(), &told[0]["ok"][1]);
                assert_eq!(end, "new-socket-limit", "{told}");
                all_made.fetch_add(made.expect("a number"), Ordering::Relaxed);
            }
        },
    );
    // Who was refused first had all that it may hold itself, or all of its component had more.
    let all_made = all_made.into_inner();
    assert!(all_made >= MAX_OPEN as u64, "{all_made}");
}

/// How many descriptors this process had before it had fewer, until this is dropped.
struct Descriptors(Rlimit);

impl Descriptors {
    fn only(few: u64) -> Self {
        let usual = getrlimit(Resource::Nofile);
        let few = Rlimit {
            current: Some(few),
            ..usual
        };
        setrlimit(Resource::Nofile, few).expect("less");
        Self(usual)
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).expect("as before");
    }
}
