//! What people write, YAML or JSON: a tree in which every value knows its place in the file.

mod inside;
mod json;
mod scalar;
mod write;
mod yaml;

use std::ops::Range;

pub use self::write::{JsonText, Origin, flow, pretty_json, quote};

/// A value, and where it stands in the file, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it stands.
    pub span: Range<usize>,
    /// Why readers of YAML take it for different things, if they do.
    pub doubt: Option<Doubt>,
}

/// Why readers of YAML take a word for different things, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// The words for it.
    pub message: String,
    /// Who reads it unlike the others.
    pub odd: Odd,
}

/// Who reads something unlike others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Odd {
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
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Why readers of YAML take the name for different things, if they do.
    pub doubt: Option<Doubt>,
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

/// Something in a file that readers take for different things, or none reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flaw {
    /// Who reads it unlike others.
    pub odd: Odd,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Range<usize>,
}

/// Reads a file: JSON, or YAML with any number of documents. `Err` says why neither can be read.
pub fn read(text: &str) -> Result<Vec<Document>, Flaw> {
    match json::read(text) {
        Some(root) => Ok(vec![Document { root, flaws: Vec::new() }]),
        None => yaml::read(text),
    }
}

impl Flaw {
    fn wrong(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { odd: Odd::Both, message: message.into(), span }
    }
}

impl Node {
    /// A text that was written nowhere.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()), 0..0)
    }

    /// A boolean that was written nowhere.
    pub fn of_bool(value: bool) -> Self {
        Self::new(Content::Bool(value), 0..0)
    }

    /// A list that was written nowhere.
    pub fn of_list(elements: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Content::List(elements.into_iter().collect()), 0..0)
    }

    /// A list of texts that was written nowhere.
    pub fn of_texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::of_list(texts.into_iter().map(Self::of_text))
    }

    /// A mapping that was written nowhere.
    pub fn of_map<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        let member = |(name, value): (N, Self)| Member { name: name.into(), name_span: 0..0, doubt: None, value };
        Self::new(Content::Map(members.into_iter().map(member).collect()), 0..0)
    }

    fn new(content: Content, span: Range<usize>) -> Self {
        Self { content, span, doubt: None }
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

    /// The JSON that this text holds, if it holds any, with places in the file that the text stands in.
    pub fn holds_json(&self, file: &str) -> Option<Self> {
        inside::read(self, file)
    }

    /// The JSON that `text` is, if it is any, all of it with one place.
    pub fn of_json(text: &str, span: &Range<usize>) -> Option<Self> {
        inside::read_at(text, span)
    }

    /// Whether this is a mapping.
    pub fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }
}
