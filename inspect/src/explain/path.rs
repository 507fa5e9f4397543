//! How the path was read.

use gate::Reason;
use gate::explain::Route;

use super::context::Context;
use super::explanation::PathStep;

impl Context<'_> {
    pub(super) fn path(&self) -> PathStep {
        let (problem, reason) = match &self.trace.route {
            Route::Ambiguous(problem) => (problem.to_string(), problem.reason()),
            Route::Shadowed { found, rule, decoded } => {
                let (seen, found) = (self.decides(*rule), self.decides(*found));
                let problem = format!(
                    "a server that decodes its escapes sees `{decoded}`, for which {seen} asks something else than {found}"
                );
                (problem, Reason::AmbiguousPath)
            }
            _ => return PathStep { canonical: self.trace.path.clone().ok(), problem: None, reason: None },
        };
        PathStep { canonical: self.trace.path.clone().ok(), problem: Some(problem), reason: Some(reason.name()) }
    }
}
