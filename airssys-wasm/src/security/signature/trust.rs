//! Whom to trust.

// Layer 3: Internal module imports
use crate::security::signature::detached::Signature;
use crate::security::signature::error::SignatureError;
use crate::security::signature::expiry::Expiry;
use crate::security::signature::public_key::PublicKey;

/// A key whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// What it is called, in a policy and in the audit log.
    pub name: String,
    /// The key.
    pub public: PublicKey,
    /// Until when its signatures count. None: for ever.
    pub not_after: Option<Expiry>,
}

/// Whether there has to be a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// One that is there is checked, and none has to be.
    #[default]
    Optional,
    /// Only what a trusted key has signed is taken.
    Required,
}

/// What came of a check that nothing was wrong with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A trusted key signed these bytes.
    Verified {
        /// The key's name.
        signer: String,
    },
    /// Nobody did whom the system knows, and nobody had to.
    Unsigned,
}

/// The keys that are trusted, and whether one of them has to sign.
///
/// ```
/// use airssys_wasm::security::signature::signing_key::SigningKey;
/// use airssys_wasm::security::signature::trust::{Requirement, Trust, TrustedKey, Verdict};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate()?;
/// let ci = TrustedKey { name: "ci".into(), public: key.public(), not_after: None };
/// let trust = Trust::new(vec![ci], Requirement::Required);
///
/// let signature = key.sign(b"a component").to_string();
/// let verdict = trust.verify(b"a component", Some(signature.as_bytes()), 0)?;
/// assert_eq!(verdict, Verdict::Verified { signer: "ci".into() });
/// assert!(trust.verify(b"another", Some(signature.as_bytes()), 0).is_err());
/// assert!(trust.verify(b"a component", None, 0).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: Vec<TrustedKey>,
    requirement: Requirement,
}

impl Trust {
    /// Trusts these keys. Of two with one name or one public half, the first counts.
    pub fn new(keys: Vec<TrustedKey>, requirement: Requirement) -> Self {
        Self { keys, requirement }
    }

    /// The keys, in the order in which they were given.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The keys that are trusted no longer at `now_ms`, in milliseconds since the Unix epoch.
    pub fn expired(&self, now_ms: u64) -> impl Iterator<Item = (&str, Expiry)> {
        self.keys.iter().filter_map(move |key| {
            let expired = key.not_after.filter(|expiry| expiry.has_passed(now_ms));
            expired.map(|expiry| (key.name.as_str(), expiry))
        })
    }

    /// Checks the signature of exactly these bytes at `now_ms`, in milliseconds since the
    /// Unix epoch. The `signature` is what was found in its file, whatever that is.
    ///
    /// A signature that is there must be a good one, of a key that is trusted and has not
    /// expired, also where there need not be one. Only where no key is trusted and none has
    /// to be, it means nothing and is not looked at.
    ///
    /// # Errors
    ///
    /// What is wrong with the signature, or that there is none.
    pub fn verify(
        &self,
        bytes: &[u8],
        signature: Option<&[u8]>,
        now_ms: u64,
    ) -> Result<Verdict, SignatureError> {
        let signature = match (signature, self.requirement) {
            (_, Requirement::Optional) if self.keys.is_empty() => return Ok(Verdict::Unsigned),
            (None, Requirement::Optional) => return Ok(Verdict::Unsigned),
            (None, Requirement::Required) => return Err(SignatureError::Missing),
            (Some(signature), _) => Signature::parse(signature)?,
        };
        let key = signature.key();
        let known = self.keys.iter().find(|it| it.public == key);
        let Some(known) = known else {
            return Err(SignatureError::UnknownKey { key });
        };
        let signer = known.name.clone();
        if !signature.is_of(bytes) {
            return Err(SignatureError::Tampered { key: signer });
        }
        match known.not_after.filter(|it| it.has_passed(now_ms)) {
            None => Ok(Verdict::Verified { signer }),
            Some(not_after) => Err(SignatureError::Expired {
                key: signer,
                not_after,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::signature::signing_key::SigningKey;
    use proptest::prelude::*;

    const BYTES: &[u8] = b"a component";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    /// Trusts the keys 1, for ever, and 2, until the first second of 1970 is over.
    fn trust(requirement: Requirement) -> Trust {
        let trusted = |name: &str, seed, not_after: Option<&str>| TrustedKey {
            name: name.into(),
            public: key(seed).public(),
            not_after: not_after.map(|text| text.parse().unwrap()),
        };
        let keys = vec![
            trusted("one", 1, None),
            trusted("two", 2, Some("1970-01-01T00:00:01Z")),
        ];
        Trust::new(keys, requirement)
    }

    fn check(trust: &Trust, signed_by: u8, now_ms: u64) -> Result<Verdict, SignatureError> {
        let signature = key(signed_by).sign(BYTES).to_string();
        trust.verify(BYTES, Some(signature.as_bytes()), now_ms)
    }

    fn verified(signer: &str) -> Result<Verdict, SignatureError> {
        Ok(Verdict::Verified {
            signer: signer.into(),
        })
    }

    #[test]
    fn a_signature_that_is_there_is_checked_whether_it_has_to_be_there_or_not() {
        for requirement in [Requirement::Optional, Requirement::Required] {
            let trust = trust(requirement);
            assert_eq!(check(&trust, 1, u64::MAX), verified("one"));
            assert_eq!(check(&trust, 2, 1_000), verified("two"));
            let expired = SignatureError::Expired {
                key: "two".into(),
                not_after: "1970-01-01T00:00:01Z".parse().unwrap(),
            };
            assert_eq!(check(&trust, 2, 1_001), Err(expired));
            let key = key(3).public();
            assert_eq!(check(&trust, 3, 0), Err(SignatureError::UnknownKey { key }));
            let bytes = 0;
            assert_eq!(
                trust.verify(BYTES, Some(b""), 0),
                Err(SignatureError::Truncated { bytes })
            );
        }
    }

    #[test]
    fn none_is_taken_only_where_there_need_not_be_one() {
        let optional = trust(Requirement::Optional).verify(BYTES, None, 0);
        assert_eq!(optional, Ok(Verdict::Unsigned));
        let required = trust(Requirement::Required).verify(BYTES, None, 0);
        assert_eq!(required, Err(SignatureError::Missing));
    }

    #[test]
    fn where_nobody_is_trusted_signatures_mean_nothing() {
        let nobody = Trust::default();
        assert_eq!(check(&nobody, 1, 0), Ok(Verdict::Unsigned));
        let garbage = nobody.verify(BYTES, Some(b"garbage"), 0);
        assert_eq!(garbage, Ok(Verdict::Unsigned));
        // But never where one has to be.
        let nobody = Trust::new(vec![], Requirement::Required);
        assert!(check(&nobody, 1, 0).is_err());
    }

    #[test]
    fn what_was_changed_is_told_before_what_expired() {
        let signature = key(2).sign(BYTES).to_string();
        let changed = trust(Requirement::Required).verify(b"b", Some(signature.as_bytes()), 2_000);
        assert_eq!(changed, Err(SignatureError::Tampered { key: "two".into() }));
    }

    #[test]
    fn a_signature_under_another_key_is_tampered_with() {
        let stolen = key(3).sign(BYTES).to_string();
        let (three, one) = (key(3).public().to_string(), key(1).public().to_string());
        let renamed = stolen.replace(&three, &one);
        let checked = trust(Requirement::Required).verify(BYTES, Some(renamed.as_bytes()), 0);
        assert_eq!(checked, Err(SignatureError::Tampered { key: "one".into() }));
    }

    #[test]
    fn each_error_says_what_to_do() {
        let errors = [
            SignatureError::Missing,
            SignatureError::Truncated { bytes: 3 },
            Signature::parse(b"x").unwrap_err(),
            SignatureError::UnknownKey {
                key: key(1).public(),
            },
            SignatureError::Expired {
                key: "ci".into(),
                not_after: "2027-01-31T00:00:00Z".parse().unwrap(),
            },
            SignatureError::Tampered { key: "ci".into() },
        ];
        for (error, next) in errors.iter().zip([
            "sign it with `airssys sign`",
            "copy the whole .sig file",
            "name the .sig file",
            "add it to [[security.keys]]",
            "sign it with another key",
            "get both from whoever signed it",
        ]) {
            assert!(error.to_string().contains(next), "{error}");
        }
    }

    #[test]
    fn expired_keys_are_listed() {
        let trust = trust(Requirement::Optional);
        assert_eq!(trust.expired(1_000).count(), 0);
        let expired: Vec<_> = trust.expired(1_001).map(|(name, _)| name).collect();
        assert_eq!(expired, ["two"]);
    }

    proptest! {
        #[test]
        fn nothing_but_what_a_trusted_key_signed_is_verified(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            others in prop::collection::vec(any::<u8>(), 0..100),
            signed_by in 1..5_u8,
            now_ms in 0..3_000_u64,
        ) {
            let signature = key(signed_by).sign(&bytes).to_string();
            let checked =
                trust(Requirement::Required).verify(&others, Some(signature.as_bytes()), now_ms);
            let expected = match signed_by {
                _ if bytes != others => false,
                1 => true,
                2 => now_ms <= 1_000,
                _ => false,
            };
            prop_assert_eq!(checked.is_ok(), expected);
        }
    }
}
