//! Random masks: whole columns of Philox words against a threshold.

use super::isa::{Isa, Task};
use crate::element::Element;
use crate::element::simd::Simd;

/// Where a column's words come from: the key of Philox, and the three words of its counter beside the
/// number of the block.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// The key.
    pub key: [u32; 2],
    /// Second to fourth word of the counter; the first is the block within the column.
    pub counter: [u32; 3],
}

/// Blocks computed beside each other.
const LANES: usize = 8;
/// Rows that they make.
const ROWS: usize = 4 * LANES;

/// Fills columns of `rows` numbers, the address of each given: row r is 0 where its word is below
/// `threshold`, else `kept`. Its word is number (r / 8) % 4 of block 8 (r / 32) + r % 8, so that
/// neighbours come out beside each other.
pub fn keep<T: Element>(
    isa: Isa,
    rows: usize,
    address: impl Fn(usize) -> Address,
    threshold: u64,
    kept: T,
    out: &mut [T],
) {
    isa.run(Keep {
        rows,
        address,
        threshold,
        kept,
        out,
    });
}

struct Keep<'a, T, F> {
    rows: usize,
    address: F,
    threshold: u64,
    kept: T,
    out: &'a mut [T],
}

impl<T: Element, F: Fn(usize) -> Address> Task for Keep<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let choose = |word: u64| {
            if word < self.threshold {
                T::ZERO
            } else {
                self.kept
            }
        };
        for (number, column) in self.out.chunks_mut(self.rows.max(1)).enumerate() {
            let address = (self.address)(number);
            for (piece, out) in (0_u64..).zip(column.chunks_mut(ROWS)) {
                let words = blocks(address, piece * LANES as u64);
                for (out, words) in out.chunks_mut(LANES).zip(&words) {
                    for (out, &word) in out.iter_mut().zip(words) {
                        *out = choose(word);
                    }
                }
            }
        }
    }
}

/// Philox 4x32-10 of [`LANES`] blocks, from number `first`; the words stand in the low halves.
#[inline(always)]
fn blocks(address: Address, first: u64) -> [[u64; LANES]; 4] {
    const LOW: u64 = 0xFFFF_FFFF;
    let lanes = |word: u32| [u64::from(word); LANES];
    let [second, third, fourth] = address.counter;
    let mut c = [[0; LANES], lanes(second), lanes(third), lanes(fourth)];
    for (lane, number) in c[0].iter_mut().zip(first..) {
        *lane = number & LOW;
    }
    let [mut k0, mut k1] = address.key;
    for _ in 0..10 {
        let p = c[0].map(|word| word * 0xD251_1F53);
        let q = c[2].map(|word| word * 0xCD9E_8D57);
        c = [
            std::array::from_fn(|lane| q[lane] >> 32 ^ c[1][lane] ^ u64::from(k0)),
            q.map(|product| product & LOW),
            std::array::from_fn(|lane| p[lane] >> 32 ^ c[3][lane] ^ u64::from(k1)),
            p.map(|product| product & LOW),
        ];
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_give_the_known_answers_of_their_authors() {
        // `kat_vectors` of Random123; the first lane is the block asked for.
        let zeros = Address {
            key: [0; 2],
            counter: [0; 3],
        };
        let found = blocks(zeros, 0).map(|words| words[0]);
        assert_eq!(found, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let pi = Address {
            key: [0xa409_3822, 0x299f_31d0],
            counter: [0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        };
        let found = blocks(pi, 0x243f_6a88 - 3).map(|words| words[3]);
        assert_eq!(found, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn a_column_has_the_same_bits_on_every_instruction_set_and_beside_any_other() {
        let address = |number: usize| Address {
            key: [1, 2],
            counter: [u32::try_from(number).unwrap(), 4, 5],
        };
        for rows in [1, 7, 8, 33, 70] {
            let mut whole = vec![9.0_f32; 3 * rows];
            keep(Isa::PORTABLE, rows, address, 1 << 31, 2.0, &mut whole);
            assert!(whole.iter().all(|x| *x == 0.0 || *x == 2.0));
            for isa in Isa::available() {
                for (number, column) in whole.chunks(rows).enumerate() {
                    let mut alone = vec![9.0; rows];
                    keep(isa, rows, |_| address(number), 1 << 31, 2.0, &mut alone);
                    assert_eq!(alone, column);
                }
            }
        }
    }
}
