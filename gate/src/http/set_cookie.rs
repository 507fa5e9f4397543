//! Cookies that an answer makes or deletes (RFC 6265 §4.1).

use std::fmt::Write as _;
use std::time::Duration;

/// On which requests of other sites browsers send a cookie (RFC 6265bis §4.1.2.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SameSite {
    /// Navigations.
    #[default]
    Lax,
    /// All.
    None,
    /// None.
    Strict,
}

/// What is said of a cookie beside its name and value. All are for every path, and hidden from scripts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'a> {
    /// The domain whose hosts get it; without one, the host that made it.
    pub(crate) domain: Option<&'a str>,
    /// Whether it is for `https` alone.
    pub(crate) is_secure: bool,
    /// How long it is kept; without it, as long as the browser runs.
    pub(crate) max_age: Option<Duration>,
    pub(crate) same_site: SameSite,
}

/// The value of a `Set-Cookie` line. The name is a token, and the value one of cookie-octets (RFC 6265 §4.1.1).
pub(crate) fn set(name: &str, value: &str, attributes: &Attributes<'_>) -> String {
    let mut line = format!("{name}={value}");
    if let Some(max_age) = attributes.max_age {
        // Writing to a string cannot fail.
        let _ = write!(line, "; Max-Age={}", max_age.as_secs());
    }
    attributes.end(line)
}

/// The value of a `Set-Cookie` line that deletes what was made with the same attributes.
pub(crate) fn delete(name: &str, attributes: &Attributes<'_>) -> String {
    attributes.end(format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"))
}

impl Attributes<'_> {
    fn end(&self, mut line: String) -> String {
        line.push_str("; Path=/");
        if let Some(domain) = self.domain {
            line.push_str("; Domain=");
            line.push_str(domain);
        }
        line.push_str("; HttpOnly");
        if self.is_secure {
            line.push_str("; Secure");
        }
        line.push_str(match self.same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
            SameSite::Strict => "; SameSite=Strict",
        });
        line
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const HOST: Attributes<'_> = Attributes { domain: None, is_secure: true, max_age: None, same_site: SameSite::Lax };

    #[test]
    fn each_attribute_is_written_once() {
        assert_eq!(set("__Host-a", "b", &HOST), "__Host-a=b; Path=/; HttpOnly; Secure; SameSite=Lax");
        let all = Attributes {
            domain: Some("example.com"),
            max_age: Some(Duration::from_millis(90_500)),
            same_site: SameSite::None,
            ..HOST
        };
        let expected = "a=b; Max-Age=90; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=None";
        assert_eq!(set("a", "b", &all), expected);
        let plain = Attributes { is_secure: false, same_site: SameSite::Strict, ..HOST };
        assert_eq!(set("a", "b", &plain), "a=b; Path=/; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn a_cookie_is_deleted_where_it_was_made() {
        let persistent = Attributes { domain: Some("example.com"), max_age: Some(Duration::from_secs(9)), ..HOST };
        assert_eq!(
            delete("a", &persistent),
            "a=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Domain=example.com; HttpOnly; Secure; \
             SameSite=Lax"
        );
    }
}
