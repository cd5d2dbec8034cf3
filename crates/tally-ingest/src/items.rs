//! The items of a body: one JSON object, an array of them, or one per line (NDJSON).

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::edge::{Problem, malformed};

/// A body holds at most so many items.
pub(crate) const ITEMS_MAX: usize = 50_000;

/// The text of one item, or why its line is no JSON.
pub(crate) type Item<'a> = Result<&'a str, String>;

/// Splits a body into its items. Of lines, broken ones are items of their own, so
/// that the others count.
///
/// # Errors
/// 400 when the body as a whole is neither, 413 when it has over [`ITEMS_MAX`] items.
pub(crate) fn split(bytes: &[u8]) -> Result<Vec<Item<'_>>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the body is no UTF-8 from byte {} on", error.valid_up_to());
        Problem::bad_request("utf8_invalid", detail)
    })?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let items = if text.starts_with('[') {
        array(text)?
    } else {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(single) => vec![Ok(single.get())],
            Err(error) => lines(text).ok_or_else(|| malformed(&error))?,
        }
    };
    if items.len() > ITEMS_MAX {
        let detail = format!("the body has {} items, expected at most {ITEMS_MAX}", items.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_items", detail)
            .with_next_step("send smaller batches"));
    }
    Ok(items.into_iter().map(|item| item.and_then(object)).collect())
}

/// Positions in a list must not stand for fields.
fn object(item: &str) -> Result<&str, String> {
    if item.starts_with('{') { Ok(item) } else { Err("expected an object".to_owned()) }
}

/// Reads an item, naming the field that is wrong.
pub(crate) fn parse<'a, T: Deserialize<'a>>(item: &'a str) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_str(item);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { error.inner().to_string() } else { format!("`{path}`: {}", error.inner()) }
    })
}

fn array(text: &str) -> Result<Vec<Item<'_>>, Problem> {
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    Ok(items.into_iter().map(|item| Ok(item.get())).collect())
}

/// Nothing when no line is an object: then it is not one item per line.
fn lines(text: &str) -> Option<Vec<Item<'_>>> {
    let items: Vec<Item<'_>> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match serde_json::from_str::<&RawValue>(line) {
            Ok(item) => Ok(item.get()),
            Err(error) => Err(format!("the line is no JSON: {error}")),
        })
        .collect();
    let has_object = items.iter().flatten().any(|item| item.starts_with('{'));
    has_object.then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &str) -> usize {
        split(body.as_bytes()).unwrap().len()
    }

    #[test]
    fn one_many_and_lines() {
        assert_eq!(count("{\n \"a\": 1\n}"), 1);
        assert_eq!(count("[]"), 0);
        assert_eq!(count("[{}, {}, 3]"), 3);
        assert!(split(b"[[], 3, \"x\", null]").unwrap().iter().all(Result::is_err));
        assert_eq!(count("{}\n\n{}\r\n{}\n"), 3);
        assert_eq!(count("\u{feff}{}\n{}"), 2);
    }

    #[test]
    fn a_broken_line_leaves_the_others() {
        let items = split(b"{\"a\":1}\n{\"a\":\n{\"a\":2}").unwrap();
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 2);
        assert!(items[1].is_err());
    }

    #[test]
    fn what_is_neither_is_refused_whole() {
        for body in ["", "hello", "[{}", "{\n\"a\": 1,\n", "[{} {}]"] {
            assert_eq!(split(body.as_bytes()).unwrap_err().code, "json_malformed", "{body}");
        }
        assert_eq!(split(b"{\"a\":\"\xff\"}").unwrap_err().code, "utf8_invalid");
        let many = format!("[{}1]", "1,".repeat(ITEMS_MAX));
        assert_eq!(split(many.as_bytes()).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        // Deep nesting is an error, not a stack overflow.
        assert!(split("[".repeat(100_000).as_bytes()).is_err());
    }
}
