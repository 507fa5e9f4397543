//! The questions that the page asks, and their answers.

use inspect::check::check;
use inspect::configuration::Rejection;
use inspect::explain::explain;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::decoded::decode;
use crate::entered::Entered;

/// A question of the page.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
enum Question {
    /// What is wrong with a configuration, and its likely mistakes.
    Check { configuration: String },
    /// The header and claims of a token.
    Decode { token: String },
    /// What becomes of a request, and why.
    Explain(Box<Entered>),
}

/// The answer to a question; both are JSON. What cannot be answered has `trouble` instead.
pub fn answer(question: &str) -> String {
    let answer = match serde_json::from_str(question) {
        Ok(Question::Check { configuration }) => json!(check(&configuration, &|_| None).diagnosis(&configuration)),
        Ok(Question::Decode { token }) => decode(&token).unwrap_or_else(|error| trouble(&error)),
        Ok(Question::Explain(entered)) => explained(*entered).unwrap_or_else(|error| trouble(&error)),
        Err(error) => trouble(&error.to_string()),
    };
    answer.to_string()
}

fn explained(entered: Entered) -> Result<Value, String> {
    let explanation = explain(&entered.question()?).map_err(unusable)?;
    Ok(json!(explanation))
}

/// The mistakes themselves are the answer to `check`.
fn unusable(rejection: Rejection) -> String {
    match rejection.findings.is_empty() {
        true => rejection.message,
        false => String::from("the configuration cannot be used as it is: see what was found"),
    }
}

fn trouble(trouble: &str) -> Value {
    json!({ "trouble": trouble })
}
