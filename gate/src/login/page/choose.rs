//! The choice between ways to log in.

use super::document::{Form, Page};
use super::html::Html;
use crate::http::Reply;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Choice<'c> {
    /// What it is called.
    pub(crate) name: &'c str,
    /// Where it begins.
    pub(crate) href: &'c str,
}

/// Offers `choices`.
pub(crate) fn choose(choices: &[Choice<'_>]) -> Reply {
    let list = choices.iter().fold(Html::default(), |list, Choice { name, href }| {
        list.markup("<li><a href=\"").text(href).markup("\">").text(name).markup("</a></li>\n")
    });
    let body = Html::default().markup("<p>Choose how to log in:</p>\n<ul>\n").html(&list).markup("</ul>\n");
    Page { status: 200, title: "Log in", head: Html::default(), body, form: Form::Absent }.reply()
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_is_a_link() {
        let choices = [
            Choice { name: "main", href: "/.jotgate/login?login=main&returnTo=%2Fa" },
            Choice { name: "R&D <staff>", href: "/.jotgate/login?login=R%26D+%3Cstaff%3E" },
        ];
        let reply = choose(&choices);
        assert_eq!(reply.status, 200);
        insta::assert_snapshot!(reply.body);
    }
}
