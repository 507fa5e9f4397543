//! `jotgate test`

use inspect::cases;
use inspect::finding::Finding;

use super::load::load;
use crate::arguments::Test;
use crate::input::{self, Input};
use crate::outcome::{Error, Outcome};
use crate::report::cases::{json, text};
use crate::report::render;

/// Runs the cases of a file against the rules of another.
pub(crate) fn test(asked: &Test) -> Result<Outcome, Error> {
    let loaded = load(&input::read(&asked.file)?, asked.configuration.as_deref())?;
    let file = input::read(&asked.cases)?;
    let cases = cases::read(&file.text).map_err(|error| cannot_run(&file, error))?;
    let report = cases::run(&cases, &loaded).map_err(|error| cannot_run(&file, error))?;
    let is_reached = !asked.every_rule || report.unreached_rules.is_empty();
    let is_fine = is_reached && report.cases.iter().all(|case| case.differences.is_empty());
    let output = match asked.json {
        true => json(&report, &file.name),
        false => text(&report, &file.name, asked.every_rule),
    };
    Ok(Outcome::new(output, is_fine))
}

fn cannot_run(file: &Input, error: cases::Error) -> Error {
    let with_line = |message: &str, finding: &Finding| format!("{message}\n\n{}", render(file, "", finding));
    Error(match error {
        cases::Error::Case(finding) => with_line("a case cannot be run", &finding),
        cases::Error::Empty => format!("{} is empty", file.name),
        cases::Error::Keys(message) => message,
        cases::Error::Unreadable(finding) => with_line(&format!("{} cannot be read", file.name), &finding),
    })
}
