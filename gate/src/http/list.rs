//! Headers that hold a list, of which some elements are credentials.

use jose::swar::split;

use super::edit::HeaderEdit;
use super::request::Request;

/// Takes from the lines of `header` the elements that are to go, asked of each in order; the others stay byte for byte,
/// on one line.
pub(crate) fn removal(
    request: &Request<'_>,
    header: &'static str,
    separator: u8,
    mut goes: impl FnMut(&[u8]) -> bool,
) -> Option<HeaderEdit> {
    let (mut kept, mut is_changed) = (Vec::new(), false);
    for line in request.lines(header) {
        let mut is_first = true;
        for element in split(line, separator) {
            if goes(element) {
                is_changed = true;
                continue;
            }
            let element = if kept.is_empty() || is_first { element.trim_ascii_start() } else { element };
            match (kept.is_empty(), is_first) {
                (true, _) => {}
                (false, true) => kept.extend([separator, b' ']),
                (false, false) => kept.push(separator),
            }
            kept.extend(element);
            is_first = false;
        }
    }
    match (is_changed, kept.is_empty()) {
        (false, _) => None,
        (true, true) => Some(HeaderEdit::Remove(header.as_bytes().to_vec())),
        (true, false) => Some(HeaderEdit::Set(header, kept)),
    }
}
