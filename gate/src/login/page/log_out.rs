//! The question whether to log out: a link of another site must not do it.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;

/// Asks; the button sends a POST to `path`.
pub(crate) fn log_out(path: &str) -> Reply {
    let body = Html::default()
        .markup("<form method=\"post\" action=\"")
        .text(path)
        .markup("\"><p><button>Log out</button></p></form>\n");
    Page { status: 200, title: "Log out?", head: Html::default(), body, form: Form::Present }.reply()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_button_posts_to_the_path() {
        let reply = log_out("/.jotgate/logout");
        assert_eq!(reply.status, 200);
        insta::assert_snapshot!(reply.body);
    }
}
