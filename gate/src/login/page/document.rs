//! What all pages have in common: the frame, the style, and the headers.

use super::html::Html;
use crate::http::Reply;

/// A page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) title: &'static str,
    /// What stands in the head beside title and style.
    pub(super) head: Html,
    /// What stands below the title.
    pub(super) body: Html,
    pub(super) form: Form,
}

/// Whether a page has a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Absent,
    /// One to a path of the gate, whose answer may lead to a provider.
    Present,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1c2128;--paper:#f6f8fa;--sheet:#fff;--line:#d1d9e0;--link:#0757ba;--on-link:#fff}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--paper:#0d1117;--sheet:#161b22;--line:#3d444d;--link:#79b8ff;--on-link:#0d1117}}
body{margin:0;padding:10vh 1rem 1rem;background:var(--paper);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
main{box-sizing:border-box;max-width:34rem;margin:auto;padding:1rem 2rem;background:var(--sheet);border:1px solid var(--line);border-radius:.5rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}
a{color:var(--link)}
button{padding:.5rem 1.5rem;font:inherit;border:0;border-radius:.375rem;background:var(--link);color:var(--on-link);cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
";

/// SHA-256 of [`STYLE`], as a policy has it (CSP Level 3 §2.3.1).
const STYLE_HASH: &str = "sha256-GbuGWWa8wlBsx4Qr/LDT+ANnH9LCZtFV14VgaLuuprE=";

impl Page {
    /// The answer that shows it.
    pub(super) fn reply(self) -> Reply {
        let headers = vec![
            ("cache-control", String::from("no-store")),
            ("content-security-policy", self.form.content_security_policy()),
            ("content-type", String::from("text/html; charset=utf-8")),
            ("referrer-policy", String::from(self.form.referrer_policy())),
            ("x-content-type-options", String::from("nosniff")),
        ];
        Reply { status: self.status, headers, body: self.document().into_text(), grpc_status: None }
    }

    fn document(&self) -> Html {
        Html::default()
            .markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .markup("<meta name=\"color-scheme\" content=\"light dark\">\n")
            .html(&self.head)
            .markup("<title>")
            .markup(self.title)
            .markup("</title>\n<style>")
            .markup(STYLE)
            .markup("</style>\n</head>\n<body>\n<main>\n<h1>")
            .markup(self.title)
            .markup("</h1>\n")
            .html(&self.body)
            .markup("</main>\n</body>\n</html>\n")
    }
}

impl Form {
    /// Chromium holds the redirects that answer a form against `form-action`, too, and a provider may redirect to any
    /// other. So the page with a form, which shows nothing that is not constant, goes without.
    fn content_security_policy(self) -> String {
        let form_action = match self {
            Self::Absent => "; form-action 'none'",
            Self::Present => "",
        };
        format!("default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'{form_action}")
    }

    /// Without referrers, browsers do not send the origin of a form either (Fetch §3.1), by which it is told from one of
    /// another site. Pages without form may have a code in their URL.
    const fn referrer_policy(self) -> &'static str {
        match self {
            Self::Absent => "no-referrer",
            Self::Present => "same-origin",
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn page(form: Form) -> Reply {
        let body = Html::default().markup("<p>Body.</p>\n");
        Page { status: 200, title: "Title", head: Html::default(), body, form }.reply()
    }

    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        assert_eq!(STYLE_HASH, format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE))));
        let body = page(Form::Absent).body;
        assert_eq!(
            body.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map(|(style, _)| style),
            Some(STYLE)
        );
    }

    #[test]
    fn the_page_with_a_form_may_be_answered_by_any_redirect() {
        let header = |form, name: &str| {
            page(form).headers.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value).expect("is there")
        };
        assert!(header(Form::Absent, "content-security-policy").contains("form-action 'none'"));
        assert!(!header(Form::Present, "content-security-policy").contains("form-action"));
        assert_eq!(header(Form::Absent, "referrer-policy"), "no-referrer");
        assert_eq!(header(Form::Present, "referrer-policy"), "same-origin");
    }

    /// WCAG 2.2 §1.4.3.
    #[test]
    fn texts_stand_out_from_their_background() {
        let (light, dark) = STYLE.split_once("@media").expect("has both schemes");
        for scheme in [light, &format!("{dark}{light}")] {
            for (text, background) in
                [("--text", "--sheet"), ("--text", "--paper"), ("--link", "--sheet"), ("--on-link", "--link")]
            {
                let ratio = contrast(colour(scheme, text), colour(scheme, background));
                assert!(ratio >= 4.5, "{text} on {background}: {ratio}");
            }
        }
    }

    /// A colour by its name, with three or six digits.
    fn colour(style: &str, name: &str) -> [f64; 3] {
        let (_, value) = style.split_once(&format!("{name}:#")).expect("is there");
        let digits: Vec<_> = value.chars().map_while(|digit| digit.to_digit(16)).collect();
        let part = |index: usize| match digits.len() {
            3 => digits[index] * 17,
            _ => digits[2 * index] * 16 + digits[2 * index + 1],
        };
        [0, 1, 2].map(|index| f64::from(part(index)) / 255.0)
    }

    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
        let luminance =
            |[red, green, blue]: [f64; 3]| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05;
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }
}
