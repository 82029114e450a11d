//! Texts that guests write for people.

/// The most bytes of a reason, a name or another text of a guest that the host keeps.
pub const MAX_WORDS_BYTES: usize = 4 << 10;

/// Cuts a guest's text to [`MAX_WORDS_BYTES`], and marks where.
pub fn cut(mut words: String) -> String {
    if words.len() > MAX_WORDS_BYTES {
        words.truncate(words.floor_char_boundary(MAX_WORDS_BYTES));
        words.push('…');
        words.shrink_to_fit();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        assert_eq!(cut("short".into()), "short");
        let long = cut("ü".repeat(MAX_WORDS_BYTES));
        assert!(long.ends_with("ü…") && long.len() <= MAX_WORDS_BYTES + 3);
    }
}
