//! Arithmetic modulo an odd number, in Montgomery's form, with limbs of 32 bits.
//!
//! Wasm multiplies 32 by 32 bits to 64 in one instruction and has none for more: limbs of this size are what makes
//! it fast there. Everything here is public (signatures, public keys), so nothing is done to hide it from a clock.

use alloc::vec;
use alloc::vec::Vec;

/// A number, least significant limb first.
type Limbs = Vec<u32>;

/// An odd modulus, with what Montgomery's multiplication needs of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Modulus {
    /// INVARIANT: odd, and its highest limb is not zero.
    limbs: Limbs,
    bits: usize,
    /// -1/n modulo 2^32.
    negated_inverse: u32,
    /// R² modulo n, where R is 2^32 to the number of limbs.
    r_squared: Limbs,
}

impl Modulus {
    /// Reads a number, most significant octet first; `None` unless it is odd and more than one.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let limbs = trimmed(limbs_of(octets));
        let (lowest, highest) = (*limbs.first()?, *limbs.last()?);
        let bits = limbs.len() * 32 - usize::try_from(highest.leading_zeros()).unwrap_or(0);
        if lowest % 2 == 0 || bits < 2 {
            return None;
        }
        let mut modulus =
            Self { negated_inverse: inverse(lowest).wrapping_neg(), r_squared: Limbs::new(), bits, limbs };
        modulus.r_squared = modulus.square_of_r();
        Some(modulus)
    }

    /// How many bits the number has.
    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    /// How many octets the number has.
    pub(crate) fn octets(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// `base` to the power of `exponent`; both and the result most significant octet first, the result as long as
    /// the modulus. `None` unless `base` is less than the modulus.
    pub(crate) fn power(&self, base: &[u8], exponent: u32) -> Option<Vec<u8>> {
        let mut base = limbs_of(base);
        // What is more than the modulus may be as long as it likes.
        if base.iter().skip(self.limbs.len()).any(|&limb| limb != 0) {
            return None;
        }
        base.resize(self.limbs.len(), 0);
        if !is_less(&base, &self.limbs) {
            return None;
        }
        let mut scratch = self.scratch();
        let base = self.multiply(&base, &self.r_squared, &mut scratch);
        let mut power = base.clone();
        // From the second highest bit down.
        for index in (0..exponent.checked_ilog2()?).rev() {
            power = self.square(&power, &mut scratch);
            if exponent >> index & 1 == 1 {
                power = self.multiply(&power, &base, &mut scratch);
            }
        }
        let power = self.multiply(&power, &self.one(), &mut scratch);
        let octets: Vec<u8> = power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        octets.get(octets.len().checked_sub(self.octets())?..).map(<[u8]>::to_vec)
    }

    /// How many products of two limbs [`Modulus::power`] takes: a multiplication takes those of every limb with every
    /// other, a squaring half of them, and the reduction behind each of either as many as a multiplication.
    pub(crate) fn products(&self, exponent: u32) -> u64 {
        let limbs = u64::try_from(self.limbs.len()).unwrap_or(u64::MAX);
        let squarings = u64::from(exponent.checked_ilog2().unwrap_or(0));
        // One for each further bit that is set, one into Montgomery's form, and one out of it.
        let multiplications = u64::from(exponent.count_ones()) + 1;
        limbs.saturating_mul(limbs).saturating_mul(3 * squarings + 4 * multiplications) / 2
    }

    fn one(&self) -> Limbs {
        let mut one = vec![0; self.limbs.len()];
        one.iter_mut().take(1).for_each(|limb| *limb = 1);
        one
    }

    fn scratch(&self) -> Limbs {
        vec![0; 2 * self.limbs.len()]
    }

    /// `one` × `other` / R modulo n.
    fn multiply(&self, one: &[u32], other: &[u32], product: &mut [u32]) -> Limbs {
        product.fill(0);
        for (index, &limb) in one.iter().enumerate() {
            let row = product.get_mut(index..).unwrap_or_default();
            add_multiple(row, limb, other);
        }
        self.reduce(product)
    }

    /// `number`² / R modulo n: half of the products of limbs, doubled, and the squares of limbs.
    fn square(&self, number: &[u32], product: &mut [u32]) -> Limbs {
        product.fill(0);
        for (index, &limb) in number.iter().enumerate() {
            let row = product.get_mut(2 * index + 1..).unwrap_or_default();
            add_multiple(row, limb, number.get(index + 1..).unwrap_or_default());
        }
        double_and_add_squares(product, number);
        self.reduce(product)
    }

    /// Montgomery's reduction: `product` / R modulo n. `product` is less than n × R, and is used up.
    fn reduce(&self, product: &mut [u32]) -> Limbs {
        let mut overflow = 0;
        for index in 0..self.limbs.len() {
            let row = product.get_mut(index..).unwrap_or_default();
            let factor = row.first().copied().unwrap_or(0).wrapping_mul(self.negated_inverse);
            // The limb at `index` becomes zero.
            overflow += add_multiple(row, factor, &self.limbs);
        }
        let mut rest = product.get(self.limbs.len()..).unwrap_or_default().to_vec();
        // Less than 2n: one subtraction at most.
        if overflow > 0 || !is_less(&rest, &self.limbs) {
            subtract(&mut rest, &self.limbs);
        }
        rest
    }

    /// R² modulo n.
    fn square_of_r(&self) -> Limbs {
        // 2^bits - n is less than n, and doubling it to 2R in Montgomery's form (2 × R) takes 33 steps at most.
        let mut two = vec![0; self.limbs.len()];
        subtract(&mut two, &self.limbs);
        // What stands above the modulus belongs to R, not to 2^bits.
        let above = self.limbs.len() * 32 - self.bits;
        if let (Some(highest), true) = (two.last_mut(), above > 0) {
            *highest &= u32::MAX >> above;
        }
        for _ in 0..=above {
            self.double(&mut two);
        }
        // 2R to the power of the bits of R is 2^(bits of R) × R, which is R × R.
        let bits_of_r = self.limbs.len() * 32;
        let mut scratch = self.scratch();
        let mut power = two.clone();
        for index in (0..bits_of_r.ilog2()).rev() {
            power = self.square(&power, &mut scratch);
            if bits_of_r >> index & 1 == 1 {
                self.double(&mut power);
            }
        }
        power
    }

    fn double(&self, number: &mut [u32]) {
        let mut carry = 0;
        for limb in number.iter_mut() {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
        }
        if carry > 0 || !is_less(number, &self.limbs) {
            subtract(number, &self.limbs);
        }
    }
}

/// Adds `factor` × `number` to `row`, and gives what is carried out of it. `row` is as long as `number` or longer.
#[inline]
fn add_multiple(row: &mut [u32], factor: u32, number: &[u32]) -> u32 {
    let (low, high) = row.split_at_mut(number.len());
    let mut carry = 0_u64;
    let mut add = |limb: &mut u32, of_number: u32| {
        // At most (2^32 - 1)² + 2 × (2^32 - 1), which is 2^64 - 1.
        let sum = u64::from(factor) * u64::from(of_number) + u64::from(*limb) + carry;
        *limb = low_half(sum);
        carry = sum >> 32;
    };
    // Nearly all of the work is this: four at a time take fewer steps, whatever the compiler optimises for.
    let ((fours, rest), (fours_of_number, rest_of_number)) = (low.as_chunks_mut::<4>(), number.as_chunks::<4>());
    for ([a, b, c, d], &[e, f, g, h]) in fours.iter_mut().zip(fours_of_number) {
        add(a, e);
        add(b, f);
        add(c, g);
        add(d, h);
    }
    rest.iter_mut().zip(rest_of_number).for_each(|(limb, &of_number)| add(limb, of_number));
    for limb in high {
        if carry == 0 {
            break;
        }
        let sum = u64::from(*limb) + carry;
        *limb = low_half(sum);
        carry = sum >> 32;
    }
    low_half(carry)
}

/// Doubles `product`, and adds the square of each limb of `number` where its square belongs.
fn double_and_add_squares(product: &mut [u32], number: &[u32]) {
    let mut carry = 0_u64;
    for (pair, &limb) in product.as_chunks_mut::<2>().0.iter_mut().zip(number) {
        let [low, high] = pair;
        let square = u64::from(limb) * u64::from(limb);
        let sum = 2 * u64::from(*low) + u64::from(low_half(square)) + carry;
        *low = low_half(sum);
        let sum = 2 * u64::from(*high) + (square >> 32) + (sum >> 32);
        *high = low_half(sum);
        carry = sum >> 32;
    }
}

/// Takes `number` from `from`, modulo 2^32 to the number of limbs.
fn subtract(from: &mut [u32], number: &[u32]) {
    let mut borrow = false;
    for (limb, &of_number) in from.iter_mut().zip(number) {
        let (difference, one) = limb.overflowing_sub(of_number);
        let (difference, other) = difference.overflowing_sub(u32::from(borrow));
        *limb = difference;
        borrow = one || other;
    }
}

/// Whether `one` is less than `other`, which has as many limbs.
fn is_less(one: &[u32], other: &[u32]) -> bool {
    one.iter().rev().cmp(other.iter().rev()).is_lt()
}

/// 1/`odd` modulo 2^32, by Newton's method: each step doubles the number of right bits, of which `odd` itself has 3.
fn inverse(odd: u32) -> u32 {
    (0..4).fold(odd, |found, _| found.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(found))))
}

fn limbs_of(octets: &[u8]) -> Limbs {
    let limb = |octets: &[u8]| octets.iter().fold(0, |limb, &octet| limb << 8 | u32::from(octet));
    octets.rchunks(4).map(limb).collect()
}

fn trimmed(mut limbs: Limbs) -> Limbs {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    limbs
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_half(number: u64) -> u32 {
    number as u32
}
