//! The parser: a loop over the text with an explicit stack of what is open.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::document::{Content, Document, Error, ErrorKind, MAX_DEPTH, Node, Value};
use crate::sorting::sort_texts;
use crate::swar;

/// Up to how many members of an object are compared one with all others, which needs no list of them.
const FEW: usize = 16;

/// What becomes of members that occur twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Duplicates {
    Keep,
    Refuse,
}

pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<Document<'_>, Error> {
    // A value takes up some sixteen bytes in what tokens and key sets say.
    let nodes = Vec::with_capacity(text.len() / 16 + 1);
    let mut parser = Parser { text, at: 0, nodes, open: Vec::new(), duplicates };
    let mut name = None;
    loop {
        let opened = parser.value(name.take())?;
        match parser.next_value(opened)? {
            Next::Element => {}
            Next::Member(next) => name = Some(next),
            Next::Nothing => break,
        }
    }
    match parser.peek() {
        None => Ok(Document { nodes: parser.nodes }),
        Some(_) => Err(parser.expected("the end of the text")),
    }
}

struct Parser<'t> {
    text: &'t str,
    /// INVARIANT: a character boundary of `text`: it moves past ASCII or past whole runs of characters.
    at: usize,
    nodes: Vec<Node<'t>>,
    /// The arrays and objects that are not closed yet, by index; innermost last.
    open: Vec<usize>,
    duplicates: Duplicates,
}

enum Next<'t> {
    Element,
    Member(Cow<'t, str>),
    Nothing,
}

impl<'t> Parser<'t> {
    /// Reads a scalar or the opening of a container; says whether it was an opening.
    fn value(&mut self, name: Option<Cow<'t, str>>) -> Result<bool, Error> {
        let first = self.peek();
        let start = self.at;
        let content = match first {
            Some(b'{') => self.open_container(Content::Object { repeats_a_member: false })?,
            Some(b'[') => self.open_container(Content::Array)?,
            Some(b'"') => Content::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Content::Number(self.number()?),
            _ => self.literal()?,
        };
        let opened = matches!(content, Content::Array | Content::Object { .. });
        let next = self.nodes.len().saturating_add(1);
        self.nodes.push(Node { name, content, span: start..self.at, next });
        Ok(opened)
    }

    fn open_container(&mut self, content: Content<'t>) -> Result<Content<'t>, Error> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::new(self.at, ErrorKind::TooDeep));
        }
        self.open.push(self.nodes.len());
        self.at += 1;
        Ok(content)
    }

    /// Closes what ends here and finds out what comes next.
    fn next_value(&mut self, mut just_opened: bool) -> Result<Next<'t>, Error> {
        loop {
            let Some(&container) = self.open.last() else { return Ok(Next::Nothing) };
            let is_object = matches!(self.nodes.get(container).map(|node| &node.content), Some(Content::Object { .. }));
            let close = if is_object { b'}' } else { b']' };
            match self.peek() {
                Some(byte) if byte == close => {
                    self.at += 1;
                    self.close(container, is_object)?;
                    just_opened = false;
                    continue;
                }
                Some(b',') if !just_opened => self.at += 1,
                _ if just_opened => {}
                _ => return Err(self.expected(if is_object { "`,` or `}`" } else { "`,` or `]`" })),
            }
            return if is_object { self.member_name().map(Next::Member) } else { Ok(Next::Element) };
        }
    }

    fn member_name(&mut self) -> Result<Cow<'t, str>, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        let name = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(name)
    }

    fn close(&mut self, container: usize, is_object: bool) -> Result<(), Error> {
        self.open.pop();
        let (end, next) = (self.at, self.nodes.len());
        if let Some(node) = self.nodes.get_mut(container) {
            node.span.end = end;
            node.next = next;
        }
        if !is_object {
            return Ok(());
        }
        let duplicate = self.find_duplicate(container);
        if let (Some(name), Duplicates::Refuse) = (duplicate, self.duplicates) {
            return Err(Error::new(self.at, ErrorKind::DuplicateMember(name.to_string())));
        }
        let repeats_a_member = duplicate.is_some();
        if let Some(node) = self.nodes.get_mut(container) {
            node.content = Content::Object { repeats_a_member };
        }
        Ok(())
    }

    /// Sorting keeps this at `n log n` for an object of thousands of members.
    fn find_duplicate(&self, object: usize) -> Option<&str> {
        let members = Value { nodes: &self.nodes, index: object }.members().map(|(name, _)| name);
        if members.clone().nth(FEW).is_none() {
            let mut rest = members;
            return core::iter::from_fn(|| Some((rest.next()?, rest.clone())))
                .find_map(|(name, mut others)| others.any(|other| other == name).then_some(name));
        }
        let mut names: Vec<_> = members.collect();
        sort_texts(&mut names);
        names.array_windows().find(|[one, other]| one == other).map(|&[name, _]| name)
    }

    fn literal(&mut self) -> Result<Content<'t>, Error> {
        let rest = self.rest();
        for (word, content) in [("true", Content::Bool(true)), ("false", Content::Bool(false)), ("null", Content::Null)]
        {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(content);
            }
        }
        Err(self.expected("a value"))
    }

    /// RFC 8259 §6: `-`? int frac? exp?
    fn number(&mut self) -> Result<&'t str, Error> {
        let (start, rest) = (self.at, self.rest());
        self.skip_if(|byte| byte == b'-');
        if !self.skip_if(|byte| byte == b'0') && self.skip_digits() == 0 {
            return Err(Error::new(self.at, ErrorKind::BadNumber));
        }
        if self.skip_if(|byte| byte == b'.') && self.skip_digits() == 0 {
            return Err(Error::new(self.at, ErrorKind::BadNumber));
        }
        if self.skip_if(|byte| matches!(byte, b'e' | b'E')) {
            self.skip_if(|byte| matches!(byte, b'+' | b'-'));
            if self.skip_digits() == 0 {
                return Err(Error::new(self.at, ErrorKind::BadNumber));
            }
        }
        match self.byte() {
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-') => {
                Err(Error::new(self.at, ErrorKind::BadNumber))
            }
            _ => Ok(rest.get(..self.at - start).unwrap_or_default()),
        }
    }

    /// RFC 8259 §7, from the opening quote to the closing one. Borrows where nothing is escaped.
    fn string(&mut self) -> Result<Cow<'t, str>, Error> {
        self.at += 1;
        let mut resolved: Option<String> = None;
        loop {
            let rest = self.rest();
            let marks = |word| swar::equal_to(word, b'"') | swar::equal_to(word, b'\\') | swar::less_than(word, 0x20);
            let plain = swar::position(rest.as_bytes(), marks).unwrap_or(rest.len());
            let run = rest.get(..plain).unwrap_or_default();
            self.at += plain;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match resolved {
                        None => Cow::Borrowed(run),
                        Some(text) => Cow::Owned(text + run),
                    });
                }
                Some(b'\\') => {
                    let text = resolved.get_or_insert_default();
                    text.push_str(run);
                    let character = self.escape()?;
                    resolved.get_or_insert_default().push(character);
                }
                _ => return Err(Error::new(self.at, ErrorKind::BadString)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let start = self.at;
        let bad = || Error::new(start, ErrorKind::BadString);
        self.at += 1;
        let byte = self.byte().ok_or_else(bad)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.code_unit().ok_or_else(bad)?;
                match first {
                    0xd800..=0xdbff if self.rest().starts_with("\\u") => {
                        self.at += 2;
                        let second = self.code_unit().ok_or_else(bad)?;
                        let mut pair = char::decode_utf16([first, second]);
                        // A pair gives one character; a high surrogate before anything else gives an error first.
                        pair.next().and_then(Result::ok).filter(|_| pair.next().is_none()).ok_or_else(bad)?
                    }
                    _ => char::from_u32(u32::from(first)).ok_or_else(bad)?,
                }
            }
            _ => return Err(bad()),
        })
    }

    fn code_unit(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    /// The next byte after white space.
    fn peek(&mut self) -> Option<u8> {
        while self.skip_if(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {}
        self.byte()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_if(&mut self, matches: impl Fn(u8) -> bool) -> bool {
        let found = self.byte().is_some_and(matches);
        self.at += usize::from(found);
        found
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.at;
        while self.skip_if(|byte| byte.is_ascii_digit()) {}
        self.at - start
    }

    fn expected(&self, what: &'static str) -> Error {
        Error::new(self.at, ErrorKind::Expected(what))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn kind(text: &str) -> ErrorKind {
        Document::parse(text.as_bytes()).expect_err(text).kind
    }

    #[test]
    fn values_keep_their_span_and_order() {
        let document = Document::parse(br#" {"a": [1, {"b": "c"}], "d": null, "": true} "#).expect("is JSON");
        let root = document.root();
        assert_eq!(root.members().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "d", ""]);
        let a = root.get("a").expect("is there");
        assert_eq!(a.elements().count(), 2);
        assert_eq!(
            a.elements().nth(1).and_then(|b| b.get("b")).and_then(|c| c.as_str().map(ToString::to_string)),
            Some("c".into())
        );
        assert_eq!(a.span(), 7..22);
        assert!(root.get("d").expect("is there").is_null());
        assert_eq!(root.get("").and_then(Value::as_bool), Some(true));
        assert!(root.get("e").is_none() && a.get("b").is_none() && root.elements().next().is_none());
    }

    #[test]
    fn members_that_occur_twice_are_refused_at_any_depth() {
        assert_eq!(kind(r#"{"a":1,"b":2,"a":3}"#), ErrorKind::DuplicateMember("a".into()));
        assert_eq!(kind(r#"[{"x":{"a":1,"\u0061":3}}]"#), ErrorKind::DuplicateMember("a".into()));
        assert!(Document::parse(br#"[{"a":1},{"a":{"a":2}}]"#).is_ok());
    }

    #[test]
    fn untrusted_input_is_quoted_and_cut() {
        let name = format!("a\\n{}", "b".repeat(1000));
        let error = Document::parse(format!(r#"{{"{name}":1,"{name}":2}}"#).as_bytes()).expect_err("occurs twice");
        let text = error.to_string();
        assert!(text.contains(r"`a\nbbb") && text.len() < 100, "{text}");
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Document::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(kind(&nested(MAX_DEPTH + 1)), ErrorKind::TooDeep);
        assert_eq!(kind(&"[".repeat(1_000_000)), ErrorKind::TooDeep);
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for refused in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#, r#""\ud800\ud800""#] {
            assert_eq!(kind(refused), ErrorKind::BadString, "{refused}");
        }
        let document = Document::parse(br#""\ud83d\ude00\u00e9\/""#).expect("is JSON");
        assert_eq!(document.root().as_str(), Some("\u{1f600}\u{e9}/"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert_eq!(Document::parse(b"\"\xff\"").expect_err("is not UTF-8").kind, ErrorKind::NotUtf8);
    }
}
