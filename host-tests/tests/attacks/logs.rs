//! RUN-010: logs hold nothing of a token, and no line is a client's.

use crate::run::{Host, Run};

/// `lines` is all that was logged while everything in `run` was sent.
pub(crate) fn check<H: Host>(run: &mut Run<'_, H>, lines: &[String]) {
    let log = lines.join("\n");
    let mut told = Vec::new();
    for token in &run.tokens {
        // Short parts are words that occur elsewhere; the header's part names the key, which may be told.
        let parts = token.split('.').skip(1).filter(|part| part.len() > 12);
        told.extend(parts.filter(|part| log.contains(*part)).map(str::to_owned));
    }
    run.check(told.is_empty(), &format!("the log holds parts of tokens: {told:?}"));
    for private in ["alice", "bob", "access_token", "x-evil", "<script>", "token="] {
        let found: Vec<_> = lines.iter().filter(|line| line.contains(private) && !line.contains("subject=")).collect();
        run.check(found.is_empty(), &format!("`{private}` is in the log: {found:?}"));
    }
    let broken: Vec<_> = lines.iter().filter(|line| line.contains(['\r', '\0', '\u{1b}'])).collect();
    run.check(broken.is_empty(), &format!("lines with control characters: {broken:?}"));
}
