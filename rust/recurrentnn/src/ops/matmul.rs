use super::{Form, Operand, Pull, Rule, expect_operands};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::{Isa, Product, gemm};
use crate::shape::Shape;

/// Y = A B; the gradient of A is G B', that of B is A' G.
#[derive(Clone, Copy, Debug)]
pub struct Matmul {}

impl Rule for Matmul {
    const NAME: &'static str = "matmul";

    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        expect_operands(Self::NAME, inputs, 2)?;
        let (left, right) = (inputs[0], inputs[1]);
        if left.cols == right.rows {
            return Ok(Shape::new(left.rows, right.cols));
        }
        let message = format!("left is {left} but right has {} rows", right.rows);
        Err(Error::shape(Self::NAME, message))
    }

    fn form(&self) -> Form {
        Form::Product
    }

    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
        let (left, right) = (inputs[0], inputs[1]);
        let (m, n, k) = (left.shape.rows, right.shape.cols, left.shape.cols);
        out.fill(T::ZERO);
        gemm(isa, Product::Plain, m, n, k, left.data, right.data, out);
    }

    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]) {
        let (left, right) = (pull.inputs[0], pull.inputs[1]);
        let (m, n, k) = (left.shape.rows, right.shape.cols, left.shape.cols);
        if wrt == 0 {
            gemm(
                isa,
                Product::TransposedRight,
                m,
                k,
                n,
                pull.grad,
                right.data,
                into,
            );
        } else {
            gemm(
                isa,
                Product::TransposedLeft,
                k,
                n,
                m,
                left.data,
                pull.grad,
                into,
            );
        }
    }
}
