//! Checks whom a configuration trusts.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 3: Internal module imports
use crate::security::signature::trust::{Requirement, Trust, TrustedKey};
use crate::system::config::check::{at, duplicate, is_no_path, is_plain_name, key};
use crate::system::config::problem::{ConfigError, Problem, Step};
use crate::system::config::security::{KeyConfig, SecurityConfig};
use crate::system::config::system::SystemConfig;

impl SystemConfig {
    /// Checks the keys, and that what is said about signatures can be kept.
    pub(super) fn check_signatures(&self) -> Result<(), ConfigError> {
        let trust = self.security.trust();
        let trust = trust.map_err(|error| error.under([key("security")]))?;
        for (index, component) in self.components.iter().enumerate() {
            let Some(signature) = &component.signature else {
                continue;
            };
            let here = [key("components"), Step::Item(index), key("signature")];
            if is_no_path(signature.as_os_str()) {
                return Err(at(here, Problem::SignatureFile));
            }
            if trust.keys().is_empty() {
                return Err(at(here, Problem::NobodyTrusted));
            }
        }
        Ok(())
    }
}

impl SecurityConfig {
    /// Whom it says to trust.
    ///
    /// # Errors
    ///
    /// With the first mistake and the way to it: a name that is not plain or there twice, a
    /// key that is none or there twice, a `not_after` that is no moment, or `require_signed`
    /// where no key could have signed.
    pub fn trust(&self) -> Result<Trust, ConfigError> {
        if self.require_signed && self.keys.is_empty() {
            return Err(at([key("require_signed")], Problem::NoKeys));
        }
        let mut names = BTreeSet::new();
        let mut keys: Vec<TrustedKey> = Vec::new();
        for (index, config) in self.keys.iter().enumerate() {
            let here = [key("keys"), Step::Item(index)];
            let read = read_key(config, &keys).and_then(|read| match names.insert(&config.name) {
                true => Ok(read),
                false => Err(at([key("name")], duplicate("key", &config.name))),
            });
            keys.push(read.map_err(|error| error.under(here))?);
        }
        let requirement = match self.require_signed {
            true => Requirement::Required,
            false => Requirement::Optional,
        };
        Ok(Trust::new(keys, requirement))
    }
}

fn read_key(config: &KeyConfig, others: &[TrustedKey]) -> Result<TrustedKey, ConfigError> {
    if !is_plain_name(&config.name) {
        return Err(at([key("name")], Problem::PlainName));
    }
    let public = config.public.parse();
    let public = public.map_err(|invalid| at([key("public")], Problem::Key(invalid)))?;
    if let Some(other) = others.iter().find(|it| it.public == public) {
        return Err(at([key("public")], Problem::SameKey(other.name.clone())));
    }
    let not_after = config.not_after.as_deref().map(str::parse).transpose();
    let not_after =
        not_after.map_err(|invalid| at([key("not_after")], Problem::Expiry(invalid)))?;
    Ok(TrustedKey {
        name: config.name.clone(),
        public,
        not_after,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::signature::signing_key::SigningKey;
    use crate::system::config::component::ComponentConfig;
    use crate::system::manifest::Manifest;

    fn public(seed: u8) -> String {
        SigningKey::from_seed(&[seed; 32]).public().to_string()
    }

    fn trusted(name: &str, seed: u8) -> KeyConfig {
        KeyConfig {
            name: name.into(),
            public: public(seed),
            not_after: None,
        }
    }

    fn trusting(keys: Vec<KeyConfig>) -> SystemConfig {
        let mut config = SystemConfig::default();
        config.security.keys = keys;
        config
    }

    fn refusal(config: &SystemConfig) -> String {
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn keys_that_are_in_order_are_trusted() {
        let mut config = trusting(vec![trusted("ci", 1), trusted("dev-2", 2)]);
        config.security.require_signed = true;
        // That it has expired is no mistake.
        config.security.keys[1].not_after = Some("1999-12-31T23:59:59+01:00".into());
        assert_eq!(config.check(), Ok(()));
        let trust = config.security.trust().unwrap();
        let names = trust.keys().iter().map(|key| key.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["ci", "dev-2"]);
        assert_eq!(trust.expired(u64::MAX).count(), 1);
        assert!(trust.verify(b"", None, 0).is_err());

        config.security.require_signed = false;
        let trust = config.security.trust().unwrap();
        assert!(trust.verify(b"", None, 0).is_ok());
    }

    #[test]
    fn each_mistake_is_told_with_the_way_to_it() {
        let with = |change: fn(&mut KeyConfig)| {
            let mut keys = vec![trusted("ci", 1), trusted("dev", 2)];
            change(&mut keys[1]);
            trusting(keys)
        };
        for (config, expected) in [
            (
                with(|key| key.name = "Dev".into()),
                "security.keys[1].name: a name here is made of 1 to 64 of a-z 0-9 - _",
            ),
            (
                with(|key| key.name = "ci".into()),
                "security.keys[1].name: there is already a key `ci`",
            ),
            (
                with(|key| key.public = public(1)),
                "security.keys[1].public: this is the key `ci` once more",
            ),
            (
                with(|key| key.public = "ed25519:AAAA".into()),
                "security.keys[1].public: a public key has 44 characters behind `ed25519:`",
            ),
            (
                with(|key| key.not_after = Some("2027-01-31".into())),
                "security.keys[1].not_after: this is no moment in RFC 3339",
            ),
        ] {
            let refusal = refusal(&config);
            assert!(refusal.starts_with(expected), "{refusal}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_a_mistake() {
        let mut config = SystemConfig::default();
        config.security.require_signed = true;
        assert!(refusal(&config).starts_with("security.require_signed: no key is trusted"));

        let component = ComponentConfig {
            signature: Some("a.sig".into()),
            ..ComponentConfig::new("a/b".parse().unwrap())
        };
        let mut config = trusting(vec![]);
        config.components.push(component);
        let expected = "components[0].signature: `signature` cannot be checked";
        assert!(refusal(&config).starts_with(expected));
        config.security.keys.push(trusted("ci", 1));
        assert_eq!(config.check(), Ok(()));
        config.components[0].signature = Some("".into());
        let expected = "components[0].signature: `signature` must be the path of a file";
        assert_eq!(refusal(&config), expected);
    }

    #[test]
    fn a_manifest_shows_the_line() {
        let text = "version = 1\n[[security.keys]]\nname = \"ci\"\npublic = \"ed25519:x\"\n";
        let shown = Manifest::parse(text, "airssys.toml").unwrap_err();
        let expected = "airssys.toml:4:10: a public key has 44 characters behind `ed25519:`, \
                        and this has 1; copy it anew\npublic = \"ed25519:x\"\n";
        assert!(shown.to_string().starts_with(expected), "{shown}");

        let text = "version = 1\n[security]\nrequire_signed = true\n";
        let shown = Manifest::parse(text, "airssys.toml").unwrap_err();
        let shown = shown.to_string();
        assert!(shown.starts_with("airssys.toml:3:18: no key is trusted"));
    }
}
