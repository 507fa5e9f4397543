//! The command: what it reads, and what it prints.

use std::path::Path;

use super::{Question, explain, text};
use crate::arguments::Explain;
use crate::input::{self, Error};
use crate::instant::Instant;
use crate::{Outcome, STATUS_TROUBLE};

/// Explains what becomes of a request.
pub fn run(asked: &Explain) -> Result<Outcome, Error> {
    let file = input::read(&asked.file)?;
    let question = Question {
        configuration: file.text.clone(),
        name: asked.configuration.clone(),
        request: asked.request.clone().try_into().map_err(|message| Error(format!("--request: {message}")))?,
        headers: asked.header.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
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
        true => serde_json::to_string_pretty(&explanation).map_err(|error| Error(error.to_string()))? + "\n",
        false => text::text(&explanation),
    };
    let passes = matches!(explanation.decision.outcome.as_str(), "allowed" | "answered" | "audited");
    Ok(Outcome { output, aside: None, status: if passes { 0 } else { STATUS_TROUBLE } })
}

/// `Name: value`
fn header(line: &str) -> Result<(String, String), Error> {
    let (name, value) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(|| {
        Error(format!("--header: expected a name and a value, such as `Accept: */*`, found `{line}`"))
    })?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

/// A token, or the one in a file.
fn token(text: &str) -> Result<String, Error> {
    match text.strip_prefix('@') {
        Some(path) => Ok(input::read(Path::new(path))?.text.trim().to_string()),
        None => Ok(text.to_string()),
    }
}
