//! The choice between roles.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;

/// Offers roles, each with its name and where its button sends a POST: a link of another site must not choose one.
pub(crate) fn choose_role(roles: &[(&str, String)]) -> Reply {
    let body = roles.iter().fold(Html::default().markup("<p>Choose what to work as:</p>\n"), |body, (name, action)| {
        body.markup("<form method=\"post\" action=\"")
            .text(action)
            .markup("\"><p><button>")
            .text(name)
            .markup("</button></p></form>\n")
    });
    Page { status: 200, title: "Choose a role", head: Html::default(), body, form: Form::Present }.reply()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_a_button() {
        let roles = [
            ("admin", String::from("/.jotgate/login?role=admin&returnTo=%2Fa%22%3E")),
            ("viewer", String::from("/.jotgate/login?role=viewer&returnTo=%2F")),
        ];
        let reply = choose_role(&roles);
        assert_eq!(reply.status, 200);
        insta::assert_snapshot!(reply.body);
    }
}
