//! `jotgate check`

use inspect::check::{self, Checked, LINTS};
use inspect::finding::Severity;

use crate::arguments::Check;
use crate::input;
use crate::outcome::{Error, Outcome};
use crate::report::check::{json, text};

/// Checks files.
pub(crate) fn check(asked: &Check) -> Result<Outcome, Error> {
    let unknown = asked.allow.iter().find(|name| !LINTS.iter().any(|(lint, _)| lint == name));
    if let Some(name) = unknown {
        let known: Vec<_> = LINTS.iter().map(|(lint, _)| *lint).collect();
        return Err(Error(format!("--allow: no warning is called `{name}`, expected one of {}", known.join(", "))));
    }
    let files = asked.files.iter().map(|file| input::read(file)).collect::<Result<Vec<_>, _>>()?;
    let checked: Vec<_> = files.into_iter().map(|file| (check_text(&file.text, asked), file)).collect();
    let mut all = checked.iter().flat_map(|(checked, _)| &checked.findings);
    let is_fine = all.all(|(_, finding)| finding.severity == Severity::Warning);
    let output = if asked.json { json(&checked) } else { text(&checked) };
    Ok(Outcome::new(output, is_fine))
}

fn check_text(text: &str, asked: &Check) -> Checked {
    let mut checked = check::check(text, &|name| std::env::var(name).ok());
    checked.findings.retain(|(_, finding)| !asked.allow.iter().any(|name| name == finding.name));
    if asked.strict {
        for (_, finding) in &mut checked.findings {
            finding.severity = Severity::Error;
        }
    }
    checked
}
