use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::{Isa, Task};
use crate::kernels::naive::{for_all, numbers};

/// Every operation of a register against the same of plain numbers, on numbers of many sizes.
struct EachLane<T>(Vec<T>);

fn assert_lanes<V: Vector>(actual: V, expected: &[f64]) {
    let mut lanes = vec![V::Element::ZERO; V::LANES];
    actual.store(&mut lanes);
    for (lane, expected) in lanes.iter().zip(expected) {
        assert!(lane.to_f64() == *expected || lane.is_nan() && expected.is_nan());
    }
}

impl<T: Element> Task for EachLane<T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let lanes = T::Vector::<S>::LANES;
        for start in (0..self.0.len() - 2 * lanes).step_by(lanes) {
            let (a, b) = self.0[start..].split_at(lanes);
            let (x, y) = (T::Vector::<S>::load(a), T::Vector::<S>::load(b));
            let each = |f: fn(T, T) -> T| -> Vec<f64> {
                a.iter().zip(b).map(|(a, b)| f(*a, *b).to_f64()).collect()
            };
            assert_lanes(x + y, &each(|a, b| a + b));
            assert_lanes(x - y, &each(|a, b| a - b));
            assert_lanes(x * y, &each(|a, b| a * b));
            assert_lanes(x / y, &each(|a, b| a / b));
            assert_lanes(-x, &each(|a, _| -a));
            assert_lanes(x.abs(), &each(|a, _| a.abs()));
            assert_lanes(x.abs().sqrt(), &each(|a, _| a.abs().sqrt()));
            assert_lanes(x.maximum(y), &each(T::maximum));
            assert_lanes(x.minimum(y), &each(T::minimum));
            let fused: Vec<f64> = a
                .iter()
                .zip(b)
                .map(|(a, b)| S::mul_add(*a, *b, *a).to_f64())
                .collect();
            assert_lanes(x.mul_add(y, x), &fused);
            assert_lanes(x.map_lanes(|x| x + T::ONE), &each(|a, _| a + T::ONE));
            let sign = |a: T, b: T| T::from_f64(a.to_f64().copysign(b.to_f64()));
            assert_lanes(x.with_sign_of(y), &each(sign));
            let rounded = |a: T, _: T| T::from_f64(a.to_f64().round_ties_even());
            assert_lanes(x.round(), &each(rounded));
            let power = |a: T, _: T| T::from_f64((a.to_f64().round_ties_even()).exp2());
            assert_lanes(x.round().power_of_two(), &each(power));
            let (m, e) = x.abs().split();
            assert_lanes(m * e.power_of_two(), &each(|a, _| a.abs()));
            for m in each(|a, _| a.abs()) {
                assert!(m > 0.0);
            }
            let larger = T::Vector::<S>::select(x.greater(y), x, y);
            assert_lanes(larger, &each(T::maximum));
            let same = T::Vector::<S>::select(x.equal(y), x, -x);
            assert_lanes(same, &each(|a, b| if a == b { a } else { -a }));
            for n in 0..lanes {
                let first = T::Vector::<S>::load_first(&a[..n]);
                let expected = a
                    .iter()
                    .enumerate()
                    .map(|(i, a)| if i < n { a.to_f64() } else { 0.0 });
                assert_lanes(first, &expected.collect::<Vec<_>>());
                let mut out = vec![T::ZERO; n];
                x.store_first(&mut out);
                assert_eq!(out, a[..n]);
            }
        }
    }
}

fn every_lane_is_the_plain_number<T: Element>(isa: Isa) {
    let mut all = numbers::<T>(1, 256);
    for (i, x) in all.iter_mut().enumerate() {
        *x *= T::from_f64([1.0, 0.01, 30.0, 100.0][i / 64]);
    }
    isa.run(EachLane(all));
}

#[test]
fn registers_compute_each_lane() {
    for_all!(every_lane_is_the_plain_number);
}

/// A square in the middle of larger matrices.
struct Transposes<T>(Vec<T>);

impl<T: Element> Task for Transposes<T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let lanes = T::Vector::<S>::LANES;
        let (from_step, to_step) = (lanes + 3, lanes + 1);
        let mut to = vec![T::ZERO; lanes * to_step];
        T::Vector::<S>::transpose(&self.0, from_step, &mut to, to_step);
        for p in 0..lanes {
            for i in 0..lanes {
                assert_eq!(to[p * to_step + i], self.0[i * from_step + p]);
            }
        }
        assert!((1..lanes).all(|p| to[p * to_step - 1] == T::ZERO));
    }
}

fn squares_are_transposed<T: Element>(isa: Isa) {
    isa.run(Transposes(numbers::<T>(1, 400)));
}

#[test]
fn transposing_swaps_rows_and_columns() {
    for_all!(squares_are_transposed);
}

/// A NaN in either operand is the answer of both.
struct KeepsNan<T>(T);

impl<T: Element> Task for KeepsNan<T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (nan, x) = (T::Vector::<S>::splat(T::NAN), T::Vector::<S>::splat(self.0));
        for result in [
            nan.maximum(x),
            x.maximum(nan),
            nan.minimum(x),
            x.minimum(nan),
        ] {
            assert_lanes(result, &[f64::NAN]);
        }
    }
}

fn nan_is_kept<T: Element>(isa: Isa) {
    isa.run(KeepsNan(T::ONE));
}

#[test]
fn extremes_keep_nan() {
    for_all!(nan_is_kept);
}
