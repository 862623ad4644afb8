//! Formulas: a function of one number and its derivative, written once over registers, and the loops
//! that run them over slices.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// What a formula's derivative is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The operand.
    Input,
    /// The value, where that is cheaper: tanh' = 1 - y^2.
    Output,
}

/// A function of one number, and its derivative. Every lane is computed by itself.
///
/// Mark both functions `#[inline(always)]`: see [`Task`].
pub trait Formula: Send + Sync {
    /// What `derivative` gets.
    const SAVED: Saved;
    /// What the value costs.
    const COST: Cost;

    /// The value at x.
    fn value<V: Vector>(&self, x: V) -> V;

    /// The derivative, from what [`Formula::SAVED`] names.
    fn derivative<V: Vector>(&self, saved: V) -> V;
}

/// `out[i] = f(x[i])`. The bits of an element depend on its value alone, not on where it stands.
///
/// # Panics
/// If the slices differ in length.
pub fn map_formula<T: Element, F: Formula>(isa: Isa, f: &F, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), out.len());
    if !F::COST.splits(out.len()) {
        return isa.run(Map { f, x, out });
    }
    let piece = F::COST.piece();
    let pieces = x.par_chunks(piece).zip(out.par_chunks_mut(piece));
    pieces.for_each(|(x, out)| isa.run(Map { f, x, out }));
}

/// `into[i] += grad[i] * f'(saved[i])`, where `saved` is what [`Formula::SAVED`] names.
///
/// # Panics
/// If the slices differ in length.
pub fn accumulate_slope<T: Element, F: Formula>(
    isa: Isa,
    f: &F,
    grad: &[T],
    saved: &[T],
    into: &mut [T],
) {
    assert_eq!(grad.len(), into.len());
    assert_eq!(saved.len(), into.len());
    let run = |grad, saved, into| {
        isa.run(Slope {
            f,
            grad,
            saved,
            into,
        });
    };
    if !F::COST.splits(into.len()) {
        return run(grad, saved, into);
    }
    let piece = F::COST.piece();
    let operands = grad.par_chunks(piece).zip(saved.par_chunks(piece));
    let pieces = operands.zip(into.par_chunks_mut(piece));
    pieces.for_each(|((grad, saved), into)| run(grad, saved, into));
}

/// One piece of [`map_formula`].
struct Map<'a, T, F> {
    f: &'a F,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Element, F: Formula> Task for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        map_registers::<T::Vector<S>, _>(self.f, self.x, self.out);
    }
}

/// `out[i] = f(x[i])`, by registers; the rest by one that is not full, so that place decides nothing.
///
/// A formula, no closure: a closure cannot be `#[inline(always)]`, and would be compiled without the
/// instruction set, some thirty times slower.
#[inline(always)]
pub(super) fn map_registers<V: Vector, F: Formula>(
    f: &F,
    x: &[V::Element],
    out: &mut [V::Element],
) {
    let whole = out.len() / V::LANES * V::LANES;
    let (x, x_rest) = x.split_at(whole);
    let (out, out_rest) = out.split_at_mut(whole);
    for (x, out) in x.chunks_exact(V::LANES).zip(out.chunks_exact_mut(V::LANES)) {
        f.value(V::load(x)).store(out);
    }
    if !x_rest.is_empty() {
        f.value(V::load_first(x_rest)).store_first(out_rest);
    }
}

/// One piece of [`accumulate_slope`].
struct Slope<'a, T, F> {
    f: &'a F,
    grad: &'a [T],
    saved: &'a [T],
    into: &'a mut [T],
}

impl<T: Element, F: Formula> Task for Slope<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self {
            f,
            grad,
            saved,
            into,
        } = self;
        let lanes = T::Vector::<S>::LANES;
        let whole = into.len() / lanes * lanes;
        let (grad, grad_rest) = grad.split_at(whole);
        let (saved, saved_rest) = saved.split_at(whole);
        let (into, into_rest) = into.split_at_mut(whole);
        let operands = grad.chunks_exact(lanes).zip(saved.chunks_exact(lanes));
        for ((grad, saved), into) in operands.zip(into.chunks_exact_mut(lanes)) {
            let (grad, saved) = (T::Vector::<S>::load(grad), T::Vector::<S>::load(saved));
            let old = T::Vector::<S>::load(into);
            grad.mul_add(f.derivative(saved), old).store(into);
        }
        if !into_rest.is_empty() {
            let grad = T::Vector::<S>::load_first(grad_rest);
            let saved = T::Vector::<S>::load_first(saved_rest);
            let old = T::Vector::<S>::load_first(into_rest);
            grad.mul_add(f.derivative(saved), old)
                .store_first(into_rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::math;
    use super::super::naive::{assert_close, for_all, numbers, with_threads};
    use super::*;

    /// x tanh x, with one transcendental in both.
    struct Test;

    impl Formula for Test {
        const SAVED: Saved = Saved::Input;
        const COST: Cost = Cost::Transcendental;
        #[inline(always)]
        fn value<V: Vector>(&self, x: V) -> V {
            x * math::tanh(x)
        }
        #[inline(always)]
        fn derivative<V: Vector>(&self, x: V) -> V {
            let y = math::tanh(x);
            y + x * (V::number(1.0) - y * y)
        }
    }

    fn of_all_lengths_are_naive<T: Element>(isa: Isa) {
        for len in [0, 1, 2, 7, 8, 9, 31, 33, 100, 40_000] {
            let [x, grad, mut into] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
            let wide = |x: &T| x.to_f64();
            let expected: Vec<f64> = x.iter().map(wide).map(|x| x * x.tanh()).collect();
            let slope = |x: f64| x.tanh() + x * (1.0 - x.tanh().powi(2));
            let terms = x.iter().zip(&grad).zip(&into);
            let expected_into: Vec<f64> = terms
                .map(|((x, g), old)| wide(old) + wide(g) * slope(wide(x)))
                .collect();
            let mut out = vec![T::NAN; len];
            map_formula(isa, &Test, &x, &mut out);
            assert_close(&out, &expected, 4.0);
            accumulate_slope(isa, &Test, &grad, &x, &mut into);
            assert_close(&into, &expected_into, 4.0);
        }
    }

    #[test]
    fn values_and_slopes_are_naive_to_rounding() {
        for_all!(of_all_lengths_are_naive);
    }

    /// Each element alone, at every place of a slice, and on other numbers of threads.
    fn depend_on_the_value_alone<T: Element>(isa: Isa) {
        let len = 40_011;
        let [x, grad, old] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
        let run = |part: std::ops::Range<usize>| {
            let mut out = vec![T::ZERO; part.len()];
            let mut into = old[part.clone()].to_vec();
            map_formula(isa, &Test, &x[part.clone()], &mut out);
            accumulate_slope(isa, &Test, &grad[part.clone()], &x[part], &mut into);
            (out, into)
        };
        let (out, into) = with_threads(1, || run(0..len));
        assert_eq!(with_threads(2, || run(0..len)), (out.clone(), into.clone()));
        for start in 0..40 {
            for end in start..40 {
                let part = (out[start..end].to_vec(), into[start..end].to_vec());
                assert_eq!(run(start..end), part);
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_place_or_threads() {
        for_all!(depend_on_the_value_alone);
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn unequal_lengths_are_refused() {
        map_formula(Isa::PORTABLE, &Test, &[1.0_f32], &mut []);
    }
}
