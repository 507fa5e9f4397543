//! What was entered on the page, as a question.

use inspect::explain::Question;
use inspect::instant::Instant;
use inspect::request::{RequestLine, header};
use serde::Deserialize;

/// The fields of the page, as they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entered {
    configuration: String,
    method: String,
    url: String,
    headers: String,
    token: String,
    proof: String,
    introspection: String,
    session: String,
    time: String,
    keys: String,
}

impl Entered {
    /// The question in it. `Err` names a field that cannot be read.
    pub(crate) fn question(self) -> Result<Question, String> {
        let request = RequestLine::try_from(format!("{} {}", self.method.trim(), self.url.trim()))?;
        let lines = self.headers.lines().filter(|line| !line.trim().is_empty());
        Ok(Question {
            configuration: self.configuration,
            name: None,
            request,
            headers: lines.map(line).collect::<Result<_, _>>()?,
            peer: String::new(),
            token: given(&self.token),
            proof: given(&self.proof),
            certificate: String::new(),
            session: given(&self.session),
            introspection: given(&self.introspection),
            keys: given(&self.keys),
            trust_signature: false,
            now: self.time.trim().parse::<Instant>()?.0,
            variables: std::collections::BTreeMap::new(),
        })
    }
}

/// What is in a field, unless it is empty.
fn given(field: &str) -> Option<String> {
    Some(field.trim().to_string()).filter(|text| !text.is_empty())
}

fn line(text: &str) -> Result<(String, String), String> {
    header(text).ok_or_else(|| format!("expected a header such as `x-tenant: acme`, found `{text}`"))
}
