//! `jotgate schema`

use inspect::document::pretty_json;

use crate::arguments::Schema;
use crate::outcome::Outcome;
use crate::schema;

/// Prints the schema, or the reference that is made from it.
pub(crate) fn schema(asked: &Schema) -> Outcome {
    let schema = schema::schema();
    let output = if asked.markdown { schema::markdown(&schema) } else { pretty_json(&schema) };
    Outcome { output, ..Outcome::default() }
}
