//! Arithmetic over registers: what one instruction does to every number of its operands.

use std::sync::Arc;

use super::function::{Function, Use};
use crate::element::Element;
use crate::element::simd::{Simd, Vector};
use crate::kernels::isa::{Isa, Task};

/// What is done to numbers of up to four operands at the same place. No product is fused with a sum:
/// an instruction has the bits of the simple ones it stands for.
#[derive(Clone)]
pub enum Lanes<T> {
    /// 0.
    Zero,
    /// a.
    Copy,
    /// a + b.
    Add,
    /// a - b.
    Sub,
    /// a b.
    Mul,
    /// c + a b.
    AddMul,
    /// c - a b.
    SubMul,
    /// a b + c d.
    MulMul,
    /// -a.
    Neg,
    /// factor a.
    Scale(T),
    /// a + amount.
    Shift(T),
    /// amount - a.
    From(T),
    /// A formula or its slope.
    Function(Arc<dyn Function<T>>, Use),
}

impl<T> Lanes<T> {
    /// How many operands it reads.
    pub fn arity(&self) -> usize {
        match self {
            Self::Zero => 0,
            Self::Copy | Self::Neg | Self::Scale(_) | Self::Shift(_) | Self::From(_) => 1,
            Self::Add | Self::Sub | Self::Mul => 2,
            Self::AddMul | Self::SubMul => 3,
            Self::MulMul => 4,
            Self::Function(_, of) => of.arity(),
        }
    }
}

/// A function of N numbers, in registers. (A trait, not a closure: its method is inlined for certain,
/// and so compiled for the instruction set of the loop around it.)
pub(super) trait Of<const N: usize> {
    fn of<V: Vector>(&self, x: [V; N]) -> V;
}

/// `out[i] = f(inputs[0][i], ...)`, the loop around all of them. The tail goes through the same
/// registers, so that a number's bits do not depend on where it stands.
///
/// # Safety
/// Every input and `out` hold `len` numbers that nobody else writes; `out` may be one of the inputs, but
/// may not overlap one otherwise.
#[inline(always)]
pub(super) unsafe fn each<S: Simd, T: Element, const N: usize>(
    f: &impl Of<N>,
    inputs: [*const T; N],
    out: *mut T,
    len: usize,
) {
    let lanes = T::Vector::<S>::LANES;
    let mut i = 0;
    while i + 2 * lanes <= len {
        // SAFETY: both registers lie within `len`, by the caller's promise.
        unsafe {
            let (a, b) = (
                load::<S, T, N>(inputs, i),
                load::<S, T, N>(inputs, i + lanes),
            );
            let (a, b) = (f.of(a), f.of(b));
            a.store(std::slice::from_raw_parts_mut(out.add(i), lanes));
            b.store(std::slice::from_raw_parts_mut(out.add(i + lanes), lanes));
        }
        i += 2 * lanes;
    }
    while i < len {
        let count = lanes.min(len - i);
        // SAFETY: `count` numbers from `i` on lie within `len`, by the caller's promise.
        unsafe {
            if count == lanes {
                let y = f.of(load::<S, T, N>(inputs, i));
                y.store(std::slice::from_raw_parts_mut(out.add(i), lanes));
            } else {
                let y = f.of(load_first::<S, T, N>(inputs, i, count));
                y.store_first(std::slice::from_raw_parts_mut(out.add(i), count));
            }
        }
        i += count;
    }
}

/// A register of each input. (Loops, not closures: those are not inlined for certain.)
#[inline(always)]
unsafe fn load<S: Simd, T: Element, const N: usize>(
    inputs: [*const T; N],
    i: usize,
) -> [T::Vector<S>; N] {
    let mut registers = [T::Vector::<S>::splat(T::ZERO); N];
    for (register, input) in registers.iter_mut().zip(inputs) {
        // SAFETY: as many numbers are there, by the caller's promise.
        let from = unsafe { std::slice::from_raw_parts(input.add(i), T::Vector::<S>::LANES) };
        *register = T::Vector::<S>::load(from);
    }
    registers
}

/// The first lanes of a register of each input.
#[inline(always)]
unsafe fn load_first<S: Simd, T: Element, const N: usize>(
    inputs: [*const T; N],
    i: usize,
    count: usize,
) -> [T::Vector<S>; N] {
    let mut registers = [T::Vector::<S>::splat(T::ZERO); N];
    for (register, input) in registers.iter_mut().zip(inputs) {
        // SAFETY: as many numbers are there, by the caller's promise.
        let from = unsafe { std::slice::from_raw_parts(input.add(i), count) };
        *register = T::Vector::<S>::load_first(from);
    }
    registers
}

macro_rules! forms {
    ($($name:ident |$x:pat_param| $value:expr, $n:literal;)*) => {$(
        struct $name;
        impl Of<$n> for $name {
            #[inline(always)]
            fn of<V: Vector>(&self, $x: [V; $n]) -> V {
                $value
            }
        }
    )*};
}

forms! {
    Copy |[a]| a, 1;
    Neg |[a]| -a, 1;
    Add |[a, b]| a + b, 2;
    Sub |[a, b]| a - b, 2;
    Mul |[a, b]| a * b, 2;
    AddMul |[a, b, c]| c + a * b, 3;
    SubMul |[a, b, c]| c - a * b, 3;
    MulMul |[a, b, c, d]| a * b + c * d, 4;
}

/// With a constant.
struct Affine<T>(T);
struct Shifted<T>(T);
struct Subtracted<T>(T);

macro_rules! constants {
    ($($name:ident |$a:ident, $c:ident| $value:expr;)*) => {$(
        impl<T: Element> Of<1> for $name<T> {
            #[inline(always)]
            fn of<V: Vector>(&self, [$a]: [V; 1]) -> V {
                let $c = V::number(self.0.to_f64());
                $value
            }
        }
    )*};
}

constants! {
    Affine |a, factor| factor * a;
    Shifted |a, amount| a + amount;
    Subtracted |a, amount| amount - a;
}

/// One instruction on `len` numbers.
pub(super) struct Apply<'a, T> {
    pub(super) lanes: &'a Lanes<T>,
    pub(super) inputs: [*const T; 4],
    pub(super) out: *mut T,
    pub(super) len: usize,
}

impl<T: Element> Task for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self {
            lanes,
            inputs: [a, b, c, d],
            out,
            len,
        } = self;
        // SAFETY: who makes an `Apply` promises what `each` asks for, for as many operands as the
        // instruction reads.
        unsafe {
            match lanes {
                Lanes::Zero => std::slice::from_raw_parts_mut(out, len).fill(T::ZERO),
                Lanes::Copy => each::<S, T, 1>(&Copy, [a], out, len),
                Lanes::Neg => each::<S, T, 1>(&Neg, [a], out, len),
                Lanes::Add => each::<S, T, 2>(&Add, [a, b], out, len),
                Lanes::Sub => each::<S, T, 2>(&Sub, [a, b], out, len),
                Lanes::Mul => each::<S, T, 2>(&Mul, [a, b], out, len),
                Lanes::AddMul => each::<S, T, 3>(&AddMul, [a, b, c], out, len),
                Lanes::SubMul => each::<S, T, 3>(&SubMul, [a, b, c], out, len),
                Lanes::MulMul => each::<S, T, 4>(&MulMul, [a, b, c, d], out, len),
                Lanes::Scale(x) => each::<S, T, 1>(&Affine(*x), [a], out, len),
                Lanes::Shift(x) => each::<S, T, 1>(&Shifted(*x), [a], out, len),
                Lanes::From(x) => each::<S, T, 1>(&Subtracted(*x), [a], out, len),
                Lanes::Function(..) => {}
            }
        }
    }
}

impl<T: Element> Lanes<T> {
    /// Does it to `len` numbers.
    ///
    /// # Safety
    /// As [`each`] asks, for the first [`Lanes::arity`] inputs.
    #[inline]
    pub(super) unsafe fn apply(&self, isa: Isa, inputs: [*const T; 4], out: *mut T, len: usize) {
        if let Self::Function(function, of) = self {
            // SAFETY: passed on.
            return unsafe { function.apply(isa, *of, inputs, out, len) };
        }
        isa.run(Apply {
            lanes: self,
            inputs,
            out,
            len,
        });
    }
}
