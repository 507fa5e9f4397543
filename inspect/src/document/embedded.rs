//! Documents inside the texts of a document: a scalar that holds JSON.

use std::ops::Range;

use super::json;
use super::node::{Content, Member, Node};

/// The JSON that a text holds, every value with its location in the `file` around it; `None` if it is not JSON.
pub fn embedded_json(text: &Node, file: &str) -> Option<Node> {
    let value = text.text()?;
    let raw = file.get(text.span.clone()).unwrap_or_default();
    let offsets = align(raw, value);
    let mut root = json::read(value)?;
    move_out(&mut root, &|span| {
        let outside =
            |inside| offsets.get(inside).map_or(text.span.end, |offset| text.span.start.saturating_add(*offset));
        outside(span.start)..outside(span.end)
    });
    Some(root)
}

/// The JSON that `text` is, every value with the location `span`; `None` if it is not JSON.
pub fn json_at(text: &str, span: &Range<usize>) -> Option<Node> {
    let mut root = json::read(text)?;
    move_out(&mut root, &|_| span.clone());
    Some(root)
}

fn move_out(node: &mut Node, outside: &dyn Fn(&Range<usize>) -> Range<usize>) {
    node.span = outside(&node.span);
    match &mut node.content {
        Content::List(elements) => elements.iter_mut().for_each(|element| move_out(element, outside)),
        Content::Map(members) => {
            for Member { name_span, value, .. } in members {
                *name_span = outside(name_span);
                move_out(value, outside);
            }
        }
        _ => {}
    }
}

/// The offset in `raw`, as it is written, of each byte of `value`, and of its end: they differ by indentation, quotes and
/// escapes.
fn align(raw: &str, value: &str) -> Vec<usize> {
    let quote = raw.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let mut at = quote.map_or(0, char::len_utf8);
    let mut offsets = Vec::with_capacity(value.len().saturating_add(1));
    for wanted in value.chars() {
        let mut rest = raw.get(at..).unwrap_or_default();
        while let Some(found) = rest.chars().next() {
            if found == wanted || (found == '\\' && quote == Some('"')) {
                break;
            }
            at = at.saturating_add(found.len_utf8());
            rest = raw.get(at..).unwrap_or_default();
        }
        offsets.extend(std::iter::repeat_n(at, wanted.len_utf8()));
        at = at.saturating_add(written_length(rest, quote));
    }
    offsets.push(at);
    offsets
}

/// How many bytes of what is written make its first character.
fn written_length(rest: &str, quote: Option<char>) -> usize {
    let mut characters = rest.chars();
    match (quote, characters.next(), characters.next()) {
        (Some('"'), Some('\\'), Some('x')) => 4,
        (Some('"'), Some('\\'), Some('u')) => 6,
        (Some('"'), Some('\\'), Some('U')) => 10,
        (Some('"'), Some('\\'), _) | (Some('\''), Some('\''), Some('\'')) => 2,
        (_, first, _) => first.map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    fn aligned<'r>(raw: &'r str, value: &str) -> Vec<&'r str> {
        align(raw, value)
            .into_iter()
            .map(|at| raw.get(at..).and_then(|rest| rest.split_inclusive(|_| true).next()).unwrap_or(""))
            .collect()
    }

    #[test]
    fn each_character_is_found_where_it_was_written() {
        assert_eq!(aligned("ab", "ab"), ["a", "b", ""]);
        assert_eq!(aligned("\"a\\\"b\"", "a\"b"), ["a", "\\", "b", "\""]);
        assert_eq!(aligned("'it''s'", "it's"), ["i", "t", "'", "s", "'"]);
        assert_eq!(align("{\n    \"a\": 1\n    }\n", "{\n\"a\": 1\n}\n"), [0, 1, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19]);
        assert_eq!(align("\"\\u0041b\"", "Ab"), [1, 7, 8]);
    }
}
