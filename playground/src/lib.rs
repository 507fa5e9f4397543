//! The engine on one page in a browser: what a configuration makes of a request, without asking anybody.
//!
//! The page asks in JSON ([`answer`]) over a border of three functions. All judgement is that of the command line, and
//! so of the engine; `page/` only shows it. `src/bin/page.rs` makes one file of all.

mod border;
mod decoded;
mod entered;

use inspect::check::check;
use inspect::configuration::Rejection;
use inspect::explain::explain;
use serde::Deserialize;
use serde_json::{Value, json};

use self::entered::Entered;

/// What the page asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
enum Question {
    /// What is wrong with a configuration, and what may not be meant.
    Check { configuration: String },
    /// What a token says of itself.
    Decode { token: String },
    /// What becomes of a request, and why.
    Explain(Entered),
}

/// The answer to a question; both are JSON. What cannot be answered is told as `trouble`.
pub fn answer(question: &str) -> String {
    let answer = match serde_json::from_str(question) {
        Ok(Question::Check { configuration }) => json!(check(&configuration, &|_| None).diagnosis(&configuration)),
        Ok(Question::Decode { token }) => decoded::decode(&token),
        Ok(Question::Explain(entered)) => explained(entered).unwrap_or_else(|error| trouble(&error)),
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
