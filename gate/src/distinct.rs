//! Keeping each of many once.

use std::collections::BTreeSet;

use jose::sorting::order_by;

/// Each of `texts` once, in the given order. Untrusted input may hold thousands: they are not compared
/// one with all others.
pub(crate) fn distinct<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let texts: Vec<_> = texts.into_iter().collect();
    let mut is_first = vec![true; texts.len()];
    for &[one, other] in order_by(&texts, Ord::cmp).array_windows() {
        if let Some(is_first) = is_first.get_mut(other) {
            *is_first = texts.get(one) != texts.get(other);
        }
    }
    texts.into_iter().zip(is_first).filter_map(|(text, is_first)| is_first.then_some(text)).collect()
}

/// A set of `items`. Collecting them sorts them first, which is 5 KB of code for each type.
pub(crate) fn set_of<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_first_of_equals_stays_where_it_was() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
        assert_eq!(distinct([]), [""; 0]);
    }
}
