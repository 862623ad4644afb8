//! The class `Symbol`: a matrix that has no numbers yet, inside the step of a cell of one's own. Ops
//! are written down by the layer's sketch.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyBool, PyFloat, PyInt};
use recurrentnn::cells::Sketch;
use recurrentnn::error::{Error, Result};
use recurrentnn::ops::{self as core, Op, Recorder};
use recurrentnn::program::{Columns, Symbol};

use crate::argument;
use crate::error::{guard, raise};

/// The sketch of a layer while its step is written; empty afterwards.
pub(crate) type Shared = Arc<Mutex<Option<Sketch>>>;

/// A matrix without numbers: what the step of a `recurrentnn.Cell` computes with.
///
/// It has the ops of `Matrix` as methods and operators, with numbers on either side. A step is
/// recorded once a layer and then run by the engine, so a symbol has no value to look at: choose with
/// `where`, `maximum`, `minimum`, `clip` or `relu` instead of `if`.
#[pyclass(frozen, name = "Symbol", module = "recurrentnn")]
pub(crate) struct PySymbol {
    sketch: Shared,
    pub(crate) inner: Symbol,
}

impl PySymbol {
    pub(crate) fn new(sketch: &Shared, inner: Symbol) -> Self {
        let sketch = Arc::clone(sketch);
        Self { sketch, inner }
    }

    fn record(&self, op: impl FnOnce(&mut Sketch) -> Result<Symbol>) -> PyResult<Self> {
        let mut sketch = self.sketch.lock().unwrap_or_else(PoisonError::into_inner);
        let over = || {
            Error::graph(
                "step",
                "was recorded before: a symbol is of no use after it",
            )
        };
        let symbol = guard(|| op(sketch.as_mut().ok_or_else(over)?))?;
        Ok(Self::new(&self.sketch, symbol))
    }
}

/// One operand of an op in a step.
enum Term<'py> {
    Symbol(Bound<'py, PySymbol>),
    Number(f64),
}

impl<'py> Term<'py> {
    fn new(op: &str, operand: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(symbol) = operand.cast::<PySymbol>() {
            return Ok(Self::Symbol(symbol.clone()));
        }
        // NumPy's scalars are neither, but float64 is a float.
        let number = operand.is_instance_of::<PyFloat>() || operand.is_instance_of::<PyInt>();
        if number && !operand.is_instance_of::<PyBool>() {
            return argument::number(op, "operand", operand).map(Self::Number);
        }
        let kind = operand.get_type().name()?.to_string();
        let message = format!(
            "{op}: an operand in a step must be a Symbol or a number but is {kind}: a step is recorded \
             before there are numbers; register what it reads as a parameter in build"
        );
        Err(raise("ArgumentTypeError", message))
    }
}

/// Records an op on operands of which at least one is a symbol. Numbers go where a compiled step has
/// them: into scale and shift.
pub(crate) fn apply(op: Op, operands: &[&Bound<'_, PyAny>]) -> PyResult<PySymbol> {
    let name = op.name();
    let terms = operands.iter().map(|operand| Term::new(name, operand));
    let terms = terms.collect::<PyResult<Vec<_>>>()?;
    let symbols = terms.iter().filter_map(|term| match term {
        Term::Symbol(symbol) => Some(symbol.get()),
        Term::Number(_) => None,
    });
    let symbols: Vec<_> = symbols.collect();
    let Some(first) = symbols.first() else {
        let message = format!("{name}: takes at least one Symbol but none came");
        return Err(raise("ArgumentTypeError", message));
    };
    let inner: Vec<_> = symbols.iter().map(|symbol| &symbol.inner).collect();
    first.record(|sketch| match (&op, &terms[..]) {
        _ if inner.len() == terms.len() => sketch.apply(op, &inner),
        (Op::Add(_), _) => {
            let numbers = terms.iter().filter_map(|term| match term {
                Term::Number(x) => Some(x),
                Term::Symbol(_) => None,
            });
            let amount = numbers.sum();
            if let [one] = inner[..] {
                return sketch.shift(one, amount);
            }
            let sum = sketch.add(&inner)?;
            sketch.shift(&sum, amount)
        }
        (Op::Sub(_), [_, Term::Number(x)]) => sketch.shift(inner[0], -x),
        (Op::Sub(_), [Term::Number(x), _]) => {
            let negative = sketch.neg(inner[0])?;
            sketch.shift(&negative, *x)
        }
        (Op::Mul(_), [Term::Number(x), _] | [_, Term::Number(x)]) => sketch.scale(inner[0], *x),
        (Op::Div(_), [_, Term::Number(x)]) => sketch.scale(inner[0], 1.0 / x),
        (Op::Div(_), [Term::Number(x), _]) => {
            let inverse = sketch.pow(inner[0], -1.0)?;
            sketch.scale(&inverse, *x)
        }
        _ => {
            let message =
                "takes no number in a step; a number goes into + - * /, clip, shift or scale";
            Err(Error::argument(name, message))
        }
    })
}

/// Refuses a question whose answer would be a number.
fn no_value<T>(what: &str) -> PyResult<T> {
    let message = format!(
        "step: a Symbol has no {what}: a step is recorded once, before there are numbers; choose with \
         where, maximum, minimum, clip or relu"
    );
    Err(raise("GraphError", message))
}

#[pymethods]
impl PySymbol {
    /// Number of rows.
    #[getter]
    fn rows(&self) -> usize {
        self.inner.rows()
    }

    /// Number of columns; None: one a sample.
    #[getter]
    fn cols(&self) -> Option<usize> {
        match self.inner.columns() {
            Columns::Batch => None,
            Columns::Fixed(cols) => Some(cols),
        }
    }

    fn __repr__(&self) -> String {
        format!("Symbol({})", self.inner)
    }

    /// `a` where this is not zero, else `b`; all of one shape.
    fn r#where(
        slf: &Bound<'_, Self>,
        a: &Bound<'_, PyAny>,
        b: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        apply(Op::Where(core::Where {}), &[slf.as_any(), a, b])
    }

    /// This above the matrices given.
    #[pyo3(signature = (*matrices))]
    fn concat(slf: &Bound<'_, Self>, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let all: Vec<_> = std::iter::once(slf.as_any()).chain(&matrices).collect();
        apply(Op::Concat(core::Concat {}), &all)
    }

    /// Sum with any number of matrices, from left to right; columns, rows and 1x1 broadcast.
    #[pyo3(signature = (*matrices))]
    fn add(slf: &Bound<'_, Self>, matrices: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let all: Vec<_> = std::iter::once(slf.as_any()).chain(&matrices).collect();
        apply(Op::Add(core::Add {}), &all)
    }

    /// The transpose, of a parameter.
    #[getter(T)]
    fn transposed(slf: &Bound<'_, Self>) -> PyResult<Self> {
        apply(Op::Transpose(core::Transpose {}), &[slf.as_any()])
    }

    fn __neg__(slf: &Bound<'_, Self>) -> PyResult<Self> {
        apply(Op::Neg(core::Neg {}), &[slf.as_any()])
    }

    fn __pow__(
        slf: &Bound<'_, Self>,
        exponent: &Bound<'_, PyAny>,
        modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if let Some(modulo) = modulo {
            return Err(crate::error::wrong_type("pow", "modulo", "None", modulo));
        }
        let exponent = argument::number("pow", "exponent", exponent)?;
        apply(Op::Pow(core::Pow { exponent }), &[slf.as_any()])
    }

    fn __add__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Add(core::Add {}), &[slf.as_any(), other])
    }

    fn __radd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Add(core::Add {}), &[other, slf.as_any()])
    }

    fn __sub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Sub(core::Sub {}), &[slf.as_any(), other])
    }

    fn __rsub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Sub(core::Sub {}), &[other, slf.as_any()])
    }

    fn __mul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Mul(core::Mul {}), &[slf.as_any(), other])
    }

    fn __rmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Mul(core::Mul {}), &[other, slf.as_any()])
    }

    fn __truediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Div(core::Div {}), &[slf.as_any(), other])
    }

    fn __rtruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Div(core::Div {}), &[other, slf.as_any()])
    }

    fn __matmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Matmul(core::Matmul {}), &[slf.as_any(), other])
    }

    fn __rmatmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        apply(Op::Matmul(core::Matmul {}), &[other, slf.as_any()])
    }
}

/// What a value would answer and a symbol cannot.
#[pymethods]
impl PySymbol {
    #[classattr]
    fn __array_ufunc__() -> Option<bool> {
        None
    }

    #[pyo3(signature = (*_args, **_keywords))]
    fn __array__(
        &self,
        _args: &Bound<'_, PyAny>,
        _keywords: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        no_value("array")
    }

    fn __bool__(&self) -> PyResult<bool> {
        no_value("truth value")
    }

    fn __float__(&self) -> PyResult<f64> {
        no_value("value")
    }

    fn __int__(&self) -> PyResult<i64> {
        no_value("value")
    }

    fn __len__(&self) -> PyResult<usize> {
        no_value("length")
    }

    fn __iter__(&self) -> PyResult<()> {
        no_value("elements to go through")
    }

    fn __getitem__(&self, _at: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = "step: a Symbol has no elements to index: take rows with slice_rows";
        Err(raise("GraphError", message.into()))
    }

    fn __getattr__(&self, name: &str) -> PyResult<()> {
        if matches!(name, "value" | "grad" | "w" | "dw" | "item") {
            return no_value(name);
        }
        let message = format!("'Symbol' object has no attribute '{name}'");
        Err(PyAttributeError::new_err(message))
    }

    /// Two symbols are equal if they are one; a question about values is refused.
    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        operation: CompareOp,
    ) -> PyResult<bool> {
        match operation {
            CompareOp::Eq if other.is_instance_of::<Self>() => Ok(slf.is(other)),
            CompareOp::Ne if other.is_instance_of::<Self>() => Ok(!slf.is(other)),
            _ => no_value("value to compare"),
        }
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        slf.as_ptr() as usize
    }
}
