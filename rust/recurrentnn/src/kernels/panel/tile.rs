//! The register tile: where all the time of a product goes.
//!
//! ```text
//! acc = start                                    in registers
//! for p in 0..depth:                             ascending: the only order of summation there is
//!     for j in 0..N:
//!         acc[:, j] += a[:, p] * b[p, j]         a register of rows at once, b in every lane
//! output = acc
//! ```

use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// Most columns of a tile. With two registers of rows that makes 12 accumulators, enough to hide
/// the latency of two multiply-adds a cycle, and leaves 2 registers for `a` and 1 for `b` of 16.
pub(in crate::kernels) const TILE_COLS: usize = 6;

/// How far ahead of its use a panel is asked for: some hundred nanoseconds of a tile's pace, which is
/// how far the level-3 cache is. By itself the CPU foresees a stream too late, and not across pages.
const AHEAD_BYTES: usize = 6 << 10;
/// Bytes of a cache line.
const LINE: usize = 64;

/// What an output holds before the first product.
#[allow(dead_code)] // the machine's
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) enum Start<T> {
    /// Zeros.
    Zero,
    /// What is there.
    Keep,
    /// In each column these numbers, one for every row.
    Column(*const T),
}

/// Rows of an output that a tile owns: R registers of them, in the last one perhaps only a part.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Strip<T> {
    /// The first row in the first column of the tile.
    pub(in crate::kernels) output: *mut T,
    /// From one column to the next.
    pub(in crate::kernels) column_step: usize,
    /// How many rows there are: more than R - 1 registers hold.
    pub(in crate::kernels) rows: usize,
    /// What they hold before; a column begins with the first row.
    pub(in crate::kernels) start: Start<T>,
}

/// A factor of the broadcast role: element (p, j) is at `start + p * row_step + j * column_step`.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Factor<T> {
    pub(in crate::kernels) start: *const T,
    pub(in crate::kernels) row_step: usize,
    pub(in crate::kernels) column_step: usize,
}

/// Panels of the vector role: element (p, i) of panel q at `start + q * panel_step + p * step + i`.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Panels<T> {
    pub(in crate::kernels) start: *const T,
    pub(in crate::kernels) step: usize,
    pub(in crate::kernels) panel_step: usize,
}

/// Accumulators of P panels of R registers of rows and of N columns.
pub(in crate::kernels) type Tile<V, const P: usize, const R: usize, const N: usize> =
    [[[V; R]; P]; N];

/// The accumulators at the start.
///
/// # Safety
/// `strips` name readable numbers where they ask for them.
#[inline(always)]
pub(in crate::kernels) unsafe fn begin<
    V: Vector,
    const P: usize,
    const R: usize,
    const N: usize,
>(
    strips: &[Strip<V::Element>; P],
) -> Tile<V, P, R, N> {
    let mut tile = [[[V::splat(V::Element::ZERO); R]; P]; N];
    for (q, strip) in strips.iter().enumerate() {
        let (from, step) = match strip.start {
            Start::Zero => continue,
            Start::Keep => (strip.output.cast_const(), strip.column_step),
            Start::Column(column) => (column, 0),
        };
        for (j, acc) in tile.iter_mut().enumerate() {
            // SAFETY: column j has `rows` numbers, by the caller's promise.
            acc[q] = unsafe { load_rows(from.add(j * step), strip.rows) };
        }
    }
    tile
}

/// Writes the accumulators to the outputs.
///
/// # Safety
/// `strips` are writable and nobody else's.
#[inline(always)]
pub(in crate::kernels) unsafe fn finish<
    V: Vector,
    const P: usize,
    const R: usize,
    const N: usize,
>(
    tile: &Tile<V, P, R, N>,
    strips: &[Strip<V::Element>; P],
) {
    for (q, strip) in strips.iter().enumerate() {
        for (j, acc) in tile.iter().enumerate() {
            // SAFETY: column j has `rows` numbers, by the caller's promise.
            unsafe { store_rows(&acc[q], strip.output.add(j * strip.column_step), strip.rows) };
        }
    }
}

/// Steps that one turn of the loop takes where the strides are known: the end of a shorter loop is
/// foreseen, and addresses are offsets in the instructions.
const UNROLLED: usize = 4;

/// `tile += a * b` over `depth` steps.
///
/// # Safety
/// `a` has `depth` times P times R registers, and `b` `depth` times N numbers.
#[inline(always)]
pub(in crate::kernels) unsafe fn accumulate<
    S: Simd,
    T: Element,
    const P: usize,
    const R: usize,
    const N: usize,
>(
    tile: &mut Tile<T::Vector<S>, P, R, N>,
    a: Panels<T>,
    b: Factor<T>,
    depth: usize,
) {
    let packed = R * T::Vector::<S>::LANES;
    // Fewer columns wait for the panels, not for the loop.
    let unrolls = P == 1 && N >= 4 && a.step == packed;
    // Strides that the compiler knows, of the two layouts that there are of such an operand.
    // SAFETY: passed on; the strides are what they are said to be.
    unsafe {
        if unrolls && b.row_step == 1 {
            let (a, b) = (Panels { step: packed, ..a }, Factor { row_step: 1, ..b });
            steps::<S, T, P, R, N, UNROLLED>(tile, a, b, depth);
        } else if unrolls && b.row_step == N && b.column_step == 1 {
            let a = Panels { step: packed, ..a };
            let b = Factor {
                row_step: N,
                column_step: 1,
                ..b
            };
            steps::<S, T, P, R, N, UNROLLED>(tile, a, b, depth);
        } else {
            steps::<S, T, P, R, N, 1>(tile, a, b, depth);
        }
    }
}

/// [`accumulate`], by turns of U steps.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn steps<
    S: Simd,
    T: Element,
    const P: usize,
    const R: usize,
    const N: usize,
    const U: usize,
>(
    tile: &mut Tile<T::Vector<S>, P, R, N>,
    mut a: Panels<T>,
    mut b: Factor<T>,
    depth: usize,
) {
    for _ in 0..depth / U {
        for _ in 0..U {
            // SAFETY: the caller's promise.
            unsafe { step::<S, T, P, R, N>(tile, a, b) };
            a.start = a.start.wrapping_add(a.step);
            b.start = b.start.wrapping_add(b.row_step);
        }
    }
    for _ in 0..depth % U {
        // SAFETY: the caller's promise.
        unsafe { step::<S, T, P, R, N>(tile, a, b) };
        // The last step leaves the allocation; nothing is read there.
        a.start = a.start.wrapping_add(a.step);
        b.start = b.start.wrapping_add(b.row_step);
    }
}

/// One step: the first of `a` and `b`.
///
/// # Safety
/// As [`accumulate`], for a depth of 1.
#[inline(always)]
unsafe fn step<S: Simd, T: Element, const P: usize, const R: usize, const N: usize>(
    tile: &mut Tile<T::Vector<S>, P, R, N>,
    a: Panels<T>,
    b: Factor<T>,
) {
    let lanes = T::Vector::<S>::LANES;
    // Two pointers each, three steps apart: with the offsets 0, 1 and 2 steps that a load can add
    // they reach all columns and panels, and no other address needs a register or an instruction.
    let rows = [b.start, b.start.wrapping_add(3 * b.column_step)];
    let from = [a.start, a.start.wrapping_add(3 * a.panel_step)];
    // SAFETY: row p of `b` has N numbers, by the caller's promise.
    let factor = |j: usize| unsafe { *rows[j / 3].add(j % 3 * b.column_step) };
    let factor = |j: usize| T::Vector::<S>::splat(factor(j));
    // SAFETY: register r of step p of panel q is there, by the caller's promise.
    let column = |q: usize, r: usize| unsafe {
        load::<T::Vector<S>>(from[q / 3].add(q % 3 * a.panel_step + r * lanes))
    };
    // Few columns, several panels: the factors stay in registers and the panels go through one.
    // Many columns: the other way round. So 12 accumulators leave what is needed of 16.
    if P > 1 {
        let factors: [T::Vector<S>; N] = std::array::from_fn(factor);
        for q in 0..P {
            for r in 0..R {
                let x = column(q, r);
                for (acc, factor) in tile.iter_mut().zip(factors) {
                    acc[q][r] = x.mul_add(factor, acc[q][r]);
                }
            }
        }
    } else {
        let bytes = R * S::REGISTER_BYTES;
        let ahead = from[0].wrapping_add(AHEAD_BYTES / bytes * a.step);
        for byte in (0..bytes).step_by(LINE) {
            S::prefetch(ahead.wrapping_byte_add(byte));
        }
        let x: [T::Vector<S>; R] = std::array::from_fn(|r| column(0, r));
        for (j, acc) in tile.iter_mut().enumerate() {
            let factor = factor(j);
            for (acc, x) in acc[0].iter_mut().zip(x) {
                *acc = x.mul_add(factor, *acc);
            }
        }
    }
}

/// A register from LANES numbers.
///
/// # Safety
/// They are there.
#[inline(always)]
pub(in crate::kernels) unsafe fn load<V: Vector>(from: *const V::Element) -> V {
    // SAFETY: by the caller's promise.
    V::load(unsafe { std::slice::from_raw_parts(from, V::LANES) })
}

/// LANES numbers from a register.
///
/// # Safety
/// There is room, which is nobody else's.
#[inline(always)]
pub(in crate::kernels) unsafe fn store<V: Vector>(x: V, to: *mut V::Element) {
    // SAFETY: by the caller's promise.
    x.store(unsafe { std::slice::from_raw_parts_mut(to, V::LANES) });
}

/// R registers from `rows` numbers, which end in the last one; zeros behind them.
#[inline(always)]
unsafe fn load_rows<V: Vector, const R: usize>(from: *const V::Element, rows: usize) -> [V; R] {
    std::array::from_fn(|r| {
        let at = r * V::LANES;
        // SAFETY: the first `rows` numbers are there, by the caller's promise.
        unsafe {
            if at + V::LANES <= rows {
                load(from.add(at))
            } else {
                V::load_first(std::slice::from_raw_parts(from.add(at), rows - at))
            }
        }
    })
}

/// The reverse of [`load_rows`].
#[inline(always)]
unsafe fn store_rows<V: Vector, const R: usize>(x: &[V; R], to: *mut V::Element, rows: usize) {
    for (r, x) in x.iter().enumerate() {
        let at = r * V::LANES;
        // SAFETY: there is room for `rows` numbers, by the caller's promise.
        unsafe {
            if at + V::LANES <= rows {
                store(*x, to.add(at));
            } else {
                x.store_first(std::slice::from_raw_parts_mut(to.add(at), rows - at));
            }
        }
    }
}
