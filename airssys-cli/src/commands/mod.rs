//! One file for each subcommand.

pub(crate) mod ask;
pub(crate) mod backup;
pub(crate) mod compact;
pub(crate) mod dead;
pub(crate) mod deploy;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod logs;
pub(crate) mod ps;
pub(crate) mod publish;
pub(crate) mod replay;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod send;
pub(crate) mod stop;
pub(crate) mod r#try;
pub(crate) mod up;
pub(crate) mod upgrade;
pub(crate) mod verify;
