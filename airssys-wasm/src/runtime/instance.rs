//! A live instance: a store, what was instantiated in it, and how it is called.

// Layer 1: Standard library imports
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::timeout;
use wasmtime::component::{ComponentNamedList, Lift, Lower, TypedFunc};
use wasmtime::{Result as WasmtimeResult, Store, UpdateDeadline};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::runtime::errors::WasmError;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::Effects;
use crate::core::turn::recorded::Learnt;
use crate::core::turn::report::TurnCost;
use crate::runtime::compiled::CompiledComponent;
use crate::runtime::exports::Exports;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::slice::Mode;
use crate::runtime::state::StoreState;

/// One instance of a component.
pub(crate) struct Instance {
    store: Store<StoreState>,
    component: Arc<CompiledComponent>,
    exports: Exports,
    mode: Mode,
    /// Set while the guest runs. Set between two turns, it tells that the last one was
    /// abandoned.
    running: bool,
}

/// An instance that could not be made: why, at what cost, and the state that it was to
/// continue from.
pub(crate) struct NotMade {
    pub(crate) error: WasmError,
    pub(crate) cost: TurnCost,
    pub(crate) keys: Keyspace,
}

/// What an exported function takes.
pub(crate) trait Params: ComponentNamedList + Lower + Send + Sync {}
impl<P: ComponentNamedList + Lower + Send + Sync> Params for P {}

/// What an exported function returns.
pub(crate) trait Results: ComponentNamedList + Lift + Send + Sync + 'static {}
impl<R: ComponentNamedList + Lift + Send + Sync + 'static> Results for R {}

impl Instance {
    /// Makes an instance, on the budget of a turn: what a guest runs to be instantiated
    /// is the guest's code.
    pub(crate) async fn make(
        component: &Arc<CompiledComponent>,
        settings: &Arc<InstanceSettings>,
        keys: Keyspace,
        context: TurnContext,
    ) -> Result<Self, NotMade> {
        let mode = component.mode(settings.overrun);
        let mut store = component.store(settings, keys);
        arm(&mut store, mode, context);
        match component.instantiate(&mut store, mode).await {
            Ok(exports) => Ok(Self {
                store,
                component: Arc::clone(component),
                exports,
                mode,
                running: false,
            }),
            Err(error) => Err(NotMade {
                error,
                cost: cost_of(&store),
                keys: store.into_data().keys,
            }),
        }
    }

    /// What it exports.
    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Begins a turn.
    #[inline]
    pub(crate) fn begin(&mut self, context: TurnContext) {
        self.mode = self.component.mode(self.store.data().settings.overrun);
        arm(&mut self.store, self.mode, context);
    }

    /// Calls the guest within the turn that was begun. After an error nobody knows in
    /// what state its memory was left: the instance must not be used again.
    pub(crate) async fn call<P: Params, R: Results>(
        &mut self,
        func: TypedFunc<P, R>,
        params: P,
    ) -> Result<R, WasmError> {
        self.running = true;
        let called = match self.mode {
            // Boxed, or every future above this one would be as large as its stack and
            // timer, and moving those costs turns that never wait more than the call.
            Mode::Fiber => Box::pin(call_suspending(&mut self.store, func, params)).await,
            Mode::Direct => func.call(&mut self.store, params),
        };
        self.running = false;
        self.store.data_mut().end();
        called.map_err(|error| error.context(self.store.data().stopped()).into())
    }

    /// Whether a turn was begun that nobody waited for.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.running
    }

    /// Takes what the turn recorded.
    pub(crate) fn take_effects(&mut self) -> Effects {
        self.store.data_mut().recorder.take_effects()
    }

    /// What the turn has cost so far.
    pub(crate) fn cost(&self) -> TurnCost {
        cost_of(&self.store)
    }

    /// Tells the operator what of the turn's log was dropped.
    pub(crate) fn report_dropped_lines(&self) {
        self.store.data().report_dropped_lines();
    }

    /// What the turn learnt from the host.
    pub(crate) fn take_learnt(&mut self) -> Learnt {
        self.store.data_mut().take_learnt()
    }

    /// The committed state.
    pub(crate) fn keys(&self) -> &Keyspace {
        &self.store.data().keys
    }

    /// The committed state, to be changed between two turns.
    pub(crate) fn keys_mut(&mut self) -> &mut Keyspace {
        &mut self.store.data_mut().keys
    }
}

/// Begins a turn: fresh fuel, a fresh deadline, an empty record.
#[inline]
fn arm(store: &mut Store<StoreState>, mode: Mode, context: TurnContext) {
    let state = store.data_mut();
    state.begin(context);
    state.slice.begin(mode);
    let fuel = state.limits().turn_fuel;
    // Whether it has met its deadline is looked at at each tick, and whether others wait.
    store.set_epoch_deadline(1);
    // Fuel is part of every engine's configuration, without which this would fail.
    let armed = store.set_fuel(fuel);
    debug_assert!(armed.is_ok());
}

/// Calls a guest that may wait. While it computes, the epoch stops it; while it waits,
/// the timer does.
async fn call_suspending<P: Params, R: Results>(
    store: &mut Store<StoreState>,
    func: TypedFunc<P, R>,
    params: P,
) -> WasmtimeResult<R> {
    let allowed = store.data().stopped().turn_wall_ms;
    within(allowed, func.call_async(store, params)).await
}

/// Gives a guest that waits no more than so many milliseconds.
pub(crate) async fn within<T>(
    allowed_ms: u64,
    run: impl Future<Output = WasmtimeResult<T>>,
) -> WasmtimeResult<T> {
    let deadline = Duration::from_millis(allowed_ms);
    let mut run = pin!(run);
    // Most turns never wait, and need no timer.
    if let Poll::Ready(ended) = poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await {
        return ended;
    }
    match timeout(deadline, run).await {
        Ok(ended) => ended,
        Err(_elapsed) => Err(LimitExceeded::beyond(Limit::TurnWallMs, allowed_ms).into()),
    }
}

/// What a guest that computes is told when an epoch ends: to let others run, or to end.
pub(crate) fn at_epoch(state: &mut StoreState) -> UpdateDeadline {
    if state.stopwatch.is_overdue() {
        UpdateDeadline::Interrupt
    } else {
        state.slice.at_tick()
    }
}

#[inline]
fn cost_of(store: &Store<StoreState>) -> TurnCost {
    let left = store.get_fuel().unwrap_or_default();
    TurnCost {
        fuel: store.data().limits().turn_fuel.saturating_sub(left),
        peak_memory_bytes: store.data().limiter.peak(),
    }
}
