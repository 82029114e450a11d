//! Checks what a component is granted, needs and is handed.

// Layer 1: Standard library imports
use std::path::Path;

// Layer 3: Internal module imports
use crate::core::security::capabilities::Capabilities;
use crate::core::security::capability::{Capability, Form};
use crate::security::grants::{Grants, InvalidGrant};
use crate::security::pattern::Pattern;
use crate::system::config::check::{at, is_no_path, key};
use crate::system::config::component::ComponentConfig;
use crate::system::config::problem::{ConfigError, Part, Problem, Step};

/// Checks every pattern, and that what is handed to the component can be.
///
/// # Errors
///
/// With the first mistake.
pub(super) fn check_access(component: &ComponentConfig) -> Result<(), ConfigError> {
    check_patterns("grants", &component.grants)?;
    if let Some(needs) = &component.needs {
        check_patterns("needs", needs)?;
    }
    for (name, source) in &component.secrets {
        let has_one = source.env.is_some() != source.file.is_some();
        let file = source.file.as_deref().map(Path::as_os_str);
        if !has_one || file.is_some_and(is_no_path) {
            return Err(at([key("secrets"), key(name)], Problem::SecretSource));
        }
    }
    for (name, value) in &component.env {
        let is_bad = |text: &str| text.contains('\0');
        if name.is_empty() || name.contains('=') || is_bad(name) || is_bad(value) {
            return Err(at([key("env"), key(name)], Problem::Variable));
        }
    }
    for (guest, path) in &component.folders {
        let here = [key("folders"), key(guest)];
        if let Err(invalid) = Pattern::parse(Form::Folder, guest) {
            return Err(ConfigError {
                part: Part::Key,
                ..at(here, Problem::Folder(invalid))
            });
        }
        if is_no_path(path.as_os_str()) {
            return Err(at(here, Problem::FolderPath));
        }
    }
    Ok(())
}

fn check_patterns(table: &str, capabilities: &Capabilities) -> Result<(), ConfigError> {
    let Err(invalid) = Grants::compile(capabilities) else {
        return Ok(());
    };
    let way = |capability: Capability| [key(table), key(capability.name())];
    Err(match invalid {
        InvalidGrant::Pattern {
            capability,
            index,
            source,
        } => {
            let mut error = at(way(capability), Problem::Pattern(source));
            error.path.push(Step::Item(index));
            error
        }
        InvalidGrant::Globs { capability, .. } | InvalidGrant::TooMany(capability) => {
            at(way(capability), Problem::Grant(invalid))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::config::secret_source::SecretSource;

    fn refusal(change: impl FnOnce(&mut ComponentConfig)) -> String {
        let mut component = ComponentConfig::new("shop/cart".parse().unwrap());
        change(&mut component);
        check_access(&component).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_told_with_the_way_to_it() {
        let found = [
            refusal(|it| it.grants.send = vec!["self".into(), "shop".into()]),
            refusal(|it| {
                it.needs = Some(Capabilities {
                    network: vec!["example.com".into()],
                    ..Capabilities::default()
                });
            }),
            refusal(|it| {
                it.secrets.insert("key".into(), SecretSource::default());
            }),
            refusal(|it| {
                it.env.insert("A=B".into(), "c".into());
            }),
            refusal(|it| {
                it.folders.insert("data".into(), "/srv/data".into());
            }),
        ];
        let expected = [
            "grants.send[1]: \"shop\" is no pattern of actors",
            "needs.network[0]: \"example.com\" is no pattern of hosts and ports",
            "secrets.key: a secret comes from one place",
            "env.A=B: ",
            "folders.data: \"data\" is no pattern of folders",
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
