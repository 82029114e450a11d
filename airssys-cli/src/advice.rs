//! The words for what the host library refuses: what went wrong, why, and what to do.

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::{Limit, LimitExceeded};
use airssys_wasm::core::runtime::errors::{
    ComponentFault, FaultKind, GuestFault, MissingExport, WasmError,
};
use airssys_wasm::runtime::outline::HANDLER;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::ComponentFile;
use crate::limits::{is_size, raising_flag, raising_line};
use crate::quantity;

/// What every binary WebAssembly file begins with.
const WASM_MAGIC: &[u8] = b"\0asm";

const REPORT: &str = "this is a bug in airssys; please report it with the component";

/// Explains why a component could not be loaded.
pub(crate) fn not_loaded(error: WasmError, component: &ComponentFile) -> Failure {
    match error {
        WasmError::InvalidComponent(fault) => invalid(&fault, component),
        WasmError::ExportNotFound(missing) => no_actor(&missing, component),
        WasmError::InstantiationFailed(reason) => no_component(reason, component),
        error => not_run(error),
    }
}

/// Explains why a component could not be loaded into a system, whose limits no flag raises.
pub(crate) fn not_deployed(error: WasmError, component: &ComponentFile) -> Failure {
    match error {
        WasmError::ResourceLimitExceeded(exceeded) => {
            let line = raising_line(&exceeded);
            let raise =
                line.map(|line| format!("`{line}` under `[component.limits]` in airssys.toml"));
            limit_met(exceeded, raise)
        }
        error => not_loaded(error, component),
    }
}

/// Explains why a component that was loaded did not start, or its turn not end.
pub(crate) fn not_run(error: WasmError) -> Failure {
    match error {
        WasmError::Timeout(exceeded) | WasmError::ResourceLimitExceeded(exceeded) => {
            over_limit(exceeded)
        }
        WasmError::RuntimeError(fault) => guest_failed(fault),
        WasmError::InstantiationFailed(reason) => Failure::new(
            Exit::CannotRunHere,
            "instantiation-failed",
            "the component could not be started",
        )
        .because(reason)
        .next("it asks for more than this host has; `airssys inspect` shows what is in it"),
        error => internal(error.to_string()),
    }
}

/// Explains why there is no engine.
pub(crate) fn no_engine(error: &WasmError) -> Failure {
    Failure::new(Exit::Internal, "internal", "cannot set up the engine")
        .because(error)
        .next("the system may be out of memory or threads; see `ulimit -a`")
}

/// The guest does not want the message.
pub(crate) fn rejected(why: String) -> Failure {
    Failure::new(Exit::Rejected, "rejected", "the guest rejected the message")
        .because(why)
        .next("it is the guest's own answer: change the message (`--kind`, `--data`, `--file`)")
}

/// The guest wants the message later.
pub(crate) fn retry_requested(why: String) -> Failure {
    Failure::new(
        Exit::RetryRequested,
        "retry-requested",
        "the guest asked for the message to be tried again later",
    )
    .because(why)
    .next("a running actor gets it again after a pause; here, run the command again")
}

/// A limit was met, which a flag raises.
pub(crate) fn over_limit(exceeded: LimitExceeded) -> Failure {
    let flag = raising_flag(&exceeded);
    limit_met(exceeded, flag.map(|flag| format!("`{flag}`")))
}

/// A limit was met. It is raised like this, unless it is the engine's.
fn limit_met(exceeded: LimitExceeded, raise: Option<String>) -> Failure {
    let (exit, kind) = match exceeded.limit {
        Limit::TurnWallMs => (Exit::Timeout, "timeout"),
        _ => (Exit::LimitExceeded, "limit-exceeded"),
    };
    let mut failure = Failure::new(exit, kind, headline(exceeded.limit))
        .because(cause(&exceeded))
        .next(way_out(exceeded.limit, raise));
    failure.limit = Some(Box::new(exceeded));
    failure
}

fn internal(cause: String) -> Failure {
    Failure::new(
        Exit::Internal,
        "internal",
        "airssys lost track of the component",
    )
    .because(cause)
    .next(REPORT)
}

fn no_component(reason: String, component: &ComponentFile) -> Failure {
    let (name, bytes) = (component.path.display(), &component.bytes);
    let (what, cause, next) = if bytes.is_empty() {
        ("is empty", reason, "build the component again".to_owned())
    } else if bytes.starts_with(WASM_MAGIC) {
        (
            "is damaged, or made for a newer WebAssembly",
            reason,
            format!("build it again; `wasm-tools validate {name}` says more"),
        )
    } else if is_wasm_text(bytes) {
        (
            "is WebAssembly text, which has to be assembled",
            beginning(bytes),
            format!(
                "run `wasm-tools parse {name} -o {}`",
                component.path.with_extension("wasm").display()
            ),
        )
    } else {
        (
            "is not WebAssembly",
            beginning(bytes),
            "name a component: a .wasm file that was built for a component target such as \
             wasm32-wasip2, or made by `wasm-tools component new`"
                .to_owned(),
        )
    };
    Failure::new(
        Exit::NotAComponent,
        "not-a-component",
        format!("{name} {what}"),
    )
    .because(cause)
    .next(next)
}

fn is_wasm_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let starts: [&[u8]; 4] = [b"(component", b"(module", b"(;", b";;"];
    starts.iter().any(|start| text.starts_with(start))
}

fn beginning(bytes: &[u8]) -> String {
    let four = &bytes[..bytes.len().min(WASM_MAGIC.len())];
    let hex: Vec<String> = four.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "WebAssembly begins with the bytes 00 61 73 6d, and this with {}",
        hex.join(" ")
    )
}

fn invalid(fault: &ComponentFault, component: &ComponentFile) -> Failure {
    let name = component.path.display();
    let refuse = |kind, message: &str, next: String| {
        Failure::new(Exit::CannotRunHere, kind, format!("{name} {message}"))
            .because(fault)
            .next(next)
    };
    match fault {
        ComponentFault::CoreModule => Failure::new(
            Exit::NotAComponent,
            "core-module",
            format!("{name} is a core WebAssembly module, not a component"),
        )
        .because("a core module has no typed interface that a host could call")
        .next(format!(
            "wrap it with `wasm-tools component new {name} -o component.wasm`, or build for a \
             component target such as wasm32-wasip2"
        )),
        ComponentFault::UnknownImport { .. } => refuse(
            "unknown-import",
            "needs what this host does not offer",
            "build it without that import, or run it in the host that it was made for".to_owned(),
        ),
        ComponentFault::ImportVersion { offered, .. } => refuse(
            "import-version",
            "was built against another version of an interface",
            format!("build it against version {offered} of it"),
        ),
        ComponentFault::Needs(_) => refuse(
            "malformed-needs",
            "does not say in a readable way what it needs",
            "declare it once, by `needs!` of airssys-guest".to_owned(),
        ),
        _ => refuse(
            "wrong-type",
            "does not fit the contract",
            "build it against the contract in wit/ as it is, and not against a changed copy"
                .to_owned(),
        ),
    }
}

fn no_actor(missing: &MissingExport, component: &ComponentFile) -> Failure {
    let name = component.path.display();
    let version = HANDLER.rsplit('@').next().unwrap_or_default();
    let needs = &missing.export;
    let (kind, message, cause, next) = match &missing.found {
        Some(found) => (
            "export-version",
            format!("{name} speaks another version of the contract"),
            format!("it exports `{found}`, and this host calls `{needs}`"),
            format!("build it against airssys:actor {version}, the version in wit/"),
        ),
        None => (
            "missing-export",
            format!("{name} is no actor"),
            format!("it does not export `{needs}`"),
            "export it: in Rust, implement `Actor` of the crate airssys-guest and pass it to \
             `export!`; elsewhere, build against the world `actor` in wit/"
                .to_owned(),
        ),
    };
    Failure::new(Exit::MissingExport, kind, message)
        .because(cause)
        .next(next)
}

fn headline(limit: Limit) -> &'static str {
    match limit {
        Limit::ComponentBytes => "the component is larger than it may be",
        Limit::ComponentFunctions => "the component has more functions than it may",
        Limit::FunctionBytes => "a function of the component is larger than it may be",
        Limit::CompileMs => "the component takes longer to compile than it may",
        Limit::CompileBytes => "the component takes more memory to compile than it may",
        Limit::MemoryBytes => "the guest wanted more memory than it may have",
        Limit::TotalMemoryBytes => "the component's actors have all the memory that they may have",
        Limit::MaxMemoryBytes => {
            "the actors of all components have all the memory that they may have"
        }
        Limit::TurnFuel => "the guest used up its fuel",
        Limit::TurnWallMs => "the turn took longer than it may",
        Limit::HostcallBytes => "the guest handed over more bytes at once than it may",
        Limit::ResourceHandles => "the guest holds more handles than it may",
        Limit::MessageBytes => "the message is larger than it may be",
        Limit::KindBytes => "the message's kind is longer than it may be",
        Limit::ReplyBytes => "the reply is larger than it may be",
        Limit::WasmStackBytes => "the guest used up its stack",
        _ => "the guest met a limit",
    }
}

fn cause(exceeded: &LimitExceeded) -> String {
    let amount = |amount| match exceeded.limit {
        limit if is_size(limit) => quantity::bytes(amount),
        limit if limit.name().ends_with("_ms") => format!("{} ms", quantity::count(amount)),
        _ => quantity::count(amount),
    };
    let LimitExceeded {
        limit,
        allowed,
        observed,
    } = *exceeded;
    // Saying "4 MiB, and 4 MiB was wanted" of one byte too many helps nobody.
    if amount(observed) == amount(allowed) || observed == allowed.saturating_add(1) {
        return format!("{limit} allows {}, and more was wanted", amount(allowed));
    }
    let (allowed, observed) = (amount(allowed), amount(observed));
    format!("{limit} allows {allowed}, and {observed} was wanted")
}

fn way_out(limit: Limit, raise: Option<String>) -> String {
    let Some(raise) = raise else {
        return match limit {
            Limit::WasmStackBytes => "look for a recursion that does not end; the stack is the \
                                      engine's, and no flag makes it larger"
                .to_owned(),
            Limit::MaxMemoryBytes => "allow more with `max_memory_bytes` under [system], or the \
                                      component that has most of it less with \
                                      `total_memory_bytes`: `airssys ps` shows what each has"
                .to_owned(),
            _ => REPORT.to_owned(),
        };
    };
    match limit {
        Limit::TurnFuel | Limit::TurnWallMs => {
            format!("look for a loop that does not end, or allow more with {raise}")
        }
        Limit::CompileMs | Limit::CompileBytes => format!(
            "one function with very many locals and branches does that, and honest compilers \
             seldom make one; if it is honest, allow more with {raise}"
        ),
        Limit::ComponentBytes => {
            format!("strip it of debug information, or allow more with {raise}")
        }
        Limit::KindBytes => {
            format!("put data into the payload and not into the kind, or allow more with {raise}")
        }
        _ => format!("allow more with {raise}"),
    }
}

fn guest_failed(fault: GuestFault) -> Failure {
    match fault.kind {
        FaultKind::Rejected => {
            return Failure::new(Exit::Rejected, "init-refused", "the guest refused to start")
                .because(fault.reason)
                .next(
                    "it is the answer of the guest's own `init`: see what it expects of `--config`",
                );
        }
        FaultKind::RetryRequested => return retry_requested(fault.reason),
        FaultKind::InstanceGone => return internal(fault.to_string()),
        _ => {}
    }
    let (kind, next) = match fault.kind {
        FaultKind::Unreachable => (
            "unreachable",
            "a panic, an abort or a failed assertion ends so; a Rust guest that calls \
             `services::log_panics()` logs the reason",
        ),
        FaultKind::OutOfBounds => (
            "out-of-bounds",
            "look for a bad pointer or index in unsafe code; a debug build may catch it earlier",
        ),
        FaultKind::IndirectCall => (
            "indirect-call",
            "look for a function pointer that is null or cast to another type",
        ),
        FaultKind::Arithmetic => (
            "arithmetic",
            "look for a division by zero, or a number that does not fit its type",
        ),
        FaultKind::MalformedData => (
            "malformed-data",
            "the guest's bindings are broken: generate them anew from wit/",
        ),
        FaultKind::Denied => (
            "denied",
            "build the guest without it; `airssys inspect` shows what needs a grant",
        ),
        _ => ("guest-failed", "run it with `-vv` to see what led to it"),
    };
    let nameless = fault
        .backtrace
        .iter()
        .any(|f| f.starts_with("<wasm function"));
    let next = match nameless {
        true => format!("{next}; to see the names of functions, build it without stripping them"),
        false => next.to_owned(),
    };
    let mut failure = Failure::new(Exit::Failed, kind, fault.kind.to_string())
        .because(fault.reason)
        .next(next);
    failure.backtrace = fault.backtrace.into();
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use airssys_wasm::core::runtime::errors::NeedsFault;
    use std::path::PathBuf;

    fn file(bytes: &[u8]) -> ComponentFile {
        ComponentFile {
            path: PathBuf::from("a.wat"),
            bytes: bytes.to_vec(),
        }
    }

    fn all_errors() -> Vec<WasmError> {
        let import = || "x:y/z@1.0.0".to_owned();
        let faults = [
            ComponentFault::CoreModule,
            ComponentFault::UnknownImport { import: import() },
            ComponentFault::ImportVersion {
                import: import(),
                offered: "0.1.0".into(),
            },
            ComponentFault::WrongType("a reason".into()),
            ComponentFault::Needs(NeedsFault::Twice),
        ];
        let kinds = [
            FaultKind::Unreachable,
            FaultKind::OutOfBounds,
            FaultKind::IndirectCall,
            FaultKind::Arithmetic,
            FaultKind::MalformedData,
            FaultKind::Denied,
            FaultKind::Rejected,
            FaultKind::RetryRequested,
            FaultKind::InstanceGone,
            FaultKind::Other,
        ];
        let limits = [
            Limit::ComponentBytes,
            Limit::ComponentFunctions,
            Limit::FunctionBytes,
            Limit::CompileMs,
            Limit::CompileBytes,
            Limit::MemoryBytes,
            Limit::TotalMemoryBytes,
            Limit::MaxMemoryBytes,
            Limit::TurnFuel,
            Limit::HostcallBytes,
            Limit::ResourceHandles,
            Limit::MessageBytes,
            Limit::KindBytes,
            Limit::ReplyBytes,
            Limit::WasmStackBytes,
            Limit::Instances,
        ];
        let missing = |found: Option<&str>| {
            WasmError::ExportNotFound(MissingExport {
                export: HANDLER.into(),
                found: found.map(str::to_owned),
            })
        };
        let mut errors = vec![
            WasmError::ComponentNotFound("a/b/c".into()),
            WasmError::InstantiationFailed("a reason".into()),
            WasmError::Timeout(LimitExceeded::beyond(Limit::TurnWallMs, 5)),
            missing(None),
            missing(Some("airssys:actor/handler@0.2.0")),
        ];
        errors.extend(faults.map(WasmError::InvalidComponent));
        errors.extend(kinds.map(|kind| WasmError::RuntimeError(GuestFault::new(kind, "a reason"))));
        errors
            .extend(limits.map(|l| WasmError::ResourceLimitExceeded(LimitExceeded::beyond(l, 5))));
        errors
    }

    #[test]
    fn every_error_has_a_cause_and_a_next_step() {
        for error in all_errors() {
            for failure in [
                not_loaded(error.clone(), &file(b"x")),
                not_deployed(error.clone(), &file(b"x")),
                not_run(error.clone()),
            ] {
                assert!(!failure.cause.is_empty(), "{error:?}");
                assert!(!failure.next.is_empty(), "{error:?}");
                assert!(failure.exit.code() != 0, "{error:?}");
            }
        }
    }

    #[test]
    fn a_limit_is_raised_where_it_is_set() {
        let exceeded = LimitExceeded::beyond(Limit::CompileMs, 1_000);
        let error = WasmError::ResourceLimitExceeded(exceeded);
        let tried = not_loaded(error.clone(), &file(b"x")).next;
        assert!(tried.ends_with("`--limit compile_ms=2000`"), "{tried}");
        let deployed = not_deployed(error, &file(b"x")).next;
        let line = "`compile_ms = 2000` under `[component.limits]` in airssys.toml";
        assert!(deployed.ends_with(line), "{deployed}");
    }

    #[test]
    fn what_is_no_component_is_told_apart() {
        for (bytes, expected) in [
            (&b""[..], "is empty"),
            (b"\0asm\x0d\0", "is damaged"),
            (b"\n  (component)", "is WebAssembly text"),
            (b";; a comment", "is WebAssembly text"),
            (b"#!/bin/sh", "is not WebAssembly"),
        ] {
            let failure = no_component("a reason".into(), &file(bytes));
            assert!(failure.message.contains(expected), "{failure:?}");
            assert_eq!(failure.exit, Exit::NotAComponent);
        }
        let text = no_component("a reason".into(), &file(b"(module)"));
        assert_eq!(text.next, "run `wasm-tools parse a.wat -o a.wasm`");
    }

    #[test]
    fn a_limit_says_both_figures_in_its_unit() {
        let told = |limit, allowed, observed| {
            cause(&LimitExceeded {
                limit,
                allowed,
                observed,
            })
        };
        assert_eq!(
            told(Limit::ReplyBytes, 4 << 20, 32 << 20),
            "reply_bytes allows 4 MiB, and 32 MiB was wanted"
        );
        assert_eq!(
            told(Limit::TurnFuel, 1_000_000, 1_000_001),
            "turn_fuel allows 1,000,000, and more was wanted"
        );
        assert_eq!(
            told(Limit::TurnWallMs, 50, 62),
            "turn_wall_ms allows 50 ms, and 62 ms was wanted"
        );
    }

    #[test]
    fn names_are_asked_for_where_they_are_missing() {
        let mut fault = GuestFault::new(FaultKind::Unreachable, "a reason");
        fault.backtrace = vec!["counter::add".into()];
        assert!(!guest_failed(fault.clone()).next.contains("stripping"));
        fault.backtrace.push("<wasm function 7>".into());
        assert!(guest_failed(fault).next.contains("stripping"));
    }
}
