//! What a component is handed: its configuration, secrets, variables and folders.

// Layer 1: Standard library imports
use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

// Layer 2: Third-party crate imports
use secrecy::SecretString;
use thiserror::Error;
use zeroize::Zeroizing;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::core::security::provisions::Provisions;
use crate::security::granted::Granted;
use crate::system::config::component::ComponentConfig;
use crate::system::config::secret_source::SecretSource;

/// The most bytes of one secret.
pub const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Why a secret could not be read. Nothing of the secret is in it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// The environment has no such variable, or it is no text.
    #[error("secret `{secret}`: the environment variable {variable} is not set, or no UTF-8")]
    NoVariable {
        /// The secret.
        secret: String,
        /// The variable.
        variable: String,
    },
    /// The file of a secret could not be read.
    #[error("secret `{secret}`: {}: {source}", path.display())]
    Io {
        /// The secret.
        secret: String,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A secret is longer than one may be.
    #[error("secret `{secret}` has more than {MAX_SECRET_BYTES} bytes")]
    TooLong {
        /// The secret.
        secret: String,
    },
    /// A folder is not there.
    #[error("folder `{guest}`: there is no folder {}", path.display())]
    NoFolder {
        /// What the guest calls it.
        guest: String,
        /// Where it is to be.
        path: PathBuf,
    },
}

/// Reads the secrets of a component, and puts them beside what else it is handed.
pub(crate) fn provide(config: &ComponentConfig) -> Result<Provisions, ProvisionError> {
    let secrets = config.secrets.iter().map(|(name, source)| {
        let secret = read_secret(name, source)?;
        Ok((name.clone(), secret))
    });
    let missing = config.folders.iter().find(|(_, path)| !path.is_dir());
    if let Some((guest, path)) = missing {
        return Err(ProvisionError::NoFolder {
            guest: guest.clone(),
            path: path.clone(),
        });
    }
    Ok(Provisions {
        config: config.config.clone(),
        secrets: secrets.collect::<Result<_, _>>()?,
        env: config.env.clone(),
        folders: config.folders.clone(),
    })
}

/// Tells the operator of what a component is handed and may not have: most likely a grant was
/// forgotten.
pub(crate) fn tell_of_idle(config: &ComponentConfig, granted: &Granted) {
    let idle = |capabilities: &[Capability], name: &str| {
        let may_have = |it: &Capability| granted.with(|grants| grants.allow_name(*it, name));
        if !capabilities.iter().any(may_have) {
            let capability = capabilities[0];
            tracing::warn!(
                target: "airssys",
                component = config.name.as_str(),
                "it is given {name:?}, which nobody may read: grant it `{capability}`"
            );
        }
    };
    for name in config.config.keys() {
        idle(&[Capability::Config], name);
    }
    for name in config.secrets.keys() {
        idle(&[Capability::Secrets], name);
    }
    for name in config.env.keys() {
        idle(&[Capability::Env], name);
    }
    for name in config.folders.keys() {
        idle(&[Capability::ReadFiles, Capability::WriteFiles], name);
    }
}

fn read_secret(name: &str, source: &SecretSource) -> Result<SecretString, ProvisionError> {
    let text = match (&source.env, &source.file) {
        (_, Some(file)) => read_file(name, file)?,
        (variable, None) => {
            let variable = variable.clone().unwrap_or_default();
            let value = env::var(&variable).map_err(|_| ProvisionError::NoVariable {
                secret: name.to_owned(),
                variable,
            })?;
            Zeroizing::new(value)
        }
    };
    if text.len() as u64 > MAX_SECRET_BYTES {
        return Err(ProvisionError::TooLong {
            secret: name.to_owned(),
        });
    }
    Ok(SecretString::from(text.as_str()))
}

fn read_file(name: &str, path: &PathBuf) -> Result<Zeroizing<String>, ProvisionError> {
    // Large enough from the start, since what a text leaves behind when it grows is not wiped.
    let mut text = Zeroizing::new(String::with_capacity(MAX_SECRET_BYTES as usize + 2));
    let read =
        File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text));
    read.map_err(|source| ProvisionError::Io {
        secret: name.to_owned(),
        path: path.clone(),
        source,
    })?;
    let kept = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(kept);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::fs;

    fn from_file(path: PathBuf) -> SecretSource {
        SecretSource {
            file: Some(path),
            env: None,
        }
    }

    #[test]
    fn a_line_end_is_no_part_of_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "hunter2\r\n").unwrap();
        let secret = read_secret("key", &from_file(path)).unwrap();
        assert_eq!(secret.expose_secret(), "hunter2");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let long = "hunter2".repeat(MAX_SECRET_BYTES as usize / 7 + 1);
        for content in [long.as_bytes(), b"hunter2\xff"] {
            fs::write(&path, content).unwrap();
            let error = read_secret("key", &from_file(path.clone())).unwrap_err();
            assert!(error.to_string().starts_with("secret `key`"), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter"));
        }
        assert!(read_secret("key", &from_file(folder.path().join("none"))).is_err());
        assert!(read_secret("key", &SecretSource::default()).is_err());
    }
}
