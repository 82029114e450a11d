//! Bytes that were components once: cut off, and changed at random.

// Layer 1: Standard library imports
use std::sync::atomic::{AtomicUsize, Ordering};

// Layer 2: Third-party crate imports
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limits;
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::security::signature::signing_key::SigningKey;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::security::KeyConfig;
use airssys_wasm::system::error::{ControlError, StartError};
use airssys_wasm::system::handle::System;
use airssys_wasm::system::signing::Binary;

use crate::support::{alone, id, panics, siege};
use crate::wat::guest;

/// So long that a mutant which still is a component has time to compile.
const COMPILE_MS: u64 = 10_000;

/// Hands over what is to be a component, and asks it something if it is one.
async fn try_out(system: &System, name: &str, bytes: Vec<u8>) -> bool {
    let before = panics();
    // Whoever looks before does not panic either.
    let inspected = Inspection::of(&bytes);
    let mut config = ComponentConfig::new(name.parse().expect("a name"));
    config.limits = Limits {
        compile_ms: COMPILE_MS,
        turn_fuel: 1_000_000,
        turn_wall_ms: 100,
        memory_bytes: 16 << 20,
        ..Limits::default()
    };
    config.idle_ms = 20;
    config.retry.attempts = 1;
    let actor = id(&format!("{name}/a"));
    let deployed = system.deploy(config, bytes).await;
    assert_eq!(panics(), before, "nothing panics at {name}");
    match &deployed {
        Ok(_) => {
            assert!(inspected.is_ok_and(|it| it.fault.is_none()), "{name}");
            // Whatever comes of it.
            drop(system.ask(&actor, "get", "x").await);
            true
        }
        Err(StartError::Component { .. } | StartError::NeedsNotMet { .. }) => {
            let nobody = ControlError::NoComponent(name.into());
            assert_eq!(system.inspect(&actor), Err(nobody), "half of it is there");
            false
        }
        Err(other) => panic!("{name}: {other}"),
    }
}

/// At each end of a section that there is, one byte before and after it, and elsewhere.
#[test]
fn components_that_are_cut_off() {
    let _alone = alone();
    let bytes = guest("reverse");
    let mut taken = AtomicUsize::new(0);
    siege(
        |it| it,
        async |system| {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            for length in 0..bytes.len() {
                let cut = bytes[..length].to_vec();
                // All of them are read; what could be a component is deployed too.
                let is_component = Inspection::of(&cut).is_ok();
                if is_component || length % 20 == 0 {
                    let name = format!("evil/cut-{number}-{length}");
                    assert!(
                        !try_out(system, &name, cut).await || is_component,
                        "{length}"
                    );
                }
            }
        },
    );
    assert!(*taken.get_mut() > 0);
}

/// Changes some bytes at random: one, a few, or a stretch that is cut out, doubled or filled.
fn mutate(bytes: &mut Vec<u8>, rng: &mut StdRng) {
    let length = bytes.len();
    let at = rng.random_range(0..length);
    let end = (at + rng.random_range(1..64)).min(length);
    match rng.random_range(0..7) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = rng.random(),
        2 => (0..8).for_each(|_| {
            let at = rng.random_range(0..length);
            bytes[at] = rng.random();
        }),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let doubled = bytes[at..end].to_vec();
            bytes.splice(at..at, doubled);
        }
        5 => bytes[at..end].fill(0xff),
        _ => bytes[at..end].fill(0),
    }
}

#[test]
fn components_that_were_changed_at_random() {
    let _alone = alone();
    const MUTANTS: usize = 300;
    let guests = [
        "reverse",
        "echo",
        "counter",
        "caller",
        "endless-start",
        "table-bomb",
    ];
    let guests = guests.map(guest);
    let rounds = AtomicUsize::new(0);
    siege(
        // What is changed by a bit is not to be found in the cache, nor to fill it.
        |it| it,
        async |system| {
            let round = rounds.fetch_add(1, Ordering::Relaxed);
            let mut rng = StdRng::seed_from_u64(round as u64);
            let mut taken = 0;
            for number in 0..MUTANTS {
                let mut bytes = guests[number % guests.len()].clone();
                for _ in 0..rng.random_range(1..4) {
                    mutate(&mut bytes, &mut rng);
                }
                let name = format!("evil/mutant-{round}-{number}");
                taken += usize::from(try_out(system, &name, bytes).await);
            }
            // Bytes of texts and data can be changed, so that some still are components.
            assert!(taken > 0 && taken < MUTANTS, "{taken}");
        },
    );
}

/// A section in which a component says what it needs, with this content.
fn needing(content: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"airssys:needs";
    let mut bytes = guest("echo");
    let mut section = vec![NAME.len() as u8];
    section.extend(NAME);
    section.extend(content);
    bytes.push(0);
    // The length as five bytes, whatever it is.
    let length = section.len() as u32;
    bytes.extend((0..4).map(|it| ((length >> (7 * it)) & 0x7f) as u8 | 0x80));
    bytes.push((length >> 28) as u8);
    bytes.extend(section);
    bytes
}

#[test]
fn needs_that_are_none() {
    let _alone = alone();
    let patterns = |count: usize| {
        let all = vec!["\"evil/hostile\""; count].join(",");
        format!("{{\"send\":[{all}]}}").into_bytes()
    };
    let bad = vec![
        Vec::new(),
        b"\xff\xfe".to_vec(),
        b"[]".to_vec(),
        br#"{"fly":["*"]}"#.to_vec(),
        br#"{"send":[""]}"#.to_vec(),
        br#"{"send":["../.."]}"#.to_vec(),
        br#"{"send":["demo/neighbour\u0000"]}"#.to_vec(),
        "{\"send\":[\"d\u{435}mo/neighbour\"]}".into(),
        [br#"{"send":"#.to_vec(), b"[".repeat(200_000)].concat(),
        [
            br#"{"send":[""#.to_vec(),
            b"x".repeat(1 << 20),
            br#""]}"#.to_vec(),
        ]
        .concat(),
        patterns(100_000),
    ];
    let second = needing(br#"{"send":["*"]}"#)[guest("echo").len()..].to_vec();
    let twice = [needing(b"{}"), second].concat();
    let bad: Vec<Vec<u8>> = bad.iter().map(|it| needing(it)).chain([twice]).collect();
    siege(
        |it| it,
        async |system| {
            for (number, bad) in bad.iter().enumerate() {
                let name = format!("evil/needy-{number}");
                assert!(!try_out(system, &name, bad.clone()).await, "{number}");
            }
        },
    );
}

/// Where somebody is trusted, a signature that is there is looked at, and none has to be.
#[test]
fn signatures_that_are_none() {
    let _alone = alone();
    let trusted = SigningKey::from_seed(&[1; 32]);
    let good = trusted.sign(&guest("counter")).to_string();
    let other = SigningKey::from_seed(&[2; 32]);
    let bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\0".to_vec(),
        b"ed25519:".to_vec(),
        vec![0xff; 64],
        vec![b'x'; 10 << 20],
        good.clone().into(),
        good[..good.len() - 1].into(),
        good.repeat(2).into(),
        good.replace("ed25519", "none").into(),
        other.sign(&guest("echo")).to_string().into(),
    ];
    let public = trusted.public().to_string();
    siege(
        |it| {
            it.configure(|system| {
                system.security.keys.push(KeyConfig {
                    name: "somebody".into(),
                    public,
                    not_after: None,
                });
            })
        },
        async |system| {
            for (number, bad) in bad.iter().enumerate() {
                let config = ComponentConfig::new("evil/unsigned".parse().expect("a name"));
                let binary = Binary::from(guest("echo")).signed(bad.clone());
                let deployed = system.deploy(config, binary).await;
                let Err(StartError::Signature { source, .. }) = deployed else {
                    panic!("{number}: {deployed:?}");
                };
                assert!(source.to_string().len() < 1_000, "{number}");
            }
        },
    );
}
