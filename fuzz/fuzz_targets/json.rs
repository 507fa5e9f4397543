//! JSON texts: `jose::json` accepts what follows the grammar and holds nothing that parsers disagree about, and
//! reads it as `serde_json` does, numbers to the last digit.

#![no_main]

use std::cmp::Ordering;
use std::time::Duration;

use fuzz::json::{self, Refusal, Tree};
use fuzz::number::Plain;
use jose::claims::NumericDate;
use jose::json::{Document, Error, ErrorKind, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    check(text, Document::parse(text), json::read(text));
    check(text, Document::parse_keeping_duplicates(text), json::read_with_twins(text));
});

fn check(text: &[u8], ours: Result<Document<'_>, Error>, theirs: Result<Tree<'_>, Refusal>) {
    match (ours, theirs) {
        (Ok(document), Ok(tree)) => {
            let root = document.root();
            json::assert_same(root, &tree, &mut |number| check_number(number));
            check_spans(root, text, 0..text.len());
        }
        (Err(error), Err(refusal)) => {
            assert!(is_explained(&error.kind, &refusal), "{:?} is not the reason: {refusal:?}", error.kind);
            check_message(&error, text);
        }
        (ours, theirs) => panic!("ours: {ours:?}\ntheirs: {theirs:?}"),
    }
}

/// Whether what was noticed first is there. Only a text that breaks the grammar may be rejected for that.
fn is_explained(kind: &ErrorKind, refusal: &Refusal) -> bool {
    use ErrorKind::{BadString, DuplicateMember, NotUtf8, TooDeep};
    match refusal {
        Refusal::NotUtf8 => *kind == NotUtf8,
        Refusal::Grammar => *kind != NotUtf8,
        Refusal::TooDeep => matches!(kind, TooDeep | BadString | DuplicateMember(_)),
        Refusal::LoneSurrogate => matches!(kind, BadString | DuplicateMember(_)),
        Refusal::Twice(names) => matches!(kind, DuplicateMember(name) if names.contains(name)),
    }
}

/// Logs and answers can carry the message: one line, of bounded length.
fn check_message(error: &Error, text: &[u8]) {
    let message = error.to_string();
    assert!(error.offset <= text.len(), "{message}");
    assert!(message.len() < 600 && !message.chars().any(char::is_control), "{message}");
}

/// Values stand where they say, inside what holds them, one behind the other.
fn check_spans(value: Value<'_>, text: &[u8], within: std::ops::Range<usize>) {
    let span = value.span();
    assert!(within.start <= span.start && span.start < span.end && span.end <= within.end, "{span:?} in {within:?}");
    assert!(!text[span.start].is_ascii_whitespace() && !text[span.end - 1].is_ascii_whitespace());
    let mut rest = span;
    for child in value.elements().chain(value.members().map(|(_, child)| child)) {
        check_spans(child, text, rest.clone());
        rest.start = child.span().end;
    }
}

fn check_number(number: Value<'_>) {
    let Some(decimal) = number.as_number() else { panic!("{number:?} is a number") };
    let plain = Plain::read(decimal.text());
    assert_eq!(decimal.is_negative(), plain.negative, "{plain:?}");
    assert_eq!(decimal.to_u64(), plain.to_u64(), "{plain:?}");
    check_equality(number, &plain);
    check_date(number, &plain);
}

/// A number equals itself in plain digits, and none beside it.
fn check_equality(number: Value<'_>, plain: &Plain) {
    if plain.is_cut {
        return;
    }
    let sign = if plain.negative { "-" } else { "" };
    let whole = if plain.whole.is_empty() { "0" } else { &plain.whole };
    let text = format!("{sign}{whole}.{}0", plain.fraction);
    let other = format!("{sign}{whole}.{}1", plain.fraction);
    for (text, is_equal) in [(text, true), (other, false)] {
        let document = Document::parse(text.as_bytes()).expect("is a number");
        assert_eq!(number.as_number() == document.root().as_number(), is_equal, "{plain:?} {text}");
    }
}

fn check_date(number: Value<'_>, plain: &Plain) {
    let (ours, theirs) = (NumericDate::from_claim(number), plain.to_date());
    assert_eq!(ours.is_some(), theirs.is_some(), "{plain:?}");
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    let nanoseconds: u32 = format!("{:0<9.9}", theirs.fraction).parse().expect("is nine digits");
    let at = Duration::new(theirs.seconds, nanoseconds);
    let nanosecond = Duration::from_nanos(1);
    for instant in [Some(at), Some(at + nanosecond), at.checked_sub(nanosecond), Some(Duration::ZERO)] {
        let Some(instant) = instant else { continue };
        let expected: Ordering = theirs.cmp_instant(instant.as_secs(), instant.subsec_nanos());
        assert_eq!(ours.cmp_instant(instant), expected, "{plain:?} {instant:?}");
    }
}
