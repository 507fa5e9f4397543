//! Sorting by code that is there once: the standard library's algorithms are some kilobytes of it for each type.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Sorts `items`; equal ones stay in their order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order_by(items, compare);
    let mut slots: Vec<_> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|index| slots.get_mut(index)?.take()));
}

/// The indices of `items` in the order of what they stand for; those of equal ones in their own.
pub fn order_by<T>(items: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Vec<usize> {
    order(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    })
}

/// Sorts texts, by code for these alone: a token may have thousands.
#[inline(never)]
pub fn sort_texts(texts: &mut [&str]) {
    texts.sort_unstable();
}

#[inline(never)]
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<_> = (0..count).collect();
    indices.sort_by(|&one, &other| compare(one, other));
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
}
