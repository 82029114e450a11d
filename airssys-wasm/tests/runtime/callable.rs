//! Generated core modules that the host can call as actors.

// Layer 1: Standard library imports
use std::collections::BTreeMap;

// Layer 2: Third-party crate imports
use wasmparser::{BinaryReader, ExternalKind, Parser, Payload};

/// Bodies for what the host calls, since nothing generated hands out memory and answers with
/// a pointer that is one: they call what was generated, and cut its answer down to an aligned
/// place in the first page.
pub(crate) fn callable(module: &[u8]) -> Vec<u8> {
    let (mut imported, mut exports) = (0, BTreeMap::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("a module") {
            Payload::ImportSection(imports) => {
                let imports = imports.into_imports().map(|it| it.expect("an import"));
                imported += imports
                    .filter(|it| matches!(it.ty, wasmparser::TypeRef::Func(_)))
                    .count() as u32;
            }
            Payload::ExportSection(all) => {
                let all = all.into_iter().map(|it| it.expect("an export"));
                let functions = all.filter(|it| it.kind == ExternalKind::Func);
                exports.extend(functions.map(|it| (it.name.to_owned(), it.index)));
            }
            _ => {}
        }
    }
    let calling = |generated: &str, params: u8| {
        let mut body = vec![0];
        (0..params).for_each(|local| body.extend([0x20, local]));
        body.push(0x10);
        put_number(&mut body, exports[generated] as usize);
        body.extend([0x41, 0xf0, 0xff, 0x03, 0x71, 0x0b]);
        body
    };
    let bodies = BTreeMap::from([
        (exports["cabi_realloc"], vec![0, 0x41, 0x80, 0x08, 0x0b]),
        (
            exports["airssys:actor/handler@0.1.0#handle-message"],
            calling("generated-message", 7),
        ),
        (
            exports["airssys:actor/lifecycle@0.1.0#init"],
            calling("generated-init", 2),
        ),
    ]);
    with_bodies(module, imported, &bodies)
}

/// The module with other bodies for some of its functions.
fn with_bodies(module: &[u8], imported: u32, bodies: &BTreeMap<u32, Vec<u8>>) -> Vec<u8> {
    let mut code = Vec::new();
    let mut changed = module[..8].to_vec();
    let mut function = imported;
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("a module") {
            Payload::CodeSectionStart { count, .. } => put_number(&mut code, count as usize),
            Payload::CodeSectionEntry(body) => {
                let body = bodies.get(&function).map_or(body.as_bytes(), Vec::as_slice);
                put_number(&mut code, body.len());
                code.extend(body);
                function += 1;
                // The last one.
                let defined = BinaryReader::new(&code, 0).read_var_u32();
                if function - imported == defined.expect("a number") {
                    put_section(&mut changed, 10, &code);
                }
            }
            other => {
                if let Some((kind, range)) = other.as_section() {
                    put_section(&mut changed, kind, &module[range]);
                }
            }
        }
    }
    changed
}

fn put_section(module: &mut Vec<u8>, kind: u8, content: &[u8]) {
    module.push(kind);
    put_number(module, content.len());
    module.extend(content);
}

fn put_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
