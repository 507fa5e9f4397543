//! The command: what it reads, and what it prints.

use std::path::Path;

use super::{Question, explain, text};
use crate::arguments::Explain;
use crate::input::{self, Error};
use crate::instant::Instant;
use crate::render;
use crate::request_line::header;
use crate::{Outcome, STATUS_TROUBLE};

/// Explains what becomes of a request.
pub fn run(asked: &Explain) -> Result<Outcome, Error> {
    let file = input::read(&asked.file)?;
    let question = Question {
        configuration: file.text.clone(),
        name: asked.configuration.clone(),
        request: asked.request.clone().try_into().map_err(|message| Error(format!("--request: {message}")))?,
        headers: asked.header.iter().map(|text| line(text)).collect::<Result<_, _>>()?,
        peer: asked.peer.clone(),
        token: asked.token.as_deref().map(token).transpose()?,
        keys: asked.keys.as_deref().map(input::read).transpose()?.map(|keys| keys.text),
        trust_signature: asked.trust_signature,
        now: match &asked.at {
            Some(at) => at.parse::<Instant>().map_err(|message| Error(format!("--at: {message}")))?.0,
            None => Instant::of_this_machine().0,
        },
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let explanation = explain(&question).map_err(|refusal| refusal.render(&file))?;
    let output = match asked.json {
        true => render::json(&explanation),
        false => text::text(&explanation),
    };
    let passes = matches!(explanation.decision.outcome.as_str(), "allowed" | "answered" | "audited");
    Ok(Outcome { output, aside: None, status: if passes { 0 } else { STATUS_TROUBLE } })
}

fn line(text: &str) -> Result<(String, String), Error> {
    header(text)
        .ok_or_else(|| Error(format!("--header: expected a name and a value, such as `Accept: */*`, found `{text}`")))
}

/// A token, or the one in a file.
fn token(text: &str) -> Result<String, Error> {
    match text.strip_prefix('@') {
        Some(path) => Ok(input::read(Path::new(path))?.text.trim().to_string()),
        None => Ok(text.to_string()),
    }
}
