//! The form of topics and of the patterns that subscribe to them.

// Layer 2: Third-party crate imports
use thiserror::Error;

/// Why a text is no topic or no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidTopic {
    /// A word between two dots is empty, or the whole text is.
    #[error("a topic is words joined by dots, and one of them is empty")]
    EmptyWord,
    /// A word has a character outside the allowed set.
    #[error("a topic is made of a-z A-Z 0-9 - _ ~ and dots, and not of {0:?}")]
    Character(char),
    /// A wildcard stands where none may.
    #[error("`*` stands for a whole word, and `>` for all words at the end of a pattern")]
    Wildcard,
}

/// Checks a topic: words joined by dots, no wildcards.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn check_topic(topic: &str) -> Result<(), InvalidTopic> {
    topic.split('.').try_for_each(check_word)
}

/// Checks a pattern: a topic in which `*` may stand for one word, and `>` at the end
/// for one or more.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn check_pattern(pattern: &str) -> Result<(), InvalidTopic> {
    let (front, last) = pattern
        .rsplit_once('.')
        .map_or(("*", pattern), |split| split);
    let word = |word| {
        if word == "*" {
            Ok(())
        } else {
            check_word(word)
        }
    };
    front.split('.').try_for_each(word)?;
    if last == ">" { Ok(()) } else { word(last) }
}

fn check_word(word: &str) -> Result<(), InvalidTopic> {
    if word.is_empty() {
        return Err(InvalidTopic::EmptyWord);
    }
    match word.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some('*' | '>') => Err(InvalidTopic::Wildcard),
        Some(wrong) => Err(InvalidTopic::Character(wrong)),
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_words() {
        assert_eq!(check_topic("orders.eu.created"), Ok(()));
        assert_eq!(check_topic("orders"), Ok(()));
        assert_eq!(check_topic(""), Err(InvalidTopic::EmptyWord));
        assert_eq!(check_topic("a..b"), Err(InvalidTopic::EmptyWord));
        assert_eq!(check_topic("a.b."), Err(InvalidTopic::EmptyWord));
        assert_eq!(check_topic("a.*"), Err(InvalidTopic::Wildcard));
        assert_eq!(check_topic("a/b"), Err(InvalidTopic::Character('/')));
        assert_eq!(check_topic("оrders"), Err(InvalidTopic::Character('о')));
    }

    #[test]
    fn patterns_have_wildcards_as_whole_words() {
        for good in ["a.*.b", "a.>", ">", "*", "*.*", "a.b"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for bad in ["a.>.b", "a*", "a.b>", ">.a", "**"] {
            assert_eq!(check_pattern(bad), Err(InvalidTopic::Wildcard), "{bad}");
        }
        for empty in ["", "a.", ".a", "a..b", "."] {
            assert_eq!(
                check_pattern(empty),
                Err(InvalidTopic::EmptyWord),
                "{empty}"
            );
        }
    }
}
