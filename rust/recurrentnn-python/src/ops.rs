//! The ops as methods: on `Graph` with all operands, on `Matrix` and `Symbol` with itself as the first. One row
//! an op; what a row does not state, the core decides.

use pyo3::prelude::*;
use recurrentnn::ops::{self as core, Axis, Op};

use crate::argument::{self, Given};
use crate::error::raise;
use crate::graph::{self, PyGraph};
use crate::matrix::PyMatrix;
use crate::symbol::{self, PySymbol};

/// A row: `method (first, others) Type { attribute: kind = default } "text signatures"`; the text
/// signatures, of Graph and of the others, only where a default is not None.
macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident ($first:ident $(, $operand:ident)*) $type:ident
       { $($attr:ident: $kind:ident<$attr_type:ty> $(= $default:expr)?),* }
       $($graph_text:literal $matrix_text:literal)?;)*) => {
        #[pymethods]
        impl PyGraph {
            $($(#[$doc])*
            #[pyo3(signature = ($first $(, $operand)* $(, $attr $(= Given::Default($default))?)*))]
            $(#[pyo3(text_signature = $graph_text)])?
            fn $name(
                &self,
                $first: &Bound<'_, PyAny>,
                $($operand: &Bound<'_, PyAny>,)*
                $($attr: Given<'_, $attr_type>),*
            ) -> PyResult<PyMatrix> {
                let op = Op::$type(core::$type {
                    $($attr: $attr.get(stringify!($name), stringify!($attr), argument::$kind)?),*
                });
                self.apply(op, &[$first $(, $operand)*])
            })*
        }

        #[pymethods]
        impl PyMatrix {
            $($(#[$doc])*
            #[pyo3(signature = ($($operand,)* $($attr $(= Given::Default($default))?),*))]
            $(#[pyo3(text_signature = $matrix_text)])?
            fn $name(
                slf: &Bound<'_, Self>,
                $($operand: &Bound<'_, PyAny>,)*
                $($attr: Given<'_, $attr_type>),*
            ) -> PyResult<PyMatrix> {
                let op = Op::$type(core::$type {
                    $($attr: $attr.get(stringify!($name), stringify!($attr), argument::$kind)?),*
                });
                graph::apply(op, &[slf.as_any() $(, $operand)*])
            })*
        }

        #[pymethods]
        impl PySymbol {
            $($(#[$doc])*
            #[pyo3(signature = ($($operand,)* $($attr $(= Given::Default($default))?),*))]
            $(#[pyo3(text_signature = $matrix_text)])?
            fn $name(
                slf: &Bound<'_, Self>,
                $($operand: &Bound<'_, PyAny>,)*
                $($attr: Given<'_, $attr_type>),*
            ) -> PyResult<PySymbol> {
                let op = Op::$type(core::$type {
                    $($attr: $attr.get(stringify!($name), stringify!($attr), argument::$kind)?),*
                });
                symbol::apply(op, &[slf.as_any() $(, $operand)*])
            })*
        }
    };
}

ops! {
    /// tanh(x).
    tanh (matrix) Tanh {};
    /// 1 / (1 + e^-x).
    sigmoid (matrix) Sigmoid {};
    /// max(x, 0); the derivative at exactly 0 is `slope_at_zero`.
    relu (matrix) Relu { slope_at_zero: number<f64> = 0.0 }
        "($self, matrix, slope_at_zero=0.0)" "($self, slope_at_zero=0.0)";
    /// -x.
    neg (matrix) Neg {};
    /// e^x.
    exp (matrix) Exp {};
    /// Natural logarithm.
    log (matrix) Log {};
    /// Square root.
    sqrt (matrix) Sqrt {};
    /// x^2.
    square (matrix) Square {};
    /// |x|; the derivative at 0 is 0.
    abs (matrix) Abs {};
    /// ln(1 + e^x).
    softplus (matrix) Softplus {};
    /// x Phi(x), Phi the normal distribution function (exact).
    gelu (matrix) Gelu {};
    /// clip(x/6 + 1/2, 0, 1), as PyTorch.
    hard_sigmoid (matrix) HardSigmoid {};
    /// factor x.
    scale (matrix) Scale { factor: number<f64> };
    /// x + amount.
    shift (matrix) Shift { amount: number<f64> };
    /// x^exponent.
    pow (matrix) Pow { exponent: number<f64> };
    /// min(max(x, low), high); the derivative is 1 at both ends.
    clip (matrix) Clip { low: number<f64>, high: number<f64> };
    /// x above 0, alpha (e^x - 1) below.
    elu (matrix) Elu { alpha: number<f64> = 1.0 }
        "($self, matrix, alpha=1.0)" "($self, alpha=1.0)";
    /// x above 0, slope x below.
    leaky_relu (matrix) LeakyRelu { slope: number<f64> = 0.01 }
        "($self, matrix, slope=0.01)" "($self, slope=0.01)";
    /// 0 with probability rate in [0, 1), else x / (1 - rate); the mask follows from seed and step.
    dropout (matrix) Dropout { rate: number<f64>, seed: seed<u64>, step: step<u32> = 0 }
        "($self, matrix, rate, seed, step=0)" "($self, rate, seed, step=0)";
    /// left - right; columns, rows and 1x1 broadcast.
    sub (left, right) Sub {};
    /// Elementwise product; columns, rows and 1x1 broadcast.
    mul (left, right) Mul {};
    /// left / right; columns, rows and 1x1 broadcast.
    div (left, right) Div {};
    /// The larger of both; at ties the gradient is halved between them, as in PyTorch.
    maximum (left, right) Maximum {};
    /// The smaller of both; at ties the gradient is halved between them, as in PyTorch.
    minimum (left, right) Minimum {};
    /// Matrix product.
    matmul (left, right) Matmul {};
    /// Rows start to stop, without stop.
    slice_rows (matrix) SliceRows { start: index<usize>, stop: index<usize> };
    /// Columns start to stop, without stop.
    slice_columns (matrix) SliceColumns { start: index<usize>, stop: index<usize> };
    /// The rows of these indices, each as a column, (cols, len(indices)): an embedding's look-up.
    select_rows (matrix) SelectRows { indices: index_list<std::sync::Arc<[usize]>> };
    /// The columns of these indices, (rows, len(indices)).
    select_columns (matrix) SelectColumns { indices: index_list<std::sync::Arc<[usize]>> };
    /// The same elements, in column-major order, as (rows, cols).
    reshape (matrix) Reshape { rows: count<usize>, cols: count<usize> };
    /// (rows, cols) to (cols, rows).
    transpose (matrix) Transpose {};
    /// Sum: of all, 1x1; over the rows (axis=0), 1 x cols; over the columns (axis=1), rows x 1.
    sum (matrix) Sum { axis: maybe_axis<Option<Axis>> = None }
        "($self, matrix, axis=None)" "($self, axis=None)";
    /// Mean: of all, 1x1; over the rows (axis=0), 1 x cols; over the columns (axis=1), rows x 1.
    mean (matrix) Mean { axis: maybe_axis<Option<Axis>> = None }
        "($self, matrix, axis=None)" "($self, axis=None)";
    /// Maximum over the rows (axis=0) or the columns (axis=1); the gradient goes to the first.
    max (matrix) Max { axis: axis<Axis> };
    /// ln sum e^x of each column, 1 x cols.
    logsumexp (matrix) Logsumexp {};
    /// e^x / sum e^x of each column.
    softmax (matrix) Softmax {};
    /// x - ln sum e^x of each column.
    log_softmax (matrix) LogSoftmax {};
    /// Each column to mean 0 and variance 1, times gain plus bias, both rows x 1.
    layer_norm (matrix, gain, bias) LayerNorm { eps: number<f64> = 1e-5 }
        "($self, matrix, gain, bias, eps=1e-05)" "($self, gain, bias, eps=1e-05)";
    /// Mean of (prediction - target)^2 over all elements, 1x1.
    squared_error (prediction, target) SquaredError {};
    /// Mean of |prediction - target| over all elements, 1x1.
    absolute_error (prediction, target) AbsoluteError {};
    /// Mean of Huber's loss over all elements, 1x1: a parabola up to delta, a line beyond.
    huber (prediction, target) Huber { delta: number<f64> = 1.0 }
        "($self, prediction, target, delta=1.0)" "($self, target, delta=1.0)";
    /// Mean of -t ln y - (1-t) ln(1-y), y = sigmoid(logits), 1x1: PyTorch's
    /// binary_cross_entropy_with_logits.
    binary_cross_entropy (logits, target) BinaryCrossEntropy {};
}

/// Targets, one per column of the logits, and a mask of the same shape; beside a sequence output of
/// (batch, time) both may have that shape.
fn cross_entropy(
    logits: &Bound<'_, PyAny>,
    targets: &Bound<'_, PyAny>,
    mask: Option<&Bound<'_, PyAny>>,
) -> PyResult<Op> {
    let op = "softmax_cross_entropy";
    let mask = mask.filter(|mask| !mask.is_none());
    let mask = mask
        .map(|mask| argument::mask(op, "mask", mask))
        .transpose()?;
    let (mask, mask_shape) = mask.unzip();
    let (targets, shape) = argument::targets(op, "targets", targets, mask.as_deref())?;
    let sequence = logits
        .cast::<PyMatrix>()
        .ok()
        .and_then(|matrix| matrix.get().sequence);
    let wrong_layout = match (sequence, &shape[..]) {
        (Some((batch, time)), [rows, cols]) => (batch, time) != (*rows, *cols),
        _ => shape.len() > 2,
    };
    if wrong_layout {
        let expected = sequence.map_or("one per column".to_owned(), |(batch, time)| {
            format!("({batch}, {time}), as the sequence")
        });
        let message = format!("{op}: targets must be {expected}, but have shape {shape:?}");
        return Err(raise("ShapeError", message));
    }
    if let Some(mask_shape) = mask_shape.filter(|mask_shape| *mask_shape != shape) {
        let message = format!("{op}: mask has shape {mask_shape:?} but targets have {shape:?}");
        return Err(raise("ShapeError", message));
    }
    Ok(Op::SoftmaxCrossEntropy(core::SoftmaxCrossEntropy {
        targets: targets.into(),
        mask: mask.map(Into::into),
    }))
}

#[pymethods]
impl PyGraph {
    /// Sum of any number of matrices, from left to right; columns, rows and 1x1 broadcast.
    #[pyo3(signature = (*matrices))]
    fn add(&self, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<PyMatrix> {
        self.apply(Op::Add(core::Add {}), &matrices.iter().collect::<Vec<_>>())
    }

    /// The matrices below one another.
    #[pyo3(signature = (*matrices))]
    fn concat(&self, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<PyMatrix> {
        self.apply(
            Op::Concat(core::Concat {}),
            &matrices.iter().collect::<Vec<_>>(),
        )
    }

    /// The matrices beside one another.
    #[pyo3(signature = (*matrices))]
    fn concat_columns(&self, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<PyMatrix> {
        self.apply(
            Op::ConcatColumns(core::ConcatColumns {}),
            &matrices.iter().collect::<Vec<_>>(),
        )
    }

    /// `a` where the condition is not zero, else `b`; all of one shape.
    fn r#where(
        &self,
        condition: &Bound<'_, PyAny>,
        a: &Bound<'_, PyAny>,
        b: &Bound<'_, PyAny>,
    ) -> PyResult<PyMatrix> {
        self.apply(Op::Where(core::Where {}), &[condition, a, b])
    }

    /// Mean over the unmasked columns of -ln softmax(logits)[target], in nats, 1x1.
    ///
    /// Parameters
    /// ----------
    /// logits
    ///     (symbols, columns).
    /// targets
    ///     The right symbol of each column; for a sequence output also (batch, time).
    /// mask
    ///     0 or False for columns that do not count.
    #[pyo3(signature = (logits, targets, mask = None))]
    fn softmax_cross_entropy(
        &self,
        logits: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        mask: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyMatrix> {
        self.apply(cross_entropy(logits, targets, mask)?, &[logits])
    }
}

#[pymethods]
impl PyMatrix {
    /// Sum with any number of matrices, from left to right; columns, rows and 1x1 broadcast.
    #[pyo3(signature = (*matrices))]
    fn add(slf: &Bound<'_, Self>, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<PyMatrix> {
        let all: Vec<_> = std::iter::once(slf.as_any()).chain(&matrices).collect();
        graph::apply(Op::Add(core::Add {}), &all)
    }

    /// Mean over the unmasked columns of -ln softmax(self)[target], in nats, 1x1.
    #[pyo3(signature = (targets, mask = None))]
    fn softmax_cross_entropy(
        slf: &Bound<'_, Self>,
        targets: &Bound<'_, PyAny>,
        mask: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyMatrix> {
        graph::apply(cross_entropy(slf, targets, mask)?, &[slf.as_any()])
    }

    /// The transpose.
    #[getter(T)]
    fn transposed(slf: &Bound<'_, Self>) -> PyResult<PyMatrix> {
        graph::apply(Op::Transpose(core::Transpose {}), &[slf.as_any()])
    }

    fn __neg__(slf: &Bound<'_, Self>) -> PyResult<PyMatrix> {
        graph::apply(Op::Neg(core::Neg {}), &[slf.as_any()])
    }

    fn __pow__(
        slf: &Bound<'_, Self>,
        exponent: &Bound<'_, PyAny>,
        modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyMatrix> {
        if let Some(modulo) = modulo {
            return Err(crate::error::wrong_type("pow", "modulo", "None", modulo));
        }
        let exponent = argument::number("pow", "exponent", exponent)?;
        graph::apply(Op::Pow(core::Pow { exponent }), &[slf.as_any()])
    }
}

/// The operators of two operands, from either side. Written out: in a macro's expansion PyO3's
/// slots do not compile.
#[pymethods]
impl PyMatrix {
    fn __add__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Add(core::Add {}), &[slf.as_any(), other])
    }

    fn __radd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Add(core::Add {}), &[other, slf.as_any()])
    }

    fn __sub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Sub(core::Sub {}), &[slf.as_any(), other])
    }

    fn __rsub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Sub(core::Sub {}), &[other, slf.as_any()])
    }

    fn __mul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Mul(core::Mul {}), &[slf.as_any(), other])
    }

    fn __rmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Mul(core::Mul {}), &[other, slf.as_any()])
    }

    fn __truediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Div(core::Div {}), &[slf.as_any(), other])
    }

    fn __rtruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Div(core::Div {}), &[other, slf.as_any()])
    }

    fn __matmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Matmul(core::Matmul {}), &[slf.as_any(), other])
    }

    fn __rmatmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<PyMatrix> {
        graph::apply(Op::Matmul(core::Matmul {}), &[other, slf.as_any()])
    }
}

/// `a` where the condition is not zero, else `b`, all of one shape: in the thread's recording graph, or
/// outside any.
#[pyfunction]
pub(crate) fn choose(
    condition: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
) -> PyResult<PyMatrix> {
    graph::apply(Op::Where(core::Where {}), &[condition, a, b])
}
