//! A message that goes round a ring of actors: durable ones, and ephemeral ones.

// Layer 3: Internal module imports
use crate::disk::folder;
use crate::figure::Figure;
use crate::measure::{Outcome, Plan, compare};
use crate::ring::{Kind, Ring, Shape};
use crate::stage::Stage;

const SHAPE: Shape = Shape {
    actors: 100,
    entries: 1,
};

pub(crate) fn measure(plan: Plan) -> Outcome<Vec<Figure>> {
    let stage = Stage::new(1)?;
    let hops = if plan.is_quick() { 20_000 } else { 50_000 };
    let folder = folder()?;
    let durable = Ring::start(&stage, SHAPE, Some(&folder.path().join("data")))?;
    let ephemeral = Ring::start(&stage, SHAPE, None)?;
    for ring in [&durable, &ephemeral] {
        ring.run(Kind::Pass, 1, hops)?;
    }
    let compared = compare(
        plan,
        || durable.run(Kind::Pass, 1, hops),
        || ephemeral.run(Kind::Pass, 1, hops),
    )?;
    for ring in [durable, ephemeral] {
        ring.end()?;
    }
    Ok(vec![Figure::ratio("hop_durable", compared)])
}
