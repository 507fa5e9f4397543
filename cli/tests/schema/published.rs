//! What is published is current: `make schema` writes it.

use cli::schema::{markdown, schema};
use inspect::document::pretty_json;

use crate::world::{read, workspace};

#[test]
fn the_published_schema_is_current() {
    let published = read(&workspace().join("docs/schema/jotgate.schema.json"));
    assert!(published == pretty_json(&schema()), "docs/schema/jotgate.schema.json is not current: run `make schema`");
}

#[test]
fn the_reference_is_current() {
    let published = read(&workspace().join("docs/configuration.md"));
    assert!(published == markdown(&schema()), "docs/configuration.md is not current: run `make schema`");
}
