//! What to say of a policy that cannot be used.

// Layer 2: Third-party crate imports
use airssys_wasm::security::policy::policy_error::PolicyError;
use airssys_wasm::system::policy_file::PolicyFileError;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// What to do about a policy with a mistake.
pub(crate) const NEXT: &str = "mend it; `airssys policy schema` prints what a policy may speak of";

/// A file that gives no policy.
pub(crate) fn no_policy(error: &PolicyFileError) -> Failure {
    match error {
        PolicyFileError::Policy(error) => bad_policy(error),
        PolicyFileError::NotFound(_)
        | PolicyFileError::NotAFile(_)
        | PolicyFileError::Unreadable { .. } => {
            Failure::new(Exit::Io, "io", "cannot read the policy")
                .because(error)
                .next("check the path and the rights")
        }
        error => Failure::new(Exit::Internal, "internal", error.to_string()),
    }
}

/// A text that is no policy.
fn bad_policy(error: &PolicyError) -> Failure {
    Failure::new(Exit::BadManifest, "bad-policy", "this is no policy")
        .because(error)
        .next(NEXT)
}
