//! Components that are crammed with very many of something.

// Layer 2: Third-party crate imports
use wasmparser::{Parser, Payload};

// Layer 3: Internal module imports
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::error::StartError;

use crate::compiling::{next, siege_uncached};
use crate::support::{ACTOR, alone, ask, siege_by, try_ask};
use crate::wat::handling;

/// An `unsigned` as binaries have it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A section of a component with so many of the same entry.
fn section(number: u8, count: usize, entry: &[u8]) -> Vec<u8> {
    let mut content = leb(count);
    content.extend(entry.repeat(count));
    let mut bytes = vec![number];
    bytes.extend(leb(content.len()));
    bytes.extend(content);
    bytes
}

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// Components within components, so deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut heads = Vec::new();
    let mut length = COMPONENT.len();
    for _ in 0..depth {
        let head = [COMPONENT, &[4], &leb(length)].concat();
        length += head.len();
        heads.push(head);
    }
    heads.reverse();
    heads.push(COMPONENT.to_vec());
    heads.concat()
}

/// A core module of these sections, in a section of a component.
fn in_module(sections: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MODULE.to_vec();
    bytes.extend(sections.concat());
    let mut section = vec![1];
    section.extend(leb(bytes.len()));
    section.extend(bytes);
    section
}

/// A component in a section of another.
fn in_component(bytes: &[u8]) -> Vec<u8> {
    let mut section = vec![4];
    section.extend(leb(bytes.len()));
    section.extend(bytes);
    section
}

/// Exports of the type 0 under so many names.
fn exports(count: usize) -> Vec<u8> {
    let export = |it: usize| {
        let name = format!("a{it}");
        let mut bytes = vec![0, name.len() as u8];
        bytes.extend(name.into_bytes());
        bytes.extend([3, 0, 0]);
        bytes
    };
    let mut content = leb(count);
    content.extend((0..count).flat_map(export));
    let mut bytes = vec![11];
    bytes.extend(leb(content.len()));
    bytes.extend(content);
    bytes
}

/// An actor with very many of something besides, of which it is told whether it runs.
fn crammed() -> Vec<(&'static str, Vec<u8>)> {
    // A type without parameters; a function type of a module; an instance of nothing.
    let function_type = [0x40, 0, 1, 0];
    let promised = [3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f];
    let globals = [0x7f, 0, 0x41, 0, 0x0b];
    let first_module = handling("", "(i32.const 4096)");
    let sections = vec![
        ("types", section(7, 300_000, &function_type)),
        (
            "types of modules",
            in_module(&[section(1, 900_000, &[0x60, 0, 0])]),
        ),
        ("modules", in_module(&[]).repeat(5_000)),
        ("components", in_component(COMPONENT).repeat(5_000)),
        ("instances", section(2, 100_000, &[1, 0])),
        ("imports", section(10, 100_000, &[0, 1, b'a', 1, 0])),
        ("exports", exports(100_000)),
        (
            "functions that are promised",
            in_module(&[promised.to_vec()]),
        ),
        ("memories", in_module(&[section(5, 1_000, &[0, 1])])),
        ("globals", in_module(&[section(6, 1_000_000, &globals)])),
        ("nested components", in_component(&nested(50))),
        // The time to validate them would grow with the square of the depth.
        ("deeply nested components", in_component(&nested(50_000))),
    ];
    let with = |sections: Vec<u8>| [first_module.clone(), sections].concat();
    sections
        .into_iter()
        .map(|(what, it)| (what, with(it)))
        .collect()
}

/// Each is refused, or runs as if there was nothing besides.
#[test]
fn very_many_of_each_thing_that_components_are_made_of() {
    let _alone = alone();
    let bombs = crammed();
    siege_uncached(async |system| {
        for (what, bytes) in &bombs {
            let name = format!("evil/bomb-{}", next());
            let mut config = ComponentConfig::new(name.parse().expect("a name"));
            config.limits.compile_ms = 60_000;
            config.idle_ms = 20;
            match system.deploy(config, bytes.clone()).await {
                Ok(_) => assert_eq!(ask(system, &format!("{name}/a"), "", "").await, ""),
                Err(StartError::Component { source, .. }) => {
                    let why = source.to_string();
                    assert!(why.len() < 4_096, "{what}");
                    assert!(!why.contains("compile_ms"), "{what} takes too long");
                }
                Err(other) => panic!("{what}: {other}"),
            }
        }
    });
}

/// A component that is valid, and brings more instances than an actor may have.
#[test]
fn very_many_instances() {
    let _alone = alone();
    let instances: String = (0..400)
        .map(|it| format!("(core instance $i{it} (instantiate $empty))\n"))
        .collect();
    let exported = handling("", "(i32.const 4096)");
    let component = wat::parse_str(format!(
        "(component (core module $empty (memory 1)) {instances})"
    ));
    let mut bytes = exported;
    let component = component.expect("a component");
    // As a component within, which is instantiated with the actor.
    bytes.push(4);
    bytes.extend(leb(component.len()));
    bytes.extend(component);
    // (instance (instantiate 0)) of the first component that is defined.
    let inner = component_count(&bytes) - 1;
    let mut instantiate = vec![0];
    instantiate.extend(leb(inner));
    instantiate.push(0);
    bytes.extend(section(5, 1, &instantiate));
    siege_by(
        bytes,
        |_| {},
        async |system| {
            let asked = try_ask(system, ACTOR, "", "").await;
            let why = asked.expect_err("it has too many").to_string();
            assert!(
                why.contains("too high") || why.contains(" allows "),
                "{why}"
            );
        },
    );
}

/// How many components the outermost one defines.
fn component_count(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut count = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("a component") {
            Payload::ComponentSection { .. } => {
                count += usize::from(depth == 0);
                depth += 1;
            }
            Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= i32::from(depth > 0),
            _ => {}
        }
    }
    count
}
