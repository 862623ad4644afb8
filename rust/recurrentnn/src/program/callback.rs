//! Ops as a machine calls them: on windows of whole columns.

use smallvec::SmallVec;

use crate::element::Element;
use crate::kernels::machine::Callback;
use crate::kernels::{Isa, Product, gemm};
use crate::ops::{Op, Operand, Pull};
use crate::shape::Shape;

/// Shape of an operand: one column a sample, or fixed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Window {
    Rows(usize),
    Fixed(Shape),
}

impl Window {
    pub(super) fn shape(self, columns: usize) -> Shape {
        match self {
            Self::Rows(rows) => Shape::new(rows, columns),
            Self::Fixed(shape) => shape,
        }
    }
}

fn operands<'a, T>(
    windows: &[Window],
    inputs: &[&'a [T]],
    columns: usize,
) -> SmallVec<[Operand<'a, T>; 8]> {
    let pair = |(window, data): (&Window, &&'a [T])| Operand {
        shape: window.shape(columns),
        data,
    };
    windows.iter().zip(inputs).map(pair).collect()
}

/// The value of an op.
pub(super) struct Forward {
    pub(super) op: Op,
    pub(super) windows: Vec<Window>,
}

impl<T: Element> Callback<T> for Forward {
    fn call(&self, isa: Isa, inputs: &[&[T]], columns: usize, out: &mut [T]) {
        let operands = operands(&self.windows, inputs, columns);
        self.op.forward(isa, &operands, out);
    }
}

/// What one operand gets of an op's gradient: reads the operands, the value and its gradient.
pub(super) struct Backward {
    pub(super) op: Op,
    pub(super) wrt: usize,
    /// Of the operands, the value, and the gradient.
    pub(super) windows: Vec<Window>,
}

impl Backward {
    /// Adds it to `into`.
    pub(super) fn add<T: Element>(
        &self,
        isa: Isa,
        inputs: &[&[T]],
        columns: usize,
        into: &mut [T],
    ) {
        let all = operands(&self.windows, inputs, columns);
        if let [inputs @ .., output, grad] = &all[..] {
            let pull = Pull {
                inputs,
                output: *output,
                grad: grad.data,
            };
            self.op.backward(isa, self.wrt, pull, into);
        }
    }
}

impl<T: Element> Callback<T> for Backward {
    fn call(&self, isa: Isa, inputs: &[&[T]], columns: usize, out: &mut [T]) {
        out.fill(T::ZERO);
        self.add(isa, inputs, columns, out);
    }
}

/// A product with a weight that is not packed: reads the weight, the operand and perhaps a column.
pub(super) struct Unpacked {
    pub(super) transposed: bool,
    /// Whether the product is added to what is there.
    pub(super) keep: bool,
}

impl<T: Element> Callback<T> for Unpacked {
    fn call(&self, isa: Isa, inputs: &[&[T]], columns: usize, out: &mut [T]) {
        let (weight, of) = (inputs[0], inputs[1]);
        let (m, k) = (out.len() / columns, of.len() / columns);
        match inputs.get(2) {
            Some(column) => out
                .chunks_exact_mut(m)
                .for_each(|out| out.copy_from_slice(column)),
            None if self.keep => {}
            None => out.fill(T::ZERO),
        }
        let product = if self.transposed {
            Product::TransposedLeft
        } else {
            Product::Plain
        };
        gemm(isa, product, m, columns, k, weight, of, out);
    }
}
