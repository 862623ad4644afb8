//! The pass of an optimizer that changes: a parameter, its gradient and its running mean in step.

use rayon::prelude::*;

use super::isa::{Isa, Task};
use super::parallel::Cost;
use crate::element::Element;
use crate::element::simd::{Simd, Vector};

/// How a register of weights moves. Every lane is computed by itself.
///
/// Mark it `#[inline(always)]`: see [`Task`].
pub trait Rule: Copy + Send + Sync {
    /// The weights and running means that follow `weight` and `mean`.
    fn update<V: Vector>(self, step: Step<V>, weight: V, mean: V) -> (V, V);
}

/// What a rule gets to see of the gradients.
#[derive(Clone, Copy, Debug)]
pub struct Step<V> {
    /// The gradients, after clipping by norm.
    pub g: V,
    /// The same, after clipping by value.
    pub clipped: V,
    /// Whether weight decay applies to these weights.
    pub decays: bool,
}

/// One parameter's pass: what is done to its gradients, and the rule that uses them.
#[derive(Clone, Copy, Debug)]
pub struct Update<R> {
    /// What moves the weights.
    pub rule: R,
    /// What clipping by norm multiplies the gradients by.
    pub scale: f64,
    /// Largest magnitude of a gradient, after that.
    pub limit: Option<f64>,
    /// See [`Step::decays`].
    pub decays: bool,
}

impl<R: Rule> Update<R> {
    /// Clips `grad`, moves `value` and `mean` by the rule and sets `grad` to zero, all in one pass.
    /// Returns how many gradients the limit changed. No gradient may be infinite or NaN.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn run<T: Element>(self, isa: Isa, value: &mut [T], grad: &mut [T], mean: &mut [T]) -> f64 {
        assert_eq!(value.len(), grad.len());
        assert_eq!(value.len(), mean.len());
        let run = |(value, (grad, mean))| {
            isa.run(Piece {
                update: self,
                value,
                grad,
                mean,
            })
        };
        // Pieces on one thread as well: within one, a lane counts in T without rounding.
        let piece = Cost::Cheap.piece();
        if Cost::Cheap.splits(value.len()) {
            let others = grad.par_chunks_mut(piece).zip(mean.par_chunks_mut(piece));
            value.par_chunks_mut(piece).zip(others).map(run).sum()
        } else {
            let others = grad.chunks_mut(piece).zip(mean.chunks_mut(piece));
            value.chunks_mut(piece).zip(others).map(run).sum()
        }
    }
}

struct Piece<'a, T, R> {
    update: Update<R>,
    value: &'a mut [T],
    grad: &'a mut [T],
    mean: &'a mut [T],
}

impl<T: Element, R: Rule> Task for Piece<'_, T, R> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let Self {
            update,
            value,
            grad,
            mean,
        } = self;
        let lanes = T::Vector::<S>::LANES;
        let clip = Registers::<T::Vector<S>>::new(&update);
        let mut count = T::Vector::<S>::splat(T::ZERO);

        let whole = value.len() / lanes * lanes;
        let (value, value_rest) = value.split_at_mut(whole);
        let (grad, grad_rest) = grad.split_at_mut(whole);
        let (mean, mean_rest) = mean.split_at_mut(whole);
        let gradients = grad.chunks_exact_mut(lanes);
        let others = gradients.zip(mean.chunks_exact_mut(lanes));
        for (value, (grad, mean)) in value.chunks_exact_mut(lanes).zip(others) {
            let (step, clipped) = clip.step(T::Vector::<S>::load(grad), update.decays);
            let (w, s) = (T::Vector::<S>::load(value), T::Vector::<S>::load(mean));
            let (w, s) = update.rule.update(step, w, s);
            w.store(value);
            s.store(mean);
            T::Vector::<S>::splat(T::ZERO).store(grad);
            count = count + clipped;
        }
        if !value_rest.is_empty() {
            let grad = T::Vector::<S>::load_first(grad_rest);
            let (step, clipped) = clip.step(grad, update.decays);
            let w = T::Vector::<S>::load_first(value_rest);
            let s = T::Vector::<S>::load_first(mean_rest);
            let (w, s) = update.rule.update(step, w, s);
            w.store_first(value_rest);
            s.store_first(mean_rest);
            grad_rest.fill(T::ZERO);
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
    fn step(&self, grad: V, decays: bool) -> (Step<V>, V) {
        let g = grad * self.scale;
        let clipped = V::select(g.greater(self.high), self.high, g);
        let clipped = V::select(self.low.greater(clipped), self.low, clipped);
        let changed = V::select(clipped.equal(g), V::number(0.0), V::number(1.0));
        let step = Step { g, clipped, decays };
        (step, changed)
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
        #[inline(always)]
        fn update<V: Vector>(self, step: Step<V>, weight: V, mean: V) -> (V, V) {
            let mean = mean * V::number(0.75) + step.g;
            let weight = if step.decays {
                weight * V::number(0.5)
            } else {
                weight
            };
            (weight - step.clipped, mean)
        }
    }

    const LENGTHS: [usize; 9] = [0, 1, 3, 7, 16, 17, 33, 400, 140_003];

    fn is_naive<T: Element>(isa: Isa) {
        for (len, limit) in LENGTHS
            .iter()
            .flat_map(|len| [(*len, None), (*len, Some(0.125))])
        {
            for decays in [false, true] {
                let update = Update {
                    rule: Test,
                    scale: 0.3,
                    limit,
                    decays,
                };
                let [w, g, s] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
                let (mut value, mut grad, mut mean) = (w.clone(), g.clone(), s.clone());
                let count = update.run(isa, &mut value, &mut grad, &mut mean);
                let mut expected = 0.0;
                for i in 0..len {
                    let g = g[i] * T::from_f64(0.3);
                    let high = T::from_f64(limit.unwrap_or(1.0));
                    let clipped = g.minimum(high).maximum(-high);
                    expected += f64::from(u8::from(clipped != g));
                    let kept = if decays {
                        w[i] * T::from_f64(0.5)
                    } else {
                        w[i]
                    };
                    let found = (value[i], grad[i], mean[i]);
                    let mean = s[i] * T::from_f64(0.75) + g;
                    assert_eq!(found, (kept - clipped, T::ZERO, mean));
                }
                assert_eq!(count, expected);
            }
        }
    }

    #[test]
    fn every_element_is_clipped_moved_and_zeroed_once() {
        for_all!(is_naive);
    }

    fn threads_agree<T: Element>(isa: Isa) {
        let len = 1_000_003;
        let run = |threads| {
            let [mut w, mut g, mut s] = [1, 2, 3].map(|seed| numbers::<T>(seed, len));
            let update = Update {
                rule: Test,
                scale: 1.0,
                limit: Some(0.5),
                decays: false,
            };
            let count = with_threads(threads, || update.run(isa, &mut w, &mut g, &mut s));
            (w, g, s, count)
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
            decays: false,
        };
        update.run(Isa::PORTABLE, &mut [1.0_f32], &mut [1.0], &mut []);
    }
}
