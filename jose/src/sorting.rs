//! Sorting by code that is there once: the standard library's algorithms are some kilobytes of it for each type.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Sorts `items`; equal ones stay in their order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    let mut slots: Vec<_> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|index| slots.get_mut(index)?.take()));
}

/// Sorts texts.
#[inline(never)]
pub fn sort_texts(texts: &mut [&str]) {
    let order = order(texts.len(), &|one, other| texts.get(one).cmp(&texts.get(other)));
    let sorted: Vec<_> = order.into_iter().filter_map(|index| texts.get(index).copied()).collect();
    texts.iter_mut().zip(sorted).for_each(|(text, sorted)| *text = sorted);
}

/// The indices up to `count` in the order of what they stand for.
#[inline(never)]
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<_> = (0..count).collect();
    indices.sort_unstable_by(|&one, &other| compare(one, other).then(one.cmp(&other)));
    indices
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_is_sorted_is_all_there_and_equal_ones_stay_in_their_order() {
        for count in 0..200_usize {
            let mut items: Vec<_> = (0..count).map(|index| (index * 7919 % 13, index)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(one, _), (other, _)| one.cmp(other));
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn texts_are_sorted_as_the_standard_library_does_it() {
        let owned: Vec<_> = (0..200_usize).map(|index| format!("{}", index * 7919 % 101)).collect();
        let mut texts: Vec<_> = owned.iter().map(String::as_str).collect();
        let mut expected = texts.clone();
        expected.sort_unstable();
        sort_texts(&mut texts);
        assert_eq!(texts, expected);
    }
}
