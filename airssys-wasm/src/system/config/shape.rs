//! Checks a value against a JSON schema: its keys, the kinds of its values, ranges.
//!
//! The schema that is published is thereby the one that is enforced. It knows what
//! the schemas of the configuration use, which is a small part of the standard.

// Layer 2: Third-party crate imports
use serde_json::{Map, Number, Value};

// Layer 3: Internal module imports
use crate::system::config::problem::{ConfigError, Part, Problem, Step};

/// Checks `value` against `schema`.
///
/// # Errors
///
/// With the first mistake, in the order of the keys.
pub fn check_shape(schema: &Value, value: &Value) -> Result<(), ConfigError> {
    let mut walk = Walk {
        root: schema,
        path: Vec::new(),
    };
    walk.check(schema, value)
}

struct Walk<'a> {
    root: &'a Value,
    path: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn check(&mut self, schema: &'a Value, value: &Value) -> Result<(), ConfigError> {
        let schema = self.resolve(schema, value);
        let words = words(schema);
        if !has_kind(schema, value) || (!words.is_empty() && !value.is_string()) {
            return Err(self.error(Problem::WrongType {
                key: self.key(),
                expected: expected(schema, &self.key()),
                found: found(value),
            }));
        }
        match value {
            Value::Object(table) => self.check_table(schema, table),
            Value::Array(items) => self.check_list(schema, items),
            Value::Number(number) => self.check_range(schema, number),
            Value::String(word) => self.check_word(words, word),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// Follows references, and looks into what is optional.
    fn resolve(&self, mut schema: &'a Value, value: &Value) -> &'a Value {
        loop {
            let target = schema.get("$ref").and_then(Value::as_str);
            let target =
                target.and_then(|target| self.root.pointer(target.trim_start_matches('#')));
            let choices = schema.get("anyOf").and_then(Value::as_array);
            let choice = choices.and_then(|choices| {
                choices
                    .iter()
                    .find(|choice| is_kind(choice.get("type"), "null") == value.is_null())
            });
            match target.or(choice) {
                Some(next) => schema = next,
                None => return schema,
            }
        }
    }

    fn check_table(
        &mut self,
        schema: &'a Value,
        table: &Map<String, Value>,
    ) -> Result<(), ConfigError> {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in table {
            self.path.push(Step::Key(key.clone()));
            match known.and_then(|known| known.get(key)).or(others) {
                Some(Value::Bool(false)) => {
                    let known = known.into_iter().flatten();
                    let mut known: Vec<String> = known.map(|(key, _)| key.clone()).collect();
                    known.sort_unstable();
                    let key = key.clone();
                    let mut error = self.error(Problem::UnknownKey { key, known });
                    error.part = Part::Key;
                    return Err(error);
                }
                Some(schema) => self.check(schema, value)?,
                None => {}
            }
            self.path.pop();
        }
        let required = schema.get("required").and_then(Value::as_array);
        let mut required = required.into_iter().flatten().filter_map(Value::as_str);
        match required.find(|key| !table.contains_key(*key)) {
            Some(key) => Err(self.error(Problem::MissingKey { key: key.into() })),
            None => Ok(()),
        }
    }

    fn check_list(&mut self, schema: &'a Value, items: &[Value]) -> Result<(), ConfigError> {
        let maximum = schema.get("maxItems").and_then(Value::as_u64);
        if let Some(maximum) = maximum.filter(|maximum| items.len() as u64 > *maximum) {
            return Err(self.error(Problem::TooMany {
                key: self.key(),
                maximum,
                found: items.len(),
            }));
        }
        let Some(schema) = schema.get("items") else {
            return Ok(());
        };
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Item(index));
            self.check(schema, item)?;
            self.path.pop();
        }
        Ok(())
    }

    fn check_range(&self, schema: &Value, number: &Number) -> Result<(), ConfigError> {
        let bound = |name| schema.get(name).and_then(Value::as_number).cloned();
        let (minimum, maximum) = (bound("minimum"), bound("maximum"));
        let small = minimum.as_ref().is_some_and(|least| is_less(number, least));
        let large = maximum.as_ref().is_some_and(|most| is_less(most, number));
        if !small && !large {
            return Ok(());
        }
        Err(self.error(Problem::OutOfRange {
            key: self.key(),
            minimum,
            maximum,
            found: number.clone(),
        }))
    }

    fn check_word(&self, allowed: Vec<&str>, word: &str) -> Result<(), ConfigError> {
        if allowed.is_empty() || allowed.contains(&word) {
            return Ok(());
        }
        Err(self.error(Problem::NotOneOf {
            key: self.key(),
            allowed: allowed.into_iter().map(str::to_owned).collect(),
            found: word.into(),
        }))
    }

    fn error(&self, problem: Problem) -> ConfigError {
        ConfigError {
            path: self.path.clone(),
            part: Part::Value,
            problem,
        }
    }

    /// The last key on the way here.
    fn key(&self) -> String {
        let mut keys = self.path.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Item(_) => None,
        });
        keys.next().unwrap_or_default()
    }
}

/// The words that an enumeration allows; none if it is no enumeration.
fn words(schema: &Value) -> Vec<&str> {
    let mut words = listed(schema);
    let choices = schema.get("oneOf").and_then(Value::as_array);
    for choice in choices.into_iter().flatten() {
        words.extend(choice.get("const").and_then(Value::as_str));
        words.extend(listed(choice));
    }
    words
}

fn listed(schema: &Value) -> Vec<&str> {
    let list = schema.get("enum").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn has_kind(schema: &Value, value: &Value) -> bool {
    let kinds = schema.get("type");
    let is = |name| is_kind(kinds, name);
    kinds.is_none()
        || match value {
            Value::Null => is("null"),
            Value::Bool(_) => is("boolean"),
            Value::Number(number) => is("number") || (is("integer") && !number.is_f64()),
            Value::String(_) => is("string"),
            Value::Array(_) => is("array"),
            Value::Object(_) => is("object"),
        }
}

fn is_kind(kinds: Option<&Value>, name: &str) -> bool {
    match kinds {
        Some(Value::String(kind)) => kind == name,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
        _ => false,
    }
}

fn is_less(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left < right,
        _ => left.as_f64() < right.as_f64(),
    }
}

/// What belongs there, in the words of the file's format.
fn expected(schema: &Value, key: &str) -> String {
    let kinds = schema.get("type");
    if is_kind(kinds, "array") {
        let of_texts = schema.pointer("/items/type") == Some(&Value::from("string"));
        if of_texts {
            return "a list of texts, such as [\"a\", \"b\"]".into();
        }
        return format!("a list of tables, each under [[{key}]]");
    }
    let words = [
        ("object", "a table"),
        ("integer", "a whole number"),
        ("number", "a number"),
        ("boolean", "true or false"),
    ];
    let word = words.iter().find(|(kind, _)| is_kind(kinds, kind));
    word.map_or("a text in quotes", |(_, word)| word).into()
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "a number that is none",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table or a date",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "count": { "type": "integer", "minimum": 1, "maximum": 10 },
                "part": { "type": "number", "minimum": 0, "maximum": 1 },
                "word": { "oneOf": [{ "const": "one", "type": "string" }, { "const": "two" }] },
                "list": { "type": "array", "items": { "type": "string" }, "maxItems": 2 },
                "inner": { "anyOf": [{ "$ref": "#/$defs/Inner" }, { "type": "null" }] },
                "texts": { "type": "object", "additionalProperties": { "type": "string" } }
            },
            "additionalProperties": false,
            "$defs": { "Inner": {
                "type": "object",
                "properties": { "name": { "type": "string" } },
                "required": ["name"],
                "additionalProperties": false
            } }
        })
    }

    #[test]
    fn what_fits_is_accepted() {
        for value in [
            json!({}),
            json!({ "count": 1 }),
            json!({ "count": 10, "part": 0, "word": "two", "list": ["a", "b"] }),
            json!({ "part": 0.5, "inner": null, "texts": { "any": "thing" } }),
            json!({ "inner": { "name": "x" } }),
        ] {
            assert_eq!(check_shape(&schema(), &value), Ok(()), "{value}");
        }
    }

    #[test]
    fn each_mistake_is_said_with_the_way_to_it() {
        for (value, expected) in [
            (
                json!({ "cuont": 1 }),
                "cuont: unknown key `cuont`; did you mean `count`?",
            ),
            (
                json!({ "count": 0 }),
                "count: `count` must be from 1 to 10, not 0",
            ),
            (
                json!({ "count": u64::MAX }),
                "count: `count` must be from 1 to 10, not 18446744073709551615",
            ),
            (
                json!({ "count": 1.0 }),
                "count: `count` must be a whole number, not a fraction",
            ),
            (
                json!({ "part": 1.1 }),
                "part: `part` must be from 0 to 1, not 1.1",
            ),
            (
                json!({ "part": -1 }),
                "part: `part` must be from 0 to 1, not -1",
            ),
            (
                json!({ "part": f64::NAN }),
                "part: `part` must be a number, not a number that is none",
            ),
            (
                json!({ "word": "tow" }),
                "word: unknown word `tow`; did you mean `two`?",
            ),
            (
                json!({ "word": 1 }),
                "word: `word` must be a text in quotes, not a number",
            ),
            (
                json!({ "list": ["a", 1] }),
                "list[1]: `list` must be a text in quotes, not a number",
            ),
            (
                json!({ "list": ["a", "b", "c"] }),
                "list: `list` has 3 entries, and may have at most 2",
            ),
            (json!({ "inner": {} }), "inner: the key `name` is missing"),
            (
                json!({ "inner": { "name": "x", "y": 1 } }),
                "inner.y: unknown key `y`; known here: `name`",
            ),
            (
                json!({ "texts": { "a": true } }),
                "texts.a: `a` must be a text in quotes, not true or false",
            ),
        ] {
            let error = check_shape(&schema(), &value).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
