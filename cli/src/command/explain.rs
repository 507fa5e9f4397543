//! `jotgate explain`

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use inspect::explain::{self, Question};
use inspect::instant::Instant;
use inspect::request::header;

use crate::arguments::Explain;
use crate::input;
use crate::outcome::{Error, Outcome};
use crate::report::explanation::text;
use crate::report::{pretty, render_rejection};

/// Explains what becomes of a request.
pub(crate) fn explain(asked: &Explain) -> Result<Outcome, Error> {
    let file = input::read(&asked.file)?;
    let question = Question {
        configuration: file.text.clone(),
        name: asked.configuration.clone(),
        request: asked.request.clone().try_into().map_err(|message| Error(format!("--request: {message}")))?,
        headers: asked.header.iter().map(|text| line(text)).collect::<Result<_, _>>()?,
        peer: asked.peer.clone(),
        token: asked.token.as_deref().map(text_or_file).transpose()?,
        proof: asked.proof.as_deref().map(text_or_file).transpose()?,
        certificate: asked.certificate.clone(),
        session: asked.session.as_deref().map(text_or_file).transpose()?,
        introspection: asked.introspection.as_deref().map(input::read).transpose()?.map(|answer| answer.text),
        keys: asked.keys.as_deref().map(input::read).transpose()?.map(|keys| keys.text),
        trust_signature: asked.trust_signature,
        now: match &asked.at {
            Some(at) => at.parse::<Instant>().map_err(|message| Error(format!("--at: {message}")))?.0,
            None => now(),
        },
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let explanation = explain::explain(&question).map_err(|rejection| Error(render_rejection(&file, &rejection)))?;
    let output = match asked.json {
        true => pretty(&explanation),
        false => text(&explanation),
    };
    let decision = &explanation.decision;
    // Audit mode forwards what could not be decided without keys.
    let passes = matches!(decision.outcome.as_str(), "allowed" | "answered" | "audited") || decision.upstream.is_some();
    Ok(Outcome::new(output, passes))
}

/// The time of this machine, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn line(text: &str) -> Result<(String, String), Error> {
    header(text)
        .ok_or_else(|| Error(format!("--header: expected a name and a value, such as `Accept: */*`, found `{text}`")))
}

/// A text, or @ and the file that it is in.
fn text_or_file(text: &str) -> Result<String, Error> {
    match text.strip_prefix('@') {
        Some(path) => Ok(input::read(Path::new(path))?.text.trim().to_string()),
        None => Ok(text.to_string()),
    }
}
