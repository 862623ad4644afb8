//! Errors in units in the last place, and the edges, of every function on every instruction set.

use rayon::prelude::*;

use super::*;
use crate::element::simd::Simd;
use crate::kernels::isa::{Isa, Task};
use crate::kernels::naive::for_all;

struct Function {
    name: &'static str,
    /// The same, of plain numbers, far more exactly than single precision needs.
    exact: fn(f64) -> f64,
    /// Errors allowed in f32 and f64, in units in the last place.
    bounds: [f64; 2],
}

const fn function(name: &'static str, exact: fn(f64) -> f64, bounds: [f64; 2]) -> Function {
    Function {
        name,
        exact,
        bounds,
    }
}

const FUNCTIONS: [Function; 6] = [
    function("exp", f64::exp, [1.0, 1.0]),
    function("exp_m1", f64::exp_m1, [2.0, 2.0]),
    function("log", f64::ln, [1.0, 1.0]),
    function("log_1p", f64::ln_1p, [1.0, 1.0]),
    function("tanh", f64::tanh, [2.0, 2.0]),
    function("sigmoid", |x| 1.0 / (1.0 + (-x).exp()), [2.0, 2.0]),
];

/// Runs the function of a name over numbers.
struct Apply<'a, T> {
    name: &'a str,
    numbers: &'a mut [T],
}

impl<T: Element> Task for Apply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for numbers in self.numbers.chunks_mut(T::Vector::<S>::LANES) {
            let mut all = vec![T::ONE; T::Vector::<S>::LANES];
            all[..numbers.len()].copy_from_slice(numbers);
            let x = T::Vector::<S>::load(&all);
            let y = match self.name {
                "exp" => exp(x),
                "exp_m1" => exp_m1(x),
                "log" => log(x),
                "log_1p" => log_1p(x),
                "tanh" => tanh(x),
                "sigmoid" => sigmoid(x),
                other => panic!("no function {other}"),
            };
            y.store(&mut all);
            numbers.copy_from_slice(&all[..numbers.len()]);
        }
    }
}

fn apply<T: Element>(isa: Isa, name: &str, numbers: &[T]) -> Vec<T> {
    let mut numbers = numbers.to_vec();
    isa.run(Apply {
        name,
        numbers: &mut numbers,
    });
    numbers
}

/// Every 32749th number there is in single precision, and every 1021st from 1/8 to 32 on both sides,
/// where the functions bend; all there are where `RECURRENTNN_EXHAUSTIVE` is set.
fn singles() -> impl Iterator<Item = Vec<f32>> {
    const SIGN: u32 = 1 << 31;
    let bend = 0.125_f32.to_bits()..32.0_f32.to_bits();
    let ranges = if std::env::var_os("RECURRENTNN_EXHAUSTIVE").is_some() {
        vec![(0..u32::MAX, 1)]
    } else {
        let minus = SIGN | bend.start..SIGN | bend.end;
        vec![(0..u32::MAX, 32_749), (bend, 1021), (minus, 1021)]
    };
    ranges.into_iter().flat_map(|(range, step)| {
        let starts = range.clone().step_by(step << 12);
        starts.map(move |start| {
            let bits = (start..range.end).step_by(step).take(1 << 12);
            bits.map(f32::from_bits).collect()
        })
    })
}

/// How far `y` is from `exact`, in units in the last place of the nearest f32.
fn ulps(y: f32, exact: f64) -> f64 {
    let size = exact.abs().max(f64::from(f32::MIN_POSITIVE));
    let exponent = (size.to_bits() >> 52).cast_signed() - 1023;
    (f64::from(y) - exact).abs() / f64::from(i32::try_from(exponent).unwrap() - 23).exp2()
}

#[test]
fn single_precision_keeps_its_bounds() {
    let of_all = |isa| FUNCTIONS.par_iter().map(move |function| (isa, function));
    let all = Isa::available().into_par_iter().flat_map(of_all);
    all.for_each(|(isa, function)| {
        let (name, bound) = (function.name, function.bounds[0]);
        let mut last: Option<(f32, f32)> = None;
        for x in singles() {
            for (&x, y) in x.iter().zip(apply(isa, name, &x)) {
                let exact = (function.exact)(f64::from(x));
                #[allow(clippy::cast_possible_truncation)]
                let nearest = exact as f32;
                // Only put together where it is needed: there are billions.
                let what = || format!("{} {name}({x:e}) = {y:e} for {exact:e}", isa.name());
                if nearest.is_finite() && y.is_finite() {
                    assert!(ulps(y, exact) <= bound, "{}", what());
                } else {
                    assert!(y == nearest || y.is_nan() && exact.is_nan(), "{}", what());
                }
                if name == "tanh" || name == "sigmoid" {
                    assert!(y.abs() <= 1.0 || y.is_nan(), "{}", what());
                    assert!(name == "tanh" || y >= 0.0 || y.is_nan(), "{}", what());
                }
                if let Some((last_x, last_y)) = last {
                    let falls = (x > last_x && y < last_y) || (x < last_x && y > last_y);
                    assert!(!falls, "{}, but {last_y:e} at {last_x:e}", what());
                }
                last = Some((x, y));
            }
        }
    });
}

/// Rows of 400 numbers a function: name, bits of x, bits of the nearest value, and what is left in
/// units in the last place. By mpmath, in 200 bits; the first 100 are the worst of millions.
const DOUBLES: &str = include_str!("double.txt");

#[test]
fn double_precision_keeps_its_bounds() {
    for isa in Isa::available() {
        for function in FUNCTIONS {
            let (name, bound) = (function.name, function.bounds[1]);
            let mut count = 0;
            for line in DOUBLES.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                if words[0] != name {
                    continue;
                }
                let bits = |word| u64::from_str_radix(word, 16).unwrap();
                let [x, nearest] = [words[1], words[2]].map(|word| f64::from_bits(bits(word)));
                let rest: f64 = words[3].parse().unwrap();
                let y = apply(isa, name, &[x])[0];
                let ulp = f64::from_bits(nearest.abs().to_bits() + 1) - nearest.abs();
                let error = ((y - nearest) / ulp - rest).abs();
                let what = format!("{} {name}({x:e}) = {y:e}", isa.name());
                assert!(error <= bound, "{what}: {error} ulp");
                count += 1;
            }
            assert!(count > 350, "{name}: {count}");
        }
    }
}

fn edges_are_exact<T: Element>(isa: Isa) {
    let (infinity, nan) = (f64::INFINITY, f64::NAN);
    let tiny = smallest::<T>();
    for (name, x, expected) in [
        ("exp", 0.0, 1.0),
        ("exp", tiny, 1.0),
        ("exp", infinity, infinity),
        ("exp", 1e4, infinity),
        ("exp", -infinity, 0.0),
        ("exp", -1e4, 0.0),
        ("exp_m1", 0.0, 0.0),
        ("exp_m1", -0.0, -0.0),
        ("exp_m1", tiny, tiny),
        ("exp_m1", -tiny, -tiny),
        ("exp_m1", infinity, infinity),
        ("exp_m1", -infinity, -1.0),
        ("exp_m1", -1e4, -1.0),
        ("log", 1.0, 0.0),
        ("log", 0.0, -infinity),
        ("log", -0.0, -infinity),
        ("log", -1.0, nan),
        ("log", -tiny, nan),
        ("log", -infinity, nan),
        ("log", infinity, infinity),
        ("log_1p", 0.0, 0.0),
        ("log_1p", -0.0, -0.0),
        ("log_1p", tiny, tiny),
        ("log_1p", -tiny, -tiny),
        ("log_1p", -1.0, -infinity),
        ("log_1p", -2.0, nan),
        ("log_1p", -infinity, nan),
        ("log_1p", infinity, infinity),
        ("tanh", 0.0, 0.0),
        ("tanh", -0.0, -0.0),
        ("tanh", tiny, tiny),
        ("tanh", -tiny, -tiny),
        ("tanh", infinity, 1.0),
        ("tanh", -infinity, -1.0),
        ("tanh", 30.0, 1.0),
        ("sigmoid", 0.0, 0.5),
        ("sigmoid", -0.0, 0.5),
        ("sigmoid", infinity, 1.0),
        ("sigmoid", 1e4, 1.0),
        ("sigmoid", -infinity, 0.0),
        ("sigmoid", -1e4, 0.0),
    ] {
        let y = apply(isa, name, &[T::from_f64(x)])[0].to_f64();
        let same = y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan();
        assert!(same, "{} {name}({x:e}) = {y:e}", isa.name());
    }
    for Function { name, .. } in FUNCTIONS {
        for y in apply(isa, name, &[T::NAN, -T::NAN]) {
            assert!(y.is_nan(), "{} {name}(NaN) = {y}", isa.name());
        }
    }
}

/// The smallest denormal number.
fn smallest<T: Element>() -> f64 {
    match T::DTYPE {
        DType::Float32 => f64::from(f32::from_bits(1)),
        DType::Float64 => f64::from_bits(1),
    }
}

#[test]
fn edges_have_their_values_and_signs() {
    for_all!(edges_are_exact);
}

/// Odd, and adding up to 1: what the formulas promise by their form.
fn sides_mirror_one_another<T: Element>(isa: Isa) {
    let x: Vec<T> = (0..2000)
        .map(|i| T::from_f64(f64::from(i) * 0.011))
        .collect();
    let minus: Vec<T> = x.iter().map(|x| -*x).collect();
    let pairs = |name| {
        apply(isa, name, &x)
            .into_iter()
            .zip(apply(isa, name, &minus))
    };
    assert!(pairs("tanh").all(|(plus, minus)| plus == -minus));
    assert!(pairs("sigmoid").all(|(plus, minus)| plus == T::ONE - minus));
}

#[test]
fn tanh_is_odd_and_the_sides_of_sigmoid_add_up_to_one() {
    for_all!(sides_mirror_one_another);
}
