//! Formulas of one number as instructions, with what is often done right before or after.

use super::lanes::{Of, each};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::formula::Formula;
use crate::kernels::isa::{Isa, Task};

/// How an instruction uses a formula f.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// f(a).
    Value,
    /// f(a + b).
    OfSum,
    /// a f'(b), where b is what the formula's derivative is written with.
    Slope,
    /// (a b) f'(c).
    ProductSlope,
    /// d + (a b) f'(c).
    AddProductSlope,
}

impl Use {
    /// How many operands it reads.
    pub fn arity(self) -> usize {
        match self {
            Self::Value => 1,
            Self::OfSum | Self::Slope => 2,
            Self::ProductSlope => 3,
            Self::AddProductSlope => 4,
        }
    }
}

/// A formula behind a pointer, so that code can hold any.
pub trait Function<T>: Send + Sync {
    /// Applies it to `len` numbers of each operand.
    ///
    /// # Safety
    /// The first [`Use::arity`] inputs and `out` hold `len` numbers that nobody else writes; `out` may be
    /// one of the inputs, but may not overlap one otherwise.
    unsafe fn apply(&self, isa: Isa, of: Use, inputs: [*const T; 4], out: *mut T, len: usize);
}

impl<T: Element, F: Formula> Function<T> for F {
    unsafe fn apply(&self, isa: Isa, of: Use, inputs: [*const T; 4], out: *mut T, len: usize) {
        let formula = self;
        isa.run(Apply {
            formula,
            of,
            inputs,
            out,
            len,
        });
    }
}

struct Apply<'a, F, T> {
    formula: &'a F,
    of: Use,
    inputs: [*const T; 4],
    out: *mut T,
    len: usize,
}

impl<F: Formula, T: Element> Task for Apply<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self {
            formula: f,
            of,
            inputs: [a, b, c, d],
            out,
            len,
        } = self;
        // SAFETY: promised by who called `Function::apply`.
        unsafe {
            match of {
                Use::Value => each::<S, T, 1>(&Value(f), [a], out, len),
                Use::OfSum => each::<S, T, 2>(&OfSum(f), [a, b], out, len),
                Use::Slope => each::<S, T, 2>(&Slope(f), [a, b], out, len),
                Use::ProductSlope => each::<S, T, 3>(&ProductSlope(f), [a, b, c], out, len),
                Use::AddProductSlope => {
                    each::<S, T, 4>(&AddProductSlope(f), [a, b, c, d], out, len);
                }
            }
        }
    }
}

macro_rules! uses {
    ($($name:ident |$f:ident, $x:pat_param| $value:expr, $n:literal;)*) => {$(
        struct $name<'a, F>(&'a F);
        impl<F: Formula> Of<$n> for $name<'_, F> {
            #[inline(always)]
            fn of<V: Vector>(&self, $x: [V; $n]) -> V {
                let $f = self.0;
                $value
            }
        }
    )*};
}

uses! {
    Value |f, [a]| f.value(a), 1;
    OfSum |f, [a, b]| f.value(a + b), 2;
    Slope |f, [a, b]| a * f.derivative(b), 2;
    ProductSlope |f, [a, b, c]| (a * b) * f.derivative(c), 3;
    AddProductSlope |f, [a, b, c, d]| d + (a * b) * f.derivative(c), 4;
}
