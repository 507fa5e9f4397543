//! The page between a login and what was asked for. A redirect would end a chain that another site began, on which
//! browsers do not send a cookie with `SameSite=Strict`; what a page of the gate's own leads to is no such chain.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;
use crate::login::return_to::ReturnTo;

/// Goes on to `to` by itself.
pub(crate) fn continuation(to: &ReturnTo) -> Reply {
    // Without quotes, the URL ends where the attribute ends (HTML §4.2.5.3), and it begins with neither blank nor quote.
    let head =
        Html::default().markup("<meta http-equiv=\"refresh\" content=\"0; url=").text(to.as_str()).markup("\">\n");
    let body = Html::default().link(to.as_str(), "Continue");
    Page { status: 200, title: "You are logged in", head, body, form: Form::Absent }.reply()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_to_the_address() {
        let reply = continuation(&ReturnTo::default());
        assert_eq!(reply.status, 200);
        insta::assert_snapshot!(reply.body);
    }
}
