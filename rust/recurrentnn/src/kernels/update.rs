//! The pass of an optimizer that changes: a parameter, its gradient and what is remembered of it, in step.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// How many numbers a rule may remember of each weight.
pub const MEMORY: usize = 3;

/// How a register of weights moves. Every lane is computed by itself.
///
/// Mark it `#[inline(always)]`: see [`Task`].
pub trait Rule: Copy + Send + Sync {
    /// How few numbers it may remember of each weight; no loop is compiled for fewer.
    const LEAST: usize;
    /// How many, up to [`MEMORY`].
    const MOST: usize;

    /// The weights, and what is remembered of them, that follow `weight` and `memory`. Of the memory
    /// as many registers are kept as [`Update::run`] is given slices; the others hold zeros.
    fn update<V: Vector>(self, step: Step<V>, weight: V, memory: [V; MEMORY]) -> (V, [V; MEMORY]);
}

/// What a rule gets to see of the gradients.
#[derive(Clone, Copy, Debug)]
pub struct Step<V> {
    /// The gradients, after clipping by norm.
    pub g: V,
    /// The same, after clipping by value.
    pub clipped: V,
}

/// One parameter's pass: what is done to its gradients, and the rule that uses them.
#[derive(Clone, Copy, Debug)]
pub struct Update<R> {
    /// What moves the weights.
    pub rule: R,
    /// What the gradients are multiplied by: clipping by norm, a mean over passes.
    pub scale: f64,
    /// Largest magnitude of a gradient, after that.
    pub limit: Option<f64>,
}

impl<R: Rule> Update<R> {
    /// Clips `grad`, moves `value` and `memory` by the rule and sets `grad` to zero, all in one pass.
    /// Returns how many gradients the limit changed. No gradient may be infinite or NaN.
    ///
    /// # Panics
    /// If the slices differ in length, or if the rule has no use for as many as `memory` has.
    pub fn run<T: Element>(
        self,
        isa: Isa,
        value: &mut [T],
        grad: &mut [T],
        memory: &mut [Vec<T>],
    ) -> f64 {
        match memory {
            [] if const { fits::<R>(0) } => self.pieces(isa, value, grad, []),
            [a] if const { fits::<R>(1) } => self.pieces(isa, value, grad, [a]),
            [a, b] if const { fits::<R>(2) } => self.pieces(isa, value, grad, [a, b]),
            [a, b, c] if const { fits::<R>(3) } => self.pieces(isa, value, grad, [a, b, c]),
            more => panic!("a rule without {} slices of memory", more.len()),
        }
    }

    fn pieces<T: Element, const N: usize>(
        self,
        isa: Isa,
        value: &mut [T],
        grad: &mut [T],
        memory: [&mut Vec<T>; N],
    ) -> f64 {
        assert_eq!(value.len(), grad.len());
        for slice in &memory {
            assert_eq!(value.len(), slice.len());
        }
        // Pieces on one thread as well: within one, a lane counts in T without rounding.
        let size = Cost::Cheap.piece();
        let splits = Cost::Cheap.splits(value.len());
        let mut memory = memory.map(|slice| slice.chunks_mut(size));
        let pairs = value.chunks_mut(size).zip(grad.chunks_mut(size));
        let pieces = pairs.map(|(value, grad)| Piece {
            update: self,
            value,
            grad,
            memory: memory.each_mut().map(|m| m.next().unwrap_or_default()),
        });
        if splits {
            let pieces: Vec<_> = pieces.collect();
            pieces.into_par_iter().map(|piece| isa.run(piece)).sum()
        } else {
            pieces.map(|piece| isa.run(piece)).sum()
        }
    }
}

const fn fits<R: Rule>(slices: usize) -> bool {
    R::LEAST <= slices && slices <= R::MOST
}

struct Piece<'a, T, R, const N: usize> {
    update: Update<R>,
    value: &'a mut [T],
    grad: &'a mut [T],
    memory: [&'a mut [T]; N],
}

impl<T: Element, R: Rule, const N: usize> Task for Piece<'_, T, R, N> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let Self {
            update,
            value,
            grad,
            memory,
        } = self;
        let lanes = T::Vector::<S>::LANES;
        let clip = Registers::<T::Vector<S>>::new(&update);
        let zero = T::Vector::<S>::splat(T::ZERO);
        let mut count = zero;

        let whole = value.len() / lanes * lanes;
        let mut at = 0;
        while at < whole {
            let place = at..at + lanes;
            let (step, clipped) = clip.step(T::Vector::<S>::load(&grad[place.clone()]));
            let w = T::Vector::<S>::load(&value[place.clone()]);
            let mut m = [zero; MEMORY];
            for k in 0..N {
                m[k] = T::Vector::<S>::load(&memory[k][place.clone()]);
            }
            let (w, m) = update.rule.update(step, w, m);
            w.store(&mut value[place.clone()]);
            for k in 0..N {
                m[k].store(&mut memory[k][place.clone()]);
            }
            zero.store(&mut grad[place]);
            count = count + clipped;
            at += lanes;
        }
        if whole < value.len() {
            let (step, clipped) = clip.step(T::Vector::<S>::load_first(&grad[whole..]));
            let w = T::Vector::<S>::load_first(&value[whole..]);
            let mut m = [zero; MEMORY];
            for k in 0..N {
                m[k] = T::Vector::<S>::load_first(&memory[k][whole..]);
            }
            let (w, m) = update.rule.update(step, w, m);
            w.store_first(&mut value[whole..]);
            for k in 0..N {
                m[k].store_first(&mut memory[k][whole..]);
            }
            grad[whole..].fill(T::ZERO);
            // The lanes behind the end are zeros, which no limit changes.
            count = count + clipped;
        }
        // As wide as the widest register.
        let mut counts = [T::ZERO; 16];
        count.store(&mut counts);
        counts.iter().map(|n| n.to_f64()).sum()
    }
}

/// What clipping needs, in every lane.
struct Registers<V> {
    scale: V,
    high: V,
    low: V,
}

impl<V: Vector> Registers<V> {
    #[inline(always)]
    fn new<R>(update: &Update<R>) -> Self {
        let limit = update.limit.unwrap_or(f64::INFINITY);
        Self {
            scale: V::number(update.scale),
            high: V::number(limit),
            low: V::number(-limit),
        }
    }

    /// What the rule sees of the gradients, and a 1 in each lane that the limit changed.
    #[inline(always)]
    fn step(&self, grad: V) -> (Step<V>, V) {
        let g = grad * self.scale;
        let clipped = V::select(g.greater(self.high), self.high, g);
        let clipped = V::select(self.low.greater(clipped), self.low, clipped);
        let changed = V::select(clipped.equal(g), V::number(0.0), V::number(1.0));
        (Step { g, clipped }, changed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::{for_all, numbers, with_threads};
    use super::*;

    /// Uses all that a rule is given, without a rounding that instruction sets do differently.
    #[derive(Clone, Copy)]
    struct Test;

    impl Rule for Test {
        const LEAST: usize = 0;
        const MOST: usize = MEMORY;

        #[inline(always)]
        fn update<V: Vector>(
            self,
            step: Step<V>,
            weight: V,
            [a, b, c]: [V; MEMORY],
        ) -> (V, [V; MEMORY]) {
            let after = [a * V::number(0.75) + step.g, b - step.clipped, c + weight];
            (weight - step.clipped + a - b + c, after)
        }
    }

    const LENGTHS: [usize; 9] = [0, 1, 3, 7, 16, 17, 33, 400, 140_003];

    fn memory<T: Element>(slices: usize, len: usize) -> Vec<Vec<T>> {
        (0..slices as u64).map(|k| numbers(k + 3, len)).collect()
    }

    fn is_naive<T: Element>(isa: Isa) {
        let cases = LENGTHS
            .iter()
            .flat_map(|&len| [(len, None), (len, Some(0.125))])
            .flat_map(|(len, limit)| (0..=MEMORY).map(move |slices| (len, limit, slices)));
        for (len, limit, slices) in cases {
            let update = Update {
                rule: Test,
                scale: 0.3,
                limit,
            };
            let [w, g] = [1, 2].map(|seed| numbers::<T>(seed, len));
            let before = memory::<T>(slices, len);
            let (mut value, mut grad, mut after) = (w.clone(), g.clone(), before.clone());
            let count = update.run(isa, &mut value, &mut grad, &mut after);
            let mut expected = 0.0;
            for i in 0..len {
                let g = g[i] * T::from_f64(0.3);
                let high = T::from_f64(limit.unwrap_or(1.0));
                let clipped = g.minimum(high).maximum(-high);
                expected += f64::from(u8::from(clipped != g));
                let of = |k: usize| before.get(k).map_or(T::ZERO, |slice| slice[i]);
                let [a, b, c] = [of(0), of(1), of(2)];
                let moved = w[i] - clipped + a - b + c;
                assert_eq!((value[i], grad[i]), (moved, T::ZERO));
                let remembered = [a * T::from_f64(0.75) + g, b - clipped, c + w[i]];
                for (found, expected) in after.iter().zip(remembered) {
                    assert_eq!(found[i], expected);
                }
            }
            assert_eq!(count, expected);
        }
    }

    #[test]
    fn every_element_is_clipped_moved_and_zeroed_once() {
        for_all!(is_naive);
    }

    fn threads_agree<T: Element>(isa: Isa) {
        let len = 1_000_003;
        let run = |threads| {
            let [mut w, mut g] = [1, 2].map(|seed| numbers::<T>(seed, len));
            let mut m = memory::<T>(2, len);
            let update = Update {
                rule: Test,
                scale: 1.0,
                limit: Some(0.5),
            };
            let count = with_threads(threads, || update.run(isa, &mut w, &mut g, &mut m));
            (w, g, m, count)
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        for_all!(threads_agree);
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn unequal_lengths_are_refused() {
        let update = Update {
            rule: Test,
            scale: 1.0,
            limit: None,
        };
        update.run(Isa::PORTABLE, &mut [1.0_f32], &mut [1.0], &mut [vec![]]);
    }
}
