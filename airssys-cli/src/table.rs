//! Tables for people.

// Layer 1: Standard library imports
use std::fmt;

// Layer 3: Internal module imports
use crate::text::visible;

/// What stands between two columns.
const GAP: usize = 2;

/// A table with a headline. Its columns are as wide as what stands in them.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with nothing but its headline.
    pub(crate) fn new(headline: [&str; N]) -> Self {
        Self {
            rows: vec![headline.map(str::to_owned)],
        }
    }

    /// Adds a row. What could steer a terminal is escaped.
    pub(crate) fn push(&mut self, row: [String; N]) {
        self.rows.push(row.map(|cell| visible(&cell)));
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                line.push_str(&format!("{cell:width$}", width = width + GAP));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let mut table = Table::new(["A", "LONG"]);
        table.push(["grün".into(), "1".into()]);
        table.push(["a\n".into(), "22".into()]);
        assert_eq!(table.to_string(), "A     LONG\ngrün  1\na\\n   22\n");
    }
}
