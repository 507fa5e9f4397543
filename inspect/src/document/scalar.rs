//! What an unquoted word of YAML is.
//!
//! Kubernetes reads YAML 1.1, editors read YAML 1.2, and Envoy differs from both; what they disagree on is reported.
//! (Envoy: seen with 1.40.)

use super::node::{Ambiguity, Content, Divergent};

/// What `text` is (YAML 1.2.2 §10.3.2), and why it is ambiguous, if it is.
pub(super) fn resolve(text: &str) -> (Content, Option<Ambiguity>) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => (Content::Null, None),
        "true" | "True" | "TRUE" => (Content::Bool(true), None),
        "false" | "False" | "FALSE" => (Content::Bool(false), None),
        _ => word(text).or_else(|| number(text)).unwrap_or_else(|| (Content::Text(text.to_string()), None)),
    }
}

/// Why `text` is ambiguous as a name, if it is. Envoy takes names as they are.
pub(super) fn ambiguity_of_name(text: &str) -> Option<Ambiguity> {
    let (content, _) = word(text).or_else(|| number(text).filter(|(_, ambiguity)| ambiguity.is_some()))?;
    let is_word = matches!(content, Content::Text(_));
    let message =
        format!("`{text}` is not text to Kubernetes, which finds a member of another name: write `\"{text}\"`");
    is_word.then_some(Ambiguity { message, divergent: Divergent::Kubernetes })
}

/// The words of YAML 1.1.
fn word(text: &str) -> Option<(Content, Option<Ambiguity>)> {
    let lower = text.to_ascii_lowercase();
    let truth = match lower.as_str() {
        "y" | "yes" | "on" => true,
        "n" | "no" | "off" => false,
        _ => return None,
    };
    let mut others = text.chars().skip(1);
    let is_spelt = others.clone().all(char::is_lowercase) || others.all(char::is_uppercase);
    is_spelt.then(|| {
        let message = format!(
            "`{text}` is text to some readers of YAML, and `{truth}` to Envoy and Kubernetes: write `\"{text}\"` or \
             `{truth}`"
        );
        (Content::Text(text.to_string()), Some(Ambiguity { message, divergent: Divergent::Both }))
    })
}

fn number(text: &str) -> Option<(Content, Option<Ambiguity>)> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text),
    };
    if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        let message =
            format!("`{text}` is a number to some readers of YAML, and JSON has no such number: write it in quotes");
        return Some((Content::Text(text.to_string()), Some(Ambiguity { message, divergent: Divergent::Both })));
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let is_decimal = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_decimal(digits) && (digits == "0" || !digits.starts_with('0')) {
        return Some((Content::Number(format!("{sign}{digits}")), None));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(|value| (Content::Number(value.to_string()), None));
    }
    if let Some(fraction) = fraction(digits) {
        let message = format!("`{text}` is text to Envoy where it reads YAML, and a number to others");
        return Some((
            Content::Number(format!("{sign}{fraction}")),
            Some(Ambiguity { message, divergent: Divergent::Envoy }),
        ));
    }
    let is_other = |text: &str| {
        let digits = text.strip_prefix(['o', 'b']).unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let is_ambiguous = is_other(digits.strip_prefix('0').unwrap_or(digits));
    is_ambiguous.then(|| {
        let message = format!(
            "`{text}` is one number to some readers of YAML, and another number or text to others: write it in decimal digits \
             or in quotes"
        );
        (Content::Text(text.to_string()), Some(Ambiguity { message, divergent: Divergent::Both }))
    })
}

/// A number with a fraction or an exponent, as JSON writes it.
fn fraction(digits: &str) -> Option<String> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    if part.is_none() && exponent.is_none() {
        return None;
    }
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain =
        are_digits(whole) && part.is_none_or(are_digits) && !(whole.is_empty() && part.is_none_or(str::is_empty));
    let power = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    let is_number = is_plain && power.is_none_or(|power| !power.is_empty() && are_digits(power));
    is_number.then(|| {
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let part = part.filter(|part| !part.is_empty()).map(|part| format!(".{part}")).unwrap_or_default();
        let exponent = exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();
        format!("{whole}{part}{exponent}")
    })
}
