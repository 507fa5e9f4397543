//! A tree of values, each with its location in the file.

use std::ops::Range;

/// A value, and its location in the file, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Its location.
    pub span: Range<usize>,
    /// Why it is ambiguous, if it is.
    pub ambiguity: Option<Ambiguity>,
}

/// Why readers of YAML read a word differently, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ambiguity {
    /// Why, in words.
    pub message: String,
    /// The readers that differ.
    pub divergent: Divergent,
}

/// The readers that read something unlike the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Divergent {
    /// Both.
    Both,
    /// Envoy alone.
    Envoy,
    /// Kubernetes alone.
    Kubernetes,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// `true` or `false`
    Bool(bool),
    /// Its elements.
    List(Vec<Node>),
    /// Its members, in written order.
    Map(Vec<Member>),
    /// `null`, or nothing at all.
    Null,
    /// As JSON writes it.
    Number(String),
    /// A string.
    Text(String),
}

/// A member of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The location of the name.
    pub name_span: Range<usize>,
    /// Why the name is ambiguous, if it is.
    pub ambiguity: Option<Ambiguity>,
    /// Its value.
    pub value: Node,
}

/// One of the documents in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it holds.
    pub root: Node,
    /// What is wrong with the way in which it is written.
    pub flaws: Vec<Flaw>,
}

/// Something in a file that is ambiguous, or cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// The readers that differ.
    pub divergent: Divergent,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Range<usize>,
}

impl Flaw {
    pub(super) fn wrong(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { divergent: Divergent::Both, message: message.into(), span }
    }
}

impl Node {
    /// A text without a location.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()), 0..0)
    }

    /// A boolean without a location.
    pub fn of_bool(value: bool) -> Self {
        Self::new(Content::Bool(value), 0..0)
    }

    /// A list without a location.
    pub fn of_list(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Content::List(elements.into_iter().collect()), 0..0)
    }

    /// A list of texts without a location.
    pub fn of_texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::of_list(texts.into_iter().map(Self::of_text))
    }

    /// A mapping without a location.
    pub fn of_map<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        let member = |(name, value): (N, Self)| Member { name: name.into(), name_span: 0..0, ambiguity: None, value };
        Self::new(Content::Map(members.into_iter().map(member).collect()), 0..0)
    }

    pub(super) fn new(content: Content, span: Range<usize>) -> Self {
        Self { content, span, ambiguity: None }
    }

    /// The member called `name`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// The member that a path of names leads to.
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The members of a mapping; nothing for other values.
    pub fn members(&self) -> &[Member] {
        match &self.content {
            Content::Map(members) => members,
            _ => &[],
        }
    }

    /// The elements of a list; nothing for other values.
    pub fn elements(&self) -> &[Self] {
        match &self.content {
            Content::List(elements) => elements,
            _ => &[],
        }
    }

    /// The text that this is.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of the list called `name`, each with its path.
    pub fn indexed(&self, name: &'static str) -> impl Iterator<Item = (String, &Self)> {
        let elements = self.get(name).map(Self::elements).unwrap_or_default();
        elements.iter().enumerate().map(move |(index, element)| (format!("{name}[{index}]"), element))
    }

    /// Whether this is a mapping.
    pub fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }
}
