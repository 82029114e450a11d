//! What it costs that everything is guarded: narrow grants, declared needs, a policy and an
//! audit log, beside the same without.

// Layer 1: Standard library imports
use std::fs;
use std::path::Path;

// Layer 3: Internal module imports
use airssys_wasm::core::security::capabilities::Capabilities;
use airssys_wasm::system::config::component::ComponentConfig;
use airssys_wasm::system::config::system::SystemConfig;

use crate::ask::{PAYLOAD_BYTES, asks};
use crate::disk::folder;
use crate::figure::Figure;
use crate::guest;
use crate::measure::{Outcome, Plan, compare, timed_batches};
use crate::ours::message;
use crate::ring::{Kind, Ring, Shape};
use crate::stage::{NAME, Stage, actor};

const SHAPE: Shape = Shape {
    actors: 100,
    entries: 1,
};

/// One in so many uses that are allowed is written down.
const SAMPLE: u64 = 1_000;

const POLICY: &str = "\
permit (principal in Namespace::\"bench\", action, resource);
forbid (principal, action == Action::\"send\", resource == Actor::\"bench/guest/nobody\");
";

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let folder = folder()?;
    fs::write(folder.path().join("policy.cedar"), POLICY)?;
    Ok(vec![
        per_ask(plan, folder.path())?,
        per_hop(plan, folder.path())?,
    ])
}

/// An ask, whose guest asks for nothing that needs a grant.
fn per_ask(plan: Plan, folder: &Path) -> Outcome<Figure> {
    let stage = Stage::new(1)?;
    let echo = guest::committed("echo")?;
    let audit = folder.join("audit-of-asks");
    let on = stage.system(echo.clone(), guard, |system| watch(system, folder, &audit))?;
    let off = stage.system(echo, |_trusted| {}, |_defaults| {})?;
    let payload = message(PAYLOAD_BYTES).payload().clone();
    let per_ask = |system| {
        let stage = &stage;
        let payload = payload.clone();
        timed_batches(plan, move |runs| {
            let system = Clone::clone(&system);
            stage.run(asks(system, actor(0), payload.clone(), runs))
        })
    };
    let compared = compare(plan, per_ask(on)?, per_ask(off)?)?;
    Ok(Figure::ratio("ask_1k_guarded", compared))
}

/// A message from actor to actor, each of which needs a grant.
fn per_hop(plan: Plan, folder: &Path) -> Outcome<Figure> {
    let stage = Stage::new(1)?;
    let hops = if plan.is_quick() { 20_000 } else { 50_000 };
    let audit = folder.join("audit-of-hops");
    let on = Ring::start_with(&stage, SHAPE, guard, |system| watch(system, folder, &audit))?;
    let off = Ring::start(&stage, SHAPE, None)?;
    for ring in [&on, &off] {
        ring.run(Kind::Pass, 1, hops)?;
    }
    let compared = compare(
        plan,
        || on.run(Kind::Pass, 1, hops),
        || off.run(Kind::Pass, 1, hops),
    )?;
    for ring in [on, off] {
        ring.end()?;
    }
    Ok(Figure::ratio("hop_guarded", compared))
}

/// Just what the guest needs, declared and granted.
fn guard(component: &mut ComponentConfig) {
    let needs = Capabilities {
        send: vec![NAME.into()],
        spawn: vec![NAME.into()],
        config: vec!["ring".into(), "entries".into()],
        ..Capabilities::default()
    };
    component.grants = needs.clone();
    component.needs = Some(needs);
}

/// A policy, and an audit log on disk.
fn watch(system: &mut SystemConfig, folder: &Path, audit: &Path) {
    system.security.policy = Some(folder.join("policy.cedar"));
    system.security.audit.folder = Some(audit.to_owned());
    system.security.audit.sample = SAMPLE;
}
