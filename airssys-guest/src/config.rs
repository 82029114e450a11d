//! What the operator configured for a component.

/// What the operator configured for this component, as [`Actor::init`] gets it.
///
/// [`services::config`] reads the same at any time.
///
/// [`Actor::init`]: crate::Actor::init
/// [`services::config`]: crate::services::config
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config(Vec<(String, String)>);

impl Config {
    /// The value of `key`, if it is set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// All keys and values, in the host's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl From<Vec<(String, String)>> for Config {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_name() {
        let config = Config::from(vec![
            ("greeting".into(), "hello".into()),
            ("limit".into(), "3".into()),
        ]);
        assert_eq!(config.get("limit"), Some("3"));
        assert_eq!(config.get("greet"), None);
    }
}
