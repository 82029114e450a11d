//! An ask of an actor of plain Rust in Kameo, whose message is its reply and is never
//! copied. Whoever asks is a task on the same worker, as with ours.

// Layer 2: Third-party crate imports
use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::message::{Context, Message};
use tokio::runtime::{Builder, Runtime};

// Layer 3: Internal module imports
use crate::PAYLOAD_BYTES;
use crate::measure::{Outcome, Plan, Spread, alone, per_run, process_time, timed_batches};

#[derive(Actor)]
struct Echo;

struct Say(Vec<u8>);

impl Message<Say> for Echo {
    type Reply = Vec<u8>;

    async fn handle(&mut self, say: Say, _context: &mut Context<Self, Self::Reply>) -> Vec<u8> {
        say.0
    }
}

pub(crate) fn measure(plan: Plan) -> Outcome<Spread> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()?;
    let echo = on_worker(&runtime, async { Ok(Echo::spawn(Echo)) })?;
    let timed = |runs| on_worker(&runtime, asks(echo.clone(), runs));
    alone(plan, timed_batches(plan, timed)?)
}

fn on_worker<T: Send + 'static>(
    runtime: &Runtime,
    task: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<T> {
    runtime.block_on(runtime.spawn(task))?
}

async fn asks(echo: ActorRef<Echo>, runs: u32) -> Outcome<f64> {
    let mut payload = vec![b'x'; PAYLOAD_BYTES];
    let started = process_time();
    for _ in 0..runs {
        payload = echo.ask(Say(payload)).await.map_err(|e| e.to_string())?;
    }
    Ok(per_run(process_time().saturating_sub(started), runs))
}
