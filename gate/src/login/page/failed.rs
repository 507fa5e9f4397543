//! Logins that failed. Nothing of what the browser or the provider sent is shown, and nothing goes on by itself.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;

/// Why a login failed, as far as the person can do something about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Failure<'f> {
    /// The provider, or the person, said no.
    Denied,
    /// State, cookie, code or token are not what they must be.
    Invalid,
    /// The browser would drop the cookie. These claims take the most.
    TooLarge { claims: &'f [&'f str] },
    /// The provider cannot answer; whole seconds after which another try makes sense.
    Unavailable { retry_after: u64 },
}

impl Failure<'_> {
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Denied => 403,
            Self::Invalid | Self::TooLarge { .. } => 400,
            Self::Unavailable { .. } => 503,
        }
    }

    fn explanation(self) -> Html {
        let explanation = match self {
            Self::Denied => "<p>The login was cancelled, or the provider did not allow it.</p>\n",
            Self::Invalid => {
                "<p>The login could not be completed. It may have taken too long, or have begun in another browser, or cookies are blocked.</p>\n"
            }
            Self::TooLarge { claims } => return too_large(claims),
            Self::Unavailable { .. } => "<p>The login provider cannot be reached at the moment.</p>\n",
        };
        Html::default().markup(explanation)
    }
}

fn too_large(claims: &[&str]) -> Html {
    let list = claims
        .iter()
        .fold(Html::default(), |list, claim| list.markup("<li><code>").text(claim).markup("</code></li>\n"));
    Html::default()
        .markup("<p>There is more to remember of this account than fits into a cookie.</p>\n")
        .markup("<p>Whoever runs this site can make do without some of these claims:</p>\n<ul>\n")
        .html(&list)
        .markup("</ul>\n")
}

/// Says so; `again` is where another login begins.
pub(crate) fn failed(failure: Failure<'_>, again: &str) -> Reply {
    let body = failure.explanation().link(again, "Try again");
    let title = if failure == Failure::Denied { "Login denied" } else { "Login failed" };
    let mut reply = Page { status: failure.status(), title, head: Html::default(), body, form: Form::Absent }.reply();
    if let Failure::Unavailable { retry_after } = failure {
        reply.headers.push(("retry-after", retry_after.to_string()));
    }
    reply
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const FAILURES: [Failure<'_>; 4] = [
        Failure::Denied,
        Failure::Invalid,
        Failure::TooLarge { claims: &["groups", "</code><script>"] },
        Failure::Unavailable { retry_after: 30 },
    ];

    #[test]
    fn each_failure_has_its_page() {
        let mut pages = String::new();
        for failure in FAILURES {
            let Reply { status, headers, body, .. } = failed(failure, "/.jotgate/login?returnTo=%2Fa");
            writeln!(pages, "{status}").expect("fits");
            for (name, value) in headers {
                writeln!(pages, "{name}: {value}").expect("fits");
            }
            let (_, shown) = body.split_once("</style>").expect("has a style");
            writeln!(pages, "{shown}").expect("fits");
        }
        insta::assert_snapshot!(pages);
    }

    #[test]
    fn nothing_goes_on_by_itself() {
        for failure in FAILURES {
            let reply = failed(failure, "/.jotgate/login");
            assert!(!reply.headers.iter().any(|(name, _)| matches!(*name, "location" | "refresh")));
            assert!(!reply.body.contains("http-equiv"));
            assert_eq!(reply.body.matches("<a ").count(), 1, "one link");
        }
    }
}
