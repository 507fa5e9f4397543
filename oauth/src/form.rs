//! `application/x-www-form-urlencoded` (RFC 6749 App. B, WHATWG URL §5), written and read.

use std::fmt::{self, Write as _};

use zeroize::Zeroizing;

use crate::text::quoted;

/// How many octets are read.
pub const MAX_OCTETS: usize = 16 * 1024;

/// How many parameters are read.
pub const MAX_PARAMETERS: usize = 64;

/// Parameters that are written: a request's body, or a query. Zeroised when dropped, and hidden from `Debug`.
#[derive(Clone, Default)]
pub struct Form(Zeroizing<String>);

impl Form {
    /// Appends one parameter.
    pub fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode_into(&mut self.0, name);
        self.0.push('=');
        encode_into(&mut self.0, value);
    }

    /// Appends one parameter, if it has a value.
    pub fn push_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Form({} octets)", self.0.len())
    }
}

/// One name or value, encoded (RFC 6749 App. B).
pub fn encode(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::new());
    encode_into(&mut encoded, text);
    encoded
}

/// No octet becomes more than three, so the text is never moved, which would leave a copy of it.
fn encode_into(encoded: &mut Zeroizing<String>, text: &str) {
    reserve(encoded, text.len().saturating_mul(3).saturating_add(2));
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
}

fn reserve(text: &mut Zeroizing<String>, additional: usize) {
    if text.capacity().saturating_sub(text.len()) < additional {
        let mut larger = Zeroizing::new(String::with_capacity(text.len().saturating_add(additional).saturating_mul(2)));
        larger.push_str(text);
        *text = larger;
    }
}

/// Parameters that were read, in their order. Hidden from `Debug`.
pub struct Parameters(Vec<(String, Zeroizing<String>)>);

impl Parameters {
    /// Reads a query or a body, all of it.
    ///
    /// A parameter without `=` has an empty value. What decoders disagree about is an error: an escape that is none,
    /// octets that are not UTF-8, characters that had to be escaped.
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        if text.len() > MAX_OCTETS {
            return Err(FormError::TooLarge { octets: text.len() });
        }
        let mut parameters = Vec::new();
        for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(FormError::TooMany);
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            parameters.push((name.to_string(), value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter that may occur once (RFC 6749 §3.1). An empty one counts as absent.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, FormError> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            Some(_) => Err(FormError::Duplicate(name)),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// The names, in written order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Parameters({})", self.0.len())
    }
}

fn decode(text: &[u8]) -> Result<Zeroizing<String>, FormError> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        octets.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (escaped, behind) = escape(behind).ok_or(FormError::Escape)?;
                rest = behind;
                escaped
            }
            _ if byte.is_ascii_graphic() => byte,
            _ => return Err(FormError::Unescaped),
        });
    }
    std::str::from_utf8(&octets).map(|text| Zeroizing::new(text.to_string())).map_err(|_| FormError::NotUtf8)
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((u8::try_from(digit(high)? * 16 + digit(low)?).ok()?, rest))
}

/// Why a text is no form, or a parameter has no value. Carries no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FormError {
    /// A parameter occurs more than once.
    Duplicate(&'static str),
    /// A `%` without two hexadecimal digits behind it.
    Escape,
    /// Octets that are not UTF-8.
    NotUtf8,
    /// More than [`MAX_OCTETS`].
    TooLarge {
        /// The octets found.
        octets: usize,
    },
    /// More than [`MAX_PARAMETERS`].
    TooMany,
    /// A character that has to be escaped.
    Unescaped,
}

impl std::error::Error for FormError {}

impl fmt::Display for FormError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(name) => write!(formatter, "the parameter {} occurs more than once", quoted(name)),
            Self::Escape => formatter.write_str("expected two hexadecimal digits behind each `%`"),
            Self::NotUtf8 => formatter.write_str("expected parameters in UTF-8"),
            Self::TooLarge { octets } => write!(formatter, "expected at most {MAX_OCTETS} octets, found {octets}"),
            Self::TooMany => write!(formatter, "expected at most {MAX_PARAMETERS} parameters, found more"),
            Self::Unescaped => {
                formatter.write_str("expected blanks, controls and characters outside ASCII to be escaped")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, String)>, FormError> {
        let parameters = Parameters::parse(text.as_bytes())?;
        Ok(parameters.0.into_iter().map(|(name, value)| (name, value.to_string())).collect())
    }

    /// RFC 6749 App. B.
    #[test]
    fn the_example_of_rfc_6749_is_encoded() {
        assert_eq!(*encode(" %&+\u{a3}\u{20ac}"), "+%25%26%2B%C2%A3%E2%82%AC");
    }

    #[test]
    fn what_was_written_is_read() {
        let values = ["", "a", "a b+c%20d&e=f;g", "\u{e9}\u{1f600}\n\0", "~*-._"];
        let mut form = Form::default();
        for value in values {
            form.push(value, value);
        }
        let read = parse(form.as_str()).expect("is a form");
        assert_eq!(read, values.map(|value| (value.to_string(), value.to_string())));
    }

    #[test]
    fn a_parameter_occurs_once() {
        let parameters = Parameters::parse(b"a=1&b=&&c&d=%3d=&%61=2&e=1&E=2").expect("is a form");
        assert_eq!(parameters.one("a"), Err(FormError::Duplicate("a")));
        for (name, value) in [("b", None), ("c", None), ("d", Some("==")), ("e", Some("1")), ("f", None)] {
            assert_eq!(parameters.one(name), Ok(value), "{name}");
        }
        let parameters = Parameters::parse(b"code=&code=").expect("is a form");
        assert_eq!(parameters.one("code"), Err(FormError::Duplicate("code")), "an empty one occurs, too");
    }

    #[test]
    fn what_decoders_disagree_about_is_an_error() {
        for (text, error) in [
            ("a=%", FormError::Escape),
            ("a=%4", FormError::Escape),
            ("a=%zz", FormError::Escape),
            ("a=%+1", FormError::Escape),
            ("%=a", FormError::Escape),
            ("a=%ff", FormError::NotUtf8),
            ("%c3=a", FormError::NotUtf8),
            ("a= b", FormError::Unescaped),
            ("a=\n", FormError::Unescaped),
            ("a=\u{e9}", FormError::Unescaped),
            (&"a&".repeat(65), FormError::TooMany),
            (&"a".repeat(MAX_OCTETS + 1), FormError::TooLarge { octets: MAX_OCTETS + 1 }),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert!(parse(&"a&".repeat(64)).is_ok() && parse(&"a".repeat(MAX_OCTETS)).is_ok());
    }

    #[test]
    fn values_are_hidden_from_debug() {
        let mut form = Form::default();
        form.push("client_secret", "hunter2");
        let read = Parameters::parse(form.as_str().as_bytes()).expect("is a form");
        assert!(!format!("{form:?} {read:?}").contains("hunter2"));
    }
}
