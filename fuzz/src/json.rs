//! Strict JSON by way of `serde_json`: its grammar, and on top what it does not ask for.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value and the text that it was written as; members in written order.
#[derive(Debug)]
pub struct Tree<'t> {
    pub text: &'t str,
    pub shape: Shape<'t>,
}

#[derive(Debug)]
pub enum Shape<'t> {
    Array(Vec<Tree<'t>>),
    Bool(bool),
    Null,
    /// Its digits are the text.
    Number,
    Object(Vec<(String, Tree<'t>)>),
    String(String),
}

/// Why a text is not strict JSON; of several reasons the first in this order.
#[derive(Debug, Eq, PartialEq)]
pub enum Refusal {
    NotUtf8,
    Grammar,
    TooDeep,
    LoneSurrogate,
    /// The names of members that occur twice.
    Twice(Vec<String>),
}

/// Reads a strict JSON text.
pub fn read(text: &[u8]) -> Result<Tree<'_>, Refusal> {
    let tree = read_with_twins(text)?;
    let mut twice = Vec::new();
    tree.collect_twins(&mut twice);
    if twice.is_empty() { Ok(tree) } else { Err(Refusal::Twice(twice)) }
}

/// Reads a text that is strict but for members that occur twice.
pub fn read_with_twins(text: &[u8]) -> Result<Tree<'_>, Refusal> {
    let text = str::from_utf8(text).map_err(|_| Refusal::NotUtf8)?;
    // What is ignored is held against the grammar alone: numbers of any size, surrogates of any kind, any depth.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| Refusal::Grammar)?;
    if depth(text) > jose::json::MAX_DEPTH {
        return Err(Refusal::TooDeep);
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| Refusal::Grammar)?;
    Tree::grow(raw.get()).map_err(|_| Refusal::LoneSurrogate)
}

/// The deepest nesting of a text that follows the grammar.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match (in_string, byte) {
            _ if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

impl<'t> Tree<'t> {
    fn grow(text: &'t str) -> serde_json::Result<Self> {
        let shape = match text.as_bytes()[0] {
            b'[' => {
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                Shape::Array(elements.into_iter().map(|raw| Tree::grow(raw.get())).collect::<Result<_, _>>()?)
            }
            b'{' => {
                let Members(members) = serde_json::from_str(text)?;
                let grow = |(name, raw): (String, &'t RawValue)| Ok((name, Tree::grow(raw.get())?));
                Shape::Object(members.into_iter().map(grow).collect::<serde_json::Result<_>>()?)
            }
            b'"' => Shape::String(serde_json::from_str(text)?),
            b't' | b'f' => Shape::Bool(text == "true"),
            b'n' => Shape::Null,
            _ => Shape::Number,
        };
        Ok(Self { text, shape })
    }

    fn collect_twins(&self, twice: &mut Vec<String>) {
        twice.extend(self.own_twins());
        for child in self.elements().iter().chain(self.members().iter().map(|(_, child)| child)) {
            child.collect_twins(twice);
        }
    }

    fn own_twins(&self) -> Vec<String> {
        let mut names: Vec<_> = self.members().iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_string()).collect()
    }

    /// Whether a member of this object, itself and not deeper, occurs twice.
    pub fn has_own_twins(&self) -> bool {
        !self.own_twins().is_empty()
    }

    /// Whether a member occurs twice, here or deeper.
    pub fn has_twins(&self) -> bool {
        let mut twice = Vec::new();
        self.collect_twins(&mut twice);
        !twice.is_empty()
    }

    pub fn elements(&self) -> &[Tree<'t>] {
        if let Shape::Array(elements) = &self.shape { elements } else { &[] }
    }

    pub fn members(&self) -> &[(String, Tree<'t>)] {
        if let Shape::Object(members) = &self.shape { members } else { &[] }
    }

    pub fn get(&self, name: &str) -> Option<&Tree<'t>> {
        self.members().iter().find(|(found, _)| found == name).map(|(_, child)| child)
    }

    pub fn string(&self) -> Option<&str> {
        if let Shape::String(text) = &self.shape { Some(text) } else { None }
    }

    pub fn is_object(&self) -> bool {
        matches!(self.shape, Shape::Object(_))
    }
}

/// The members of an object as they stand, twins included.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collector)
    }
}

struct Collector;

impl<'de> Visitor<'de> for Collector {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Asserts that the product reads what `tree` says; calls `check_number` for each number.
pub fn assert_same<'d>(
    value: jose::json::Value<'d>,
    tree: &Tree<'_>,
    check_number: &mut impl FnMut(jose::json::Value<'d>),
) {
    use jose::json::Kind;
    let scalars = (value.as_bool(), value.as_str(), value.as_number().map(jose::json::Decimal::text));
    let (kind, expected) = match &tree.shape {
        Shape::Array(_) => (Kind::Array, (None, None, None)),
        Shape::Bool(truth) => (Kind::Bool, (Some(*truth), None, None)),
        Shape::Null => (Kind::Null, (None, None, None)),
        Shape::Number => (Kind::Number, (None, None, Some(tree.text))),
        Shape::Object(_) => (Kind::Object, (None, None, None)),
        Shape::String(text) => (Kind::String, (None, Some(text.as_str()), None)),
    };
    assert_eq!((value.kind(), value.is_null(), scalars), (kind, kind == Kind::Null, expected));
    assert_eq!((value.repeats_a_member(), value.has_duplicates()), (tree.has_own_twins(), tree.has_twins()));
    if kind == Kind::Number {
        check_number(value);
    }
    assert_eq!(value.elements().count(), tree.elements().len());
    for (value, tree) in value.elements().zip(tree.elements()) {
        assert_same(value, tree, check_number);
    }
    assert_eq!(value.members().count(), tree.members().len());
    let tree_has_twins = tree.has_own_twins();
    for ((name, child), (expected, tree)) in value.members().zip(tree.members()) {
        assert_eq!(name, expected);
        let found = value.get(name).map(jose::json::Value::span);
        assert!(tree_has_twins || found == Some(child.span()), "{name:?} is found by its name");
        assert_same(child, tree, check_number);
    }
}
