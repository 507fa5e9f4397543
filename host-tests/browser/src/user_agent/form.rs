//! Forms and links, in HTML that is as plain as a provider's login page.

use real_envoy::http::Request;

use super::url::{Url, encoded};

/// A form of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Form {
    /// `GET` or `POST`.
    pub method: String,
    /// Where it is sent, from the page on.
    pub action: String,
    /// Names and values of its fields.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// What submitting it sends, with these values in its fields.
    pub(super) fn request(&self, page: &Url, values: &[(&str, &str)]) -> Request {
        let changed = self.fields.iter().filter(|(name, _)| !values.iter().any(|(changed, _)| changed == name));
        let pairs = changed.map(|(name, value)| (name.as_str(), value.as_str())).chain(values.iter().copied());
        let text =
            pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&");
        let target = page.join(&self.action);
        if self.method == "GET" {
            let action = target.as_str().split('?').next().unwrap_or_default();
            return Request::new("GET", &format!("{action}?{text}"));
        }
        Request::new("POST", target.as_str()).header("content-type", "application/x-www-form-urlencoded").body(text)
    }
}

pub(super) fn forms(html: &str) -> Vec<Form> {
    html.split("<form").skip(1).map(form).collect()
}

/// The `href` of each `a` element.
pub(super) fn links(html: &str) -> Vec<String> {
    html.split("<a ").skip(1).filter_map(|rest| attribute(&format!(" {}", rest.split('>').next()?), "href")).collect()
}

fn form(rest: &str) -> Form {
    let (tag, content) = rest.split_once('>').unwrap_or((rest, ""));
    let content = content.split("</form").next().unwrap_or_default();
    let inputs = content.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let field = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
    Form {
        method: attribute(tag, "method").unwrap_or_else(|| "get".into()).to_ascii_uppercase(),
        action: attribute(tag, "action").unwrap_or_default(),
        fields: inputs.filter_map(field).collect(),
    }
}

/// The value of an attribute in a tag, in quotes or not.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}="))?;
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest.trim_start_matches(quote).split(quote).next(),
        _ => rest.split([' ', '/', '>']).next(),
    };
    Some(unescaped(value?))
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#x2F;", "/"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_as_browsers_do() {
        let html = "<form autocomplete=\"off\" action=\"/in?a=1&amp;b\" method=\"post\"><input type=\"hidden\" \
            name=\"prompt\" value=\"a &quot;b&quot;\"/><input name=\"login\"></form><form><input name='q' value='1'></form>\
            <a class=x href=\"/y?a&amp;b\">y</a><a href='z'>z</a>";
        let forms = forms(html);
        let page = Url::parse("http://127.0.0.1:81/x?old");
        let request = forms[0].request(&page, &[("login", "a b")]);
        let text = String::from_utf8_lossy(&request.bytes()).into_owned();
        assert!(text.starts_with("POST http://127.0.0.1:81/in?a=1&b HTTP/1.1\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nprompt=a+%22b%22&login=a+b"), "{text}");
        assert!(forms[1].request(&page, &[]).bytes().starts_with(b"GET http://127.0.0.1:81/x?q=1 "));
        assert_eq!(links(html), ["/y?a&b", "z"]);
    }
}
