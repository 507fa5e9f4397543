//! YAML: from the parser's events to a tree.
//!
//! Aliases are written out and mappings merged, within bounds. What occurs twice, and what depends on a tag, is a flaw.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::node::{Ambiguity, Content, Divergent, Document, Flaw, Member, Node};
use super::scalar;

/// How deeply values may nest. The engine's own limit is 32.
const MAX_DEPTH: usize = 100;
/// How many values a file may hold, once its aliases are written out.
const MAX_NODES: usize = 1_000_000;

/// The documents in `text`.
pub(super) fn read(text: &str) -> Result<Vec<Document>, Flaw> {
    let mut composer = Composer::new(text);
    let mut documents = Vec::new();
    loop {
        match composer.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::DocumentStart(_), _) => documents.push(composer.document()?),
            _ => {}
        }
    }
}

type Location = Range<usize>;

struct Composer<'t> {
    text: &'t str,
    /// The byte at which each character begins, if that is not its number.
    offsets: Option<Vec<usize>>,
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    flaws: Vec<Flaw>,
    nodes: usize,
}

impl<'t> Composer<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            offsets: (!text.is_ascii()).then(|| text.char_indices().map(|(offset, _)| offset).collect()),
            parser: Parser::new_from_str(text),
            anchors: BTreeMap::new(),
            flaws: Vec::new(),
            nodes: 0,
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Location), Flaw> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.location(span))),
            Some(Err(error)) => {
                let start = self.offset(error.marker().index());
                Err(Flaw::wrong(format!("this is not YAML: {}", error.info()), start..start))
            }
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn location(&self, span: Span) -> Location {
        self.offset(span.start.index())..self.offset(span.end.index())
    }

    fn offset(&self, index: usize) -> usize {
        let offset = self.offsets.as_ref().map_or(index, |all| all.get(index).copied().unwrap_or(self.text.len()));
        offset.min(self.text.len())
    }

    fn document(&mut self) -> Result<Document, Flaw> {
        self.anchors.clear();
        let (event, location) = self.next()?;
        let root = match event {
            Event::DocumentEnd => Node::new(Content::Null, location),
            event => self.node(event, location, 0)?,
        };
        Ok(Document { root, flaws: std::mem::take(&mut self.flaws) })
    }

    fn node(&mut self, event: Event<'t>, location: Location, depth: usize) -> Result<Node, Flaw> {
        if depth > MAX_DEPTH {
            return Err(Flaw::wrong(format!("this nests deeper than {MAX_DEPTH} levels"), location));
        }
        self.count(1, &location)?;
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, location),
            Event::Scalar(text, style, anchor, tag) => (self.scalar(text, style, tag.as_deref(), location), anchor),
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", &location);
                (self.list(location, depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", &location);
                (self.map(location, depth)?, anchor)
            }
            other => return Err(Flaw::wrong(format!("expected a value, found {other:?}"), location)),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, location: &Location) -> Result<(), Flaw> {
        self.nodes = self.nodes.saturating_add(more);
        match self.nodes > MAX_NODES {
            true => Err(Flaw::wrong(format!("this makes more than {MAX_NODES} values"), location.clone())),
            false => Ok(()),
        }
    }

    fn alias(&mut self, anchor: usize, location: Location) -> Result<Node, Flaw> {
        let size = self.anchors.get(&anchor).map_or(0, size);
        self.count(size, &location)?;
        let node = self.anchors.get(&anchor).cloned();
        node.ok_or_else(|| Flaw::wrong("this stands for a value that it is a part of", location))
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>, location: Location) -> Node {
        let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        if !is_text {
            self.check_tag(tag, "str", &location);
        }
        match style {
            ScalarStyle::Plain if !is_text => {
                let (content, ambiguity) = scalar::resolve(&text);
                Node { content, span: location, ambiguity }
            }
            _ => Node::new(Content::Text(text.into_owned()), location),
        }
    }

    /// Readers disagree on what tags do.
    fn check_tag(&mut self, tag: Option<&Tag>, own: &str, location: &Location) {
        let Some(tag) = tag else { return };
        if !(tag.is_yaml_core_schema() && tag.suffix == own) {
            let message = format!("expected a value without a tag, found `{tag}`: Envoy ignores tags");
            self.flaws.push(Flaw::wrong(message, location.clone()));
        }
    }

    fn list(&mut self, location: Location, depth: usize) -> Result<Node, Flaw> {
        let mut elements = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    let last = elements.last().map(|last: &Node| last.span.end);
                    let span = self.whole(location, last, end);
                    return Ok(Node::new(Content::List(elements), span));
                }
                (event, location) => elements.push(self.node(event, location, depth.saturating_add(1))?),
            }
        }
    }

    fn map(&mut self, location: Location, depth: usize) -> Result<Node, Flaw> {
        let mut members: Vec<Member> = Vec::new();
        let mut names = BTreeSet::new();
        let mut merged = Vec::new();
        loop {
            let (event, key) = self.next()?;
            if event == Event::MappingEnd {
                let last = members.iter().map(|member| member.value.span.end).max();
                let span = self.whole(location, last, key);
                merge(&mut members, merged);
                return Ok(Node::new(Content::Map(members), span));
            }
            let (name, ambiguity) = name(event, &key)?;
            let (event, location) = self.next()?;
            let value = self.node(event, location, depth.saturating_add(1))?;
            if name == "<<" {
                self.merge_key(value, key, &mut merged);
                continue;
            }
            if !names.insert(name.clone()) {
                let message = format!("`{name}` occurs twice: which one counts depends on the reader");
                self.flaws.push(Flaw::wrong(message, key));
                continue;
            }
            members.push(Member { name, name_span: key, ambiguity, value });
        }
    }

    fn merge_key(&mut self, value: Node, key: Location, merged: &mut Vec<Member>) {
        let message = "mappings are merged by Kubernetes, and not by Envoy, which finds a member called `<<`";
        self.flaws.push(Flaw { divergent: Divergent::Envoy, message: message.to_string(), span: key.clone() });
        match value.content {
            Content::Map(members) => merged.extend(members),
            Content::List(maps) if maps.iter().all(Node::is_map) => {
                merged.extend(maps.iter().flat_map(Node::members).cloned());
            }
            _ => self.flaws.push(Flaw::wrong("expected a mapping to merge, or a list of them", key)),
        }
    }

    /// From where a collection starts to the bracket that ends it, or in block style, to the end of its last value.
    fn whole(&self, start: Location, last: Option<usize>, end: Location) -> Location {
        let is_flow = self.text.get(start.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let end = if is_flow { end.end } else { last.unwrap_or(start.end) };
        start.start..end.max(start.start)
    }
}

/// The name of a member. To Kubernetes, `on` is `true` there as well.
fn name(event: Event<'_>, location: &Location) -> Result<(String, Option<Ambiguity>), Flaw> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            let ambiguity = scalar::ambiguity_of_name(&text);
            Ok((text.into_owned(), ambiguity))
        }
        Event::Scalar(text, ..) => Ok((text.into_owned(), None)),
        _ => Err(Flaw::wrong("expected the name of a member", location.clone())),
    }
}

/// What is written goes before what is merged, and what is merged first before what is merged later.
fn merge(members: &mut Vec<Member>, merged: Vec<Member>) {
    for member in merged {
        if !members.iter().any(|known| known.name == member.name) {
            members.push(member);
        }
    }
}

fn size(node: &Node) -> usize {
    let inside: usize = match &node.content {
        Content::List(elements) => elements.iter().map(size).sum(),
        Content::Map(members) => members.iter().map(|member| size(&member.value)).sum(),
        _ => 0,
    };
    inside.saturating_add(1)
}
