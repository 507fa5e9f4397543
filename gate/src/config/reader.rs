//! Reading JSON values with their path, collecting errors instead of stopping at the first.

use std::cell::RefCell;

use jose::json::{Decimal, Kind, Value};
use jose::sorting::{sort_by, sort_texts};

use super::error::{ConfigError, ConfigErrors, Problem, one_of};

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Collector(RefCell<Vec<ConfigError>>);

impl Collector {
    /// The whole of a document.
    pub(super) fn root<'d, 'c>(&'c self, value: Value<'d>) -> Node<'d, 'c> {
        Node { value, path: String::new(), collector: self }
    }

    // Configurations are read once: code that is small beats code that is fast, here and below.
    #[cold]
    #[inline(never)]
    fn add(&self, path: &str, problem: Problem, offset: usize) {
        self.0.borrow_mut().push(ConfigError { path: path.to_string(), problem, offset });
    }

    /// `value`, if nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.0.into_inner();
        sort_by(&mut errors, |one, other| one.offset.cmp(&other.offset));
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            // A reader that gives no value reports why; this is the fallback.
            _ if errors.is_empty() => Err(ConfigErrors::one("the configuration is not usable")),
            _ => Err(ConfigErrors::new(errors)),
        }
    }
}

/// A value in the document, with its path.
#[derive(Clone, Debug)]
pub(super) struct Node<'d, 'c> {
    pub(super) value: Value<'d>,
    path: String,
    collector: &'c Collector,
}

impl<'d, 'c> Node<'d, 'c> {
    /// Where in the text the value begins, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.value.span().start
    }

    pub(super) fn error(&self, message: impl Into<String>) {
        self.collector.add(&self.path, Problem::Other(message.into()), self.offset());
    }

    /// `None`, having said what is wrong.
    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Option<T> {
        self.error(message);
        None
    }

    /// Like [`Node::error`], about a member of this value that was read before.
    pub(super) fn error_at(&self, member: &str, message: impl Into<String>) {
        let offset = self.value.get(member).unwrap_or(self.value).span().start;
        self.collector.add(&join(&self.path, member), Problem::Other(message.into()), offset);
    }

    /// `None`, having said that `expected` was expected.
    pub(super) fn expected<T>(&self, expected: &str) -> Option<T> {
        self.say_what_was_expected(expected.to_string(), Vec::new());
        None
    }

    /// `None`, having said that one of `words` was expected.
    fn expected_one_of<T>(&self, words: &[&str]) -> Option<T> {
        self.say_what_was_expected(one_of(words), words.iter().map(|word| (*word).to_string()).collect());
        None
    }

    #[cold]
    #[inline(never)]
    fn say_what_was_expected(&self, expected: String, words: Vec<String>) {
        let found = match (self.value.as_str(), self.value.as_number(), self.value.as_bool()) {
            // On one line, whatever it holds.
            (Some(text), ..) => {
                format!("`{}`", text.chars().take(100).flat_map(char::escape_debug).collect::<String>())
            }
            (_, Some(number), _) => format!("`{}`", number.text()),
            (.., Some(value)) => format!("`{value}`"),
            _ => self.value.kind().to_string(),
        };
        self.collector.add(&self.path, Problem::Expected { expected, words, found }, self.offset());
    }

    #[inline(never)]
    pub(super) fn string(&self) -> Option<&'d str> {
        self.value.as_str().or_else(|| self.expected("a string"))
    }

    /// A string that is not empty.
    #[inline(never)]
    pub(super) fn text(&self) -> Option<&'d str> {
        match self.string()? {
            "" => {
                self.error("expected a string that is not empty");
                None
            }
            text => Some(text),
        }
    }

    /// The same, to keep.
    #[inline(never)]
    pub(super) fn owned_text(&self) -> Option<String> {
        self.text().map(str::to_string)
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.expected_one_of(&["true", "false"]))
    }

    /// A whole number; `60` and `60.0` mean the same.
    #[inline(never)]
    pub(super) fn integer(&self, min: u64, max: u64) -> Option<u64> {
        let number = self.value.as_number().and_then(Decimal::to_u64);
        number
            .filter(|number| (min..=max).contains(number))
            .or_else(|| self.expected(&format!("a whole number from {min} to {max}")))
    }

    /// The number that this is, if every reader takes it for the same one: some pass it through doubles.
    #[inline(never)]
    pub(super) fn exact_number(&self) -> Option<Decimal<'d>> {
        let number = self.value.as_number();
        number.filter(|number| number.is_interoperable()).or_else(|| self.expected("a number from -(2^53-1) to 2^53-1"))
    }

    /// One of `known`.
    pub(super) fn word<T: Clone>(&self, known: &[(&str, T)]) -> Option<T> {
        let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
        let index = self.index_among(&words)?;
        known.get(index).map(|(_, value)| value.clone())
    }

    #[inline(never)]
    fn index_among(&self, known: &[&str]) -> Option<usize> {
        let text = self.value.as_str();
        let found = known.iter().position(|word| text == Some(word));
        found.or_else(|| self.expected_one_of(known))
    }

    /// The elements of a list.
    #[inline(never)]
    pub(super) fn elements(&self) -> Option<Vec<Self>> {
        if self.value.kind() != Kind::Array {
            return self.expected("a list");
        }
        let elements = self.value.elements().enumerate();
        let node = |(index, value)| Node { value, path: format!("{}[{index}]", self.path), collector: self.collector };
        Some(elements.map(node).collect())
    }

    /// The elements of a list that makes no sense without one.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let elements = self.elements()?;
        if elements.is_empty() {
            self.error("expected at least one entry, found an empty list");
            return None;
        }
        Some(elements)
    }

    /// A list of which every element is read by `read`; `None` if one could not be.
    pub(super) fn list_of<T>(&self, read: impl Fn(&Self) -> Option<T>) -> Option<Vec<T>> {
        all(self.list()?.iter().map(read))
    }

    #[inline(never)]
    pub(super) fn object(&self) -> Option<Object<'d, 'c>> {
        match self.value.kind() {
            Kind::Object => Some(Object { node: self.clone(), known: Vec::new() }),
            _ => self.expected("an object"),
        }
    }

    /// The members of an object that serves as a map.
    #[inline(never)]
    pub(super) fn entries(&self) -> Option<Vec<(&'d str, Self)>> {
        let object = self.object()?;
        Some(self.value.members().map(|(name, value)| (name, object.member(name, value))).collect())
    }
}

/// An object whose members are known by name. [`Object::finish`] says which are not.
#[derive(Debug)]
pub(super) struct Object<'d, 'c> {
    node: Node<'d, 'c>,
    known: Vec<&'static str>,
}

impl<'d, 'c> Object<'d, 'c> {
    #[inline(never)]
    pub(super) fn optional(&mut self, name: &'static str) -> Option<Node<'d, 'c>> {
        self.known.push(name);
        self.node.value.get(name).map(|value| self.member(name, value))
    }

    #[inline(never)]
    pub(super) fn required(&mut self, name: &'static str) -> Option<Node<'d, 'c>> {
        let found = self.optional(name);
        if found.is_none() {
            self.node.error(format!("`{name}` is missing"));
        }
        found
    }

    /// The member `name` as `read` reads it; `default` where it is absent. `None` if it could not be read.
    pub(super) fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&Node<'d, 'c>) -> Option<T>,
    ) -> Option<T> {
        match self.optional(name) {
            Some(node) => read(&node),
            None => Some(default),
        }
    }

    /// Like [`Object::or`], where null stands for the default.
    pub(super) fn unless_null<T>(
        &mut self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&Node<'d, 'c>) -> Option<T>,
    ) -> Option<T> {
        match self.optional(name).filter(|node| node.value.kind() != Kind::Null) {
            Some(node) => read(&node),
            None => Some(default),
        }
    }

    /// Says which members are unknown.
    #[inline(never)]
    pub(super) fn finish(mut self) {
        sort_texts(&mut self.known);
        for (name, value) in self.node.value.members() {
            if !self.known.contains(&name) {
                let known = self.known.iter().map(|known| (*known).to_string()).collect();
                let problem = Problem::UnknownMember { name: name.to_string(), known };
                let member = self.member(name, value);
                member.collector.add(&member.path, problem, member.offset());
            }
        }
    }

    fn member(&self, name: &str, value: Value<'d>) -> Node<'d, 'c> {
        Node { value, path: join(&self.node.path, name), collector: self.node.collector }
    }
}

fn join(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_string() } else { format!("{path}.{member}") }
}

/// All of the values, if none is `None`. Unlike `collect` it reads on after the first.
pub(super) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut complete = true;
    let values: Vec<T> = values.inspect(|value| complete &= value.is_some()).flatten().collect();
    complete.then_some(values)
}
