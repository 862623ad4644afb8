//! The operations: each states its shape rule, its value and its derivative once.
//!
//! An op sees slices and shapes; it knows no graph. A forward rule writes every element of its
//! output; a backward rule fills the gradient of *one* input per call and *accumulates*, so that
//! `op(x, x)` needs no special case.
#![allow(clippy::inline_always)] // see `kernels::isa::Task`: what is not inlined misses the instruction set

use std::sync::Arc;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::machine::Function;
use crate::kernels::{Isa, Saved};
use crate::shape::Shape;

mod abs;
mod absolute_error;
mod add;
mod axis;
mod binary_cross_entropy;
mod broadcast;
mod clip;
mod concat;
mod concat_columns;
mod div;
mod dropout;
mod elementwise;
mod elu;
mod exp;
mod extremum;
mod form;
mod gelu;
mod hard_sigmoid;
mod huber;
mod layer_norm;
mod leaky_relu;
mod log;
mod log_softmax;
mod logsumexp;
mod matmul;
mod max;
mod maximum;
mod mean;
mod minimum;
mod mul;
mod neg;
mod pointwise_loss;
mod pow;
mod relu;
mod reshape;
mod scale;
mod select_columns;
mod select_rows;
mod shift;
mod sigmoid;
mod slice_columns;
mod slice_rows;
mod softmax;
mod softmax_cross_entropy;
mod softplus;
mod sqrt;
mod square;
mod squared_error;
mod sub;
mod sum;
mod tanh;
mod transpose;
mod where_;

pub use axis::Axis;
pub(crate) use elementwise::Elementwise;
pub use form::Form;

/// A matrix as an op sees it.
#[derive(Clone, Copy)]
pub struct Operand<'a, T> {
    /// rows x cols.
    pub shape: Shape,
    /// The elements, column by column.
    pub data: &'a [T],
}

/// What a backward rule may read.
#[derive(Clone, Copy)]
pub struct Pull<'a, T> {
    /// The operands of the forward rule.
    pub inputs: &'a [Operand<'a, T>],
    /// What the forward rule wrote.
    pub output: Operand<'a, T>,
    /// The derivative of the loss by the output.
    pub grad: &'a [T],
}

/// An operation. Attributes are fields; numbers of both element types go through the same rule.
pub(crate) trait Rule {
    /// The name in messages, tables, Python and the reference.
    const NAME: &'static str;

    /// The output's shape, or why operands or attributes are refused.
    fn shape(&self, inputs: &[Shape]) -> Result<Shape>;

    /// How a compiled step may treat it.
    fn form(&self) -> Form {
        Form::Mixes
    }

    /// The formula of an op of one number, for compiled steps, and what its derivative is written with.
    fn function<T: Element>(&self) -> Option<(Saved, Arc<dyn Function<T>>)> {
        None
    }

    /// Fails where an operand's numbers are out of their domain.
    fn check<T: Element>(&self, _inputs: &[Operand<'_, T>]) -> Result<()> {
        Ok(())
    }

    /// Writes the value into `out`.
    fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]);

    /// Adds to `into` the gradient of input `wrt`.
    fn backward<T: Element>(&self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T]);
}

/// Fails unless the op got as many operands as it takes.
fn expect_operands(op: &'static str, inputs: &[Shape], count: usize) -> Result<()> {
    if inputs.len() == count {
        return Ok(());
    }
    let message = format!("takes {count} matrices but {} came", inputs.len());
    Err(Error::argument(op, message))
}

/// Fails unless all shapes equal the first.
fn expect_equal(op: &'static str, inputs: &[Shape]) -> Result<Shape> {
    for shape in inputs {
        if *shape != inputs[0] {
            let message = format!(
                "operands must have one shape but are {} and {shape}",
                inputs[0]
            );
            return Err(Error::shape(op, message));
        }
    }
    Ok(inputs[0])
}

/// Fails unless start <= stop <= count.
fn expect_slice(
    op: &'static str,
    what: &str,
    start: usize,
    stop: usize,
    count: usize,
) -> Result<()> {
    if start <= stop && stop <= count {
        return Ok(());
    }
    let message = if stop > count {
        format!("stop must be at most {count}, the number of {what}, but is {stop}")
    } else {
        format!("start must be at most stop, {stop}, but is {start}")
    };
    Err(Error::out_of_range(op, message))
}

/// Fails unless every index is below the count.
fn expect_indices(op: &'static str, what: &str, indices: &[usize], count: usize) -> Result<()> {
    match indices.iter().find(|&&index| index >= count) {
        None => Ok(()),
        Some(index) => {
            let message = format!("index {index} is out of range for {count} {what}");
            Err(Error::out_of_range(op, message))
        }
    }
}

/// into += grad, as far as the shorter reaches.
fn accumulate<T: Element>(into: &mut [T], grad: &[T]) {
    for (into, &g) in into.iter_mut().zip(grad) {
        *into += g;
    }
}

/// Makes the enum of all ops, the list of their names and the recorder's methods.
///
/// A row reads `method: file::Type (operands) { attributes };`, with `[operands]` for any number.
macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident: $module:ident::$type:ident $operands:tt
       $({ $($attr:ident: $attr_type:ty),* })?;)*) => {
        $(pub use $module::$type;)*

        /// Any operation.
        #[derive(Clone, Debug)]
        pub enum Op { $($(#[$doc])* $type($type),)* }

        /// The names of all operations, in the order of the table.
        pub const NAMES: &[&str] = &[$(<$type as Rule>::NAME,)*];

        impl Op {
            /// The operation's name.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$type(_) => <$type as Rule>::NAME,)* }
            }

            /// The output's shape.
            ///
            /// # Errors
            /// Names the operand or attribute that is refused.
            pub fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
                match self { $(Self::$type(op) => op.shape(inputs),)* }
            }

            /// How a compiled step may treat it.
            pub fn form(&self) -> Form {
                match self { $(Self::$type(op) => Rule::form(op),)* }
            }

            /// The formula of an op of one number, and what its derivative is written with.
            pub fn function<T: Element>(&self) -> Option<(Saved, Arc<dyn Function<T>>)> {
                match self { $(Self::$type(op) => Rule::function(op),)* }
            }

            /// Fails where an operand's numbers are out of their domain.
            ///
            /// # Errors
            /// [`Error::Argument`] names the operand and the number.
            pub fn check<T: Element>(&self, inputs: &[Operand<'_, T>]) -> Result<()> {
                match self { $(Self::$type(op) => Rule::check(op, inputs),)* }
            }

            /// Writes the value into `out`, whose length is that of the output's shape.
            pub fn forward<T: Element>(&self, isa: Isa, inputs: &[Operand<'_, T>], out: &mut [T]) {
                match self { $(Self::$type(op) => op.forward(isa, inputs, out),)* }
            }

            /// Adds to `into` the gradient of input `wrt`.
            pub fn backward<T: Element>(
                &self, isa: Isa, wrt: usize, pull: Pull<'_, T>, into: &mut [T],
            ) {
                match self { $(Self::$type(op) => op.backward(isa, wrt, pull, into),)* }
            }
        }

        /// Something that can carry out, or write down, operations: a cell is written against it.
        pub trait Recorder {
            /// A matrix, or a symbol for one.
            type Var: Clone;

            /// Applies one operation.
            ///
            /// # Errors
            /// Names the operand or attribute that is refused.
            fn apply(&mut self, op: Op, inputs: &[&Self::Var]) -> Result<Self::Var>;

            $(ops!(@method $(#[$doc])* $name, $type, ($($($attr: $attr_type),*)?), $operands);)*
        }
    };
    (@method $(#[$doc:meta])* $name:ident, $type:ident,
     ($($attr:ident: $attr_type:ty),*), ($($operand:ident),+)) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// Names the operand or attribute that is refused.
        fn $name(&mut self, $($operand: &Self::Var,)+ $($attr: $attr_type),*) -> Result<Self::Var> {
            self.apply(Op::$type($type { $($attr),* }), &[$($operand),+])
        }
    };
    (@method $(#[$doc:meta])* $name:ident, $type:ident,
     ($($attr:ident: $attr_type:ty),*), [$operands:ident]) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// Names the operand or attribute that is refused.
        fn $name(&mut self, $operands: &[&Self::Var], $($attr: $attr_type),*) -> Result<Self::Var> {
            self.apply(Op::$type($type { $($attr),* }), $operands)
        }
    };
}

ops! {
    /// tanh(x).
    tanh: tanh::Tanh (m);
    /// 1 / (1 + e^-x).
    sigmoid: sigmoid::Sigmoid (m);
    /// max(x, 0).
    relu: relu::Relu (m) { slope_at_zero: f64 };
    /// -x.
    neg: neg::Neg (m);
    /// e^x.
    exp: exp::Exp (m);
    /// Natural logarithm.
    log: log::Log (m);
    /// Square root.
    sqrt: sqrt::Sqrt (m);
    /// x^2.
    square: square::Square (m);
    /// |x|.
    abs: abs::Abs (m);
    /// ln(1 + e^x).
    softplus: softplus::Softplus (m);
    /// x Phi(x), Phi the normal distribution function.
    gelu: gelu::Gelu (m);
    /// clip(x/6 + 1/2, 0, 1).
    hard_sigmoid: hard_sigmoid::HardSigmoid (m);
    /// factor x.
    scale: scale::Scale (m) { factor: f64 };
    /// x + amount.
    shift: shift::Shift (m) { amount: f64 };
    /// x^exponent.
    pow: pow::Pow (m) { exponent: f64 };
    /// min(max(x, low), high).
    clip: clip::Clip (m) { low: f64, high: f64 };
    /// x above 0, alpha (e^x - 1) below.
    elu: elu::Elu (m) { alpha: f64 };
    /// x above 0, slope x below.
    leaky_relu: leaky_relu::LeakyRelu (m) { slope: f64 };
    /// Zero with probability rate, else x / (1 - rate).
    dropout: dropout::Dropout (m) { rate: f64, seed: u64, step: u32 };
    /// Sum of any number of matrices, broadcasting, from left to right.
    add: add::Add [matrices];
    /// left - right, broadcasting.
    sub: sub::Sub (left, right);
    /// Elementwise product, broadcasting.
    mul: mul::Mul (left, right);
    /// left / right, broadcasting.
    div: div::Div (left, right);
    /// The larger of both.
    maximum: maximum::Maximum (left, right);
    /// The smaller of both.
    minimum: minimum::Minimum (left, right);
    /// `a` where the condition is not zero, else `b`.
    where_: where_::Where (condition, a, b);
    /// Matrix product.
    matmul: matmul::Matmul (left, right);
    /// The matrices below one another.
    concat: concat::Concat [matrices];
    /// The matrices beside one another.
    concat_columns: concat_columns::ConcatColumns [matrices];
    /// Rows start..stop.
    slice_rows: slice_rows::SliceRows (m) { start: usize, stop: usize };
    /// Columns start..stop.
    slice_columns: slice_columns::SliceColumns (m) { start: usize, stop: usize };
    /// The given rows, each as a column.
    select_rows: select_rows::SelectRows (m) { indices: std::sync::Arc<[usize]> };
    /// The given columns.
    select_columns: select_columns::SelectColumns (m) { indices: std::sync::Arc<[usize]> };
    /// The same elements, column by column, in another shape.
    reshape: reshape::Reshape (m) { rows: usize, cols: usize };
    /// Rows become columns.
    transpose: transpose::Transpose (m);
    /// Sum of all, of each column or of each row.
    sum: sum::Sum (m) { axis: Option<Axis> };
    /// Mean of all, of each column or of each row.
    mean: mean::Mean (m) { axis: Option<Axis> };
    /// Largest of each column or of each row.
    max: max::Max (m) { axis: Axis };
    /// ln sum e^x of each column.
    logsumexp: logsumexp::Logsumexp (m);
    /// e^x / sum e^x of each column.
    softmax: softmax::Softmax (m);
    /// x - ln sum e^x of each column.
    log_softmax: log_softmax::LogSoftmax (m);
    /// Each column to mean 0 and variance 1, then times gain plus bias.
    layer_norm: layer_norm::LayerNorm (m, gain, bias) { eps: f64 };
    /// Mean of -ln softmax(logits) at the target over the unmasked columns.
    softmax_cross_entropy: softmax_cross_entropy::SoftmaxCrossEntropy (logits) {
        targets: std::sync::Arc<[usize]>, mask: Option<std::sync::Arc<[bool]>>
    };
    /// Mean of (prediction - target)^2.
    squared_error: squared_error::SquaredError (prediction, target);
    /// Mean of |prediction - target|.
    absolute_error: absolute_error::AbsoluteError (prediction, target);
    /// Mean of Huber's loss.
    huber: huber::Huber (prediction, target) { delta: f64 };
    /// Mean of ln(1 + e^x) - target x over logits x.
    binary_cross_entropy: binary_cross_entropy::BinaryCrossEntropy (logits, target);
}
