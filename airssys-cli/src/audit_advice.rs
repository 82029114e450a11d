//! The words for what goes wrong with an audit log: what, why, and what to do.

// Layer 2: Third-party crate imports
use airssys_wasm::security::audit::error::AuditError;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// Explains why an audit log cannot be read, written or believed.
pub(crate) fn not_audited(error: &AuditError) -> Failure {
    let (exit, kind, message, next) = match error {
        AuditError::Broken(_) => (
            Exit::AuditBroken,
            "audit-broken",
            "the audit log was edited or cut",
            "keep the folder as it is, elsewhere, and find out who can write to it; a system \
             begins a new log where there is none",
        ),
        AuditError::NoLog { .. } => (
            Exit::NoData,
            "no-audit-log",
            "there is no audit log",
            "check the path: the log is in `audit` in the data folder, or where \
             `[security.audit]` says",
        ),
        AuditError::InUse { .. } => (
            Exit::DataInUse,
            "audit-in-use",
            "the folder of the audit log is in use",
            "stop that system with Ctrl-C, or choose another folder",
        ),
        AuditError::NotKept { .. } => (
            Exit::Refused,
            "not-kept",
            "the audit log does not reach back so far",
            "compare with a head that was noted later, and keep more with `files` under \
             `[security.audit]`",
        ),
        AuditError::Failing(_) | AuditError::Closed => (
            Exit::StoreFailed,
            "audit-failed",
            "the audit log cannot be written",
            "free space or mend the disk; it is tried again by itself",
        ),
        _ => (
            Exit::Io,
            "io",
            "the audit log cannot be used",
            "check the path, the rights, and the disk",
        ),
    };
    Failure::new(exit, kind, message).because(error).next(next)
}
