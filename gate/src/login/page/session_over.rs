//! What a form gets whose sender is no longer logged in.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;

/// Says that nothing was sent, and how to send it again; `login` is where to log in.
pub(crate) fn session_over(login: &str) -> Reply {
    let body = Html::default()
        .markup("<p>Nothing was sent: what you entered is still here, in this tab.</p>\n<ol>\n<li><a href=\"")
        .text(login)
        .markup("\" target=\"_blank\" rel=\"noopener\">Log in in a new tab</a>.</li>\n")
        .markup("<li>Come back to this tab and reload it; your browser will ask whether to send the form again.</li>\n</ol>\n");
    Page { status: 401, title: "Your session is over", head: Html::default(), body, form: Form::Absent }.reply()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_to_send_the_form_again() {
        let reply = session_over("/.jotgate/login?returnTo=%2Fa&login=b");
        assert_eq!(reply.status, 401);
        insta::assert_snapshot!(reply.body);
    }
}
