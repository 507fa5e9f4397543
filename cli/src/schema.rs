//! The schema of a configuration. Its parts are the YAML files in `schema/`, from which the reference is made as well.

mod markdown;
mod words;

pub use self::markdown::markdown;
use inspect::document::{self, Content, Member, Node};

/// The document itself, and the parts that make its `$defs`.
const ROOT: &str = include_str!("../schema/configuration.yaml");
const PARTS: [&str; 12] = [
    include_str!("../schema/issuers.yaml"),
    include_str!("../schema/introspection.yaml"),
    include_str!("../schema/credentials.yaml"),
    include_str!("../schema/sender.yaml"),
    include_str!("../schema/login.yaml"),
    include_str!("../schema/session.yaml"),
    include_str!("../schema/rules.yaml"),
    include_str!("../schema/access.yaml"),
    include_str!("../schema/headers.yaml"),
    include_str!("../schema/upstream.yaml"),
    include_str!("../schema/upstream-sources.yaml"),
    include_str!("../schema/rest.yaml"),
];

/// The schema (JSON Schema 2020-12).
pub fn schema() -> Node {
    let mut root = part(ROOT);
    let definitions: Vec<Member> = PARTS.into_iter().flat_map(|text| part(text).members().to_vec()).collect();
    let value = Node { content: Content::Map(definitions), span: 0..0, ambiguity: None };
    if let Content::Map(members) = &mut root.content {
        members.push(Member { name: String::from("$defs"), name_span: 0..0, ambiguity: None, value });
    }
    root
}

#[expect(clippy::expect_used, reason = "the parts are compiled in, and every test reads them")]
fn part(text: &str) -> Node {
    let documents = document::read(text).expect("the parts of the schema are YAML");
    documents.into_iter().next().expect("each has one document").root
}
