//! What a JSON text holds: values in one flat list.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::decimal::Decimal;

/// How deeply arrays and objects may nest.
pub const MAX_DEPTH: usize = 32;

/// A parsed JSON text.
///
/// Its values lie in one flat list, each followed by what it contains.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    /// INVARIANT: never empty; the first node is the whole text.
    pub(super) nodes: Vec<Node<'t>>,
}

#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    pub(super) name: Option<Cow<'t, str>>,
    pub(super) content: Content<'t>,
    pub(super) span: Range<usize>,
    /// The index of the first node that is not part of this one.
    pub(super) next: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Content<'t> {
    Array,
    Bool(bool),
    Null,
    Number(&'t str),
    Object {
        /// Whether a member of it, itself and not deeper, occurs twice.
        repeats_a_member: bool,
    },
    String(Cow<'t, str>),
}

impl Document<'_> {
    /// The value that the text consists of.
    pub fn root(&self) -> Value<'_> {
        Value { nodes: &self.nodes, index: 0 }
    }
}

/// A value inside a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    pub(super) nodes: &'d [Node<'d>],
    pub(super) index: usize,
}

/// The kind of a value, for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `[…]`
    Array,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
    /// digits
    Number,
    /// `{…}`
    Object,
    /// `"…"`
    String,
}

impl<'d> Value<'d> {
    /// What this value is.
    pub fn kind(self) -> Kind {
        match self.content() {
            Some(Content::Array) => Kind::Array,
            Some(Content::Bool(_)) => Kind::Bool,
            Some(Content::Null) | None => Kind::Null,
            Some(Content::Number(_)) => Kind::Number,
            Some(Content::Object { .. }) => Kind::Object,
            Some(Content::String(_)) => Kind::String,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean that this is.
    pub fn as_bool(self) -> Option<bool> {
        match self.content()? {
            Content::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number that this is, exact; [`Decimal::text`] has its digits as written.
    pub fn as_number(self) -> Option<Decimal<'d>> {
        match self.content()? {
            Content::Number(text) => Some(Decimal::new(text)),
            _ => None,
        }
    }

    /// The string that this is, escapes resolved.
    pub fn as_str(self) -> Option<&'d str> {
        match self.content()? {
            Content::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array; nothing for other values.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let is_array = matches!(self.content(), Some(Content::Array));
        self.children().filter(move |_| is_array)
    }

    /// The members of an object, in written order; nothing for other values.
    pub fn members(self) -> impl Iterator<Item = (&'d str, Self)> + Clone {
        self.children().filter_map(|child| Some((child.name()?, child)))
    }

    /// The member called `name` of an object.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// Whether a member occurs twice, in this object or in anything in it.
    pub fn has_duplicates(self) -> bool {
        let end = self.node().map_or(0, |node| node.next);
        let nodes = self.nodes.get(self.index..end).unwrap_or_default();
        nodes.iter().any(|node| matches!(node.content, Content::Object { repeats_a_member: true }))
    }

    /// Whether a member of this object, itself and not deeper, occurs twice.
    pub fn repeats_a_member(self) -> bool {
        matches!(self.content(), Some(Content::Object { repeats_a_member: true }))
    }

    /// Where in the text, in bytes, this value stands.
    pub fn span(self) -> Range<usize> {
        self.node().map_or(0..0, |node| node.span.clone())
    }

    fn name(self) -> Option<&'d str> {
        self.node()?.name.as_deref()
    }

    fn content(self) -> Option<&'d Content<'d>> {
        self.node().map(|node| &node.content)
    }

    fn node(self) -> Option<&'d Node<'d>> {
        self.nodes.get(self.index)
    }

    fn children(self) -> Children<'d> {
        let end = self.node().map_or(0, |node| node.next);
        Children { nodes: self.nodes, next: self.index.saturating_add(1), end }
    }
}

#[derive(Clone)]
struct Children<'d> {
    nodes: &'d [Node<'d>],
    next: usize,
    end: usize,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value { nodes: self.nodes, index: self.next };
        self.next = value.node()?.next;
        Some(value)
    }
}

/// Why a text is not acceptable JSON, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The byte at which it was noticed.
    pub offset: usize,
    /// What was wrong.
    pub kind: ErrorKind,
}

/// What was wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// A control character, an unknown escape or half a surrogate pair in a string.
    BadString,
    /// A number outside the grammar, such as `01`, `+1` or `1.`.
    BadNumber,
    /// A member that occurs twice in one object.
    DuplicateMember(String),
    /// Something else than what the grammar asks for here.
    Expected(&'static str),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Nesting beyond [`MAX_DEPTH`].
    TooDeep,
}

impl Error {
    pub(crate) fn new(offset: usize, kind: ErrorKind) -> Self {
        Self { offset, kind }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::BadString => formatter.write_str("a string holds a control character or a broken escape")?,
            ErrorKind::BadNumber => formatter.write_str("a number is not written as JSON asks")?,
            ErrorKind::DuplicateMember(name) => {
                // The name is untrusted input: it may not break a line, nor fill a log.
                let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
                write!(formatter, "the member `{name}` occurs twice")?;
            }
            ErrorKind::Expected(what) => write!(formatter, "expected {what}")?,
            ErrorKind::NotUtf8 => formatter.write_str("the text is not UTF-8")?,
            ErrorKind::TooDeep => write!(formatter, "arrays and objects nest deeper than {MAX_DEPTH}")?,
        }
        write!(formatter, " (at byte {})", self.offset)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Array => "a list",
            Self::Bool => "a boolean",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "a string",
        })
    }
}
