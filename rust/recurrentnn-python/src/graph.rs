//! The class `Graph`, the thread's recording graph, and how operands of any kind enter an op.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, TryLockError};

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};
use recurrentnn::element::DType;
use recurrentnn::graph::Graph;
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::ops::{Op, Recorder};
use recurrentnn::shape::Shape;

use crate::array;
use crate::dtype::{AnyMatrix, Number, with, with_type};
use crate::error::{guard, raise, translate, wrong_type};
use crate::matrix::PyMatrix;
use crate::signals::Interpreter;

thread_local! {
    /// The graphs whose `with` this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Py<PyGraph>>> = const { RefCell::new(Vec::new()) };
}

/// Evaluates ops, and records them for `backward`. Methods are the ops.
///
/// NumPy arrays, nested lists and numbers are constants in the dtype of the operands that are
/// matrices; matrices that no graph made are leaves, whose gradients accumulate.
///
/// Parameters
/// ----------
/// recording
///     False computes only: nothing is kept, no gradient is allocated.
#[pyclass(frozen, name = "Graph", module = "recurrentnn")]
pub(crate) struct PyGraph {
    recording: bool,
    float32: Mutex<Graph<f32>>,
    float64: Mutex<Graph<f64>>,
}

/// An element type with its half of a graph.
pub(crate) trait Recorded: Number {
    /// The other element type.
    type Other: Recorded;
    fn half(graph: &PyGraph) -> &Mutex<Graph<Self>>;
}

impl Recorded for f32 {
    type Other = f64;
    fn half(graph: &PyGraph) -> &Mutex<Graph<Self>> {
        &graph.float32
    }
}

impl Recorded for f64 {
    type Other = f32;
    fn half(graph: &PyGraph) -> &Mutex<Graph<Self>> {
        &graph.float64
    }
}

impl PyGraph {
    pub(crate) fn new(recording: bool) -> Self {
        let isa = Isa::best();
        Self {
            recording,
            float32: Mutex::new(half(isa, recording)),
            float64: Mutex::new(half(isa, recording)),
        }
    }

    /// The half of one element type, unless another thread is in it.
    pub(crate) fn lock<T: Recorded>(&self) -> PyResult<MutexGuard<'_, Graph<T>>> {
        match T::half(self).try_lock() {
            Ok(guard) => Ok(guard),
            // A panic inside an op leaves the recording as it was before the op.
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(raise("BusyError", "graph: in use by another thread".into()))
            }
        }
    }

    /// A recording has one dtype, so that a backward pass runs over all of it.
    pub(crate) fn expect_unused<T: Recorded>(&self, op: &str) -> PyResult<()> {
        if !self.lock::<T>()?.is_used() {
            return Ok(());
        }
        let message = format!(
            "{op}: the graph records {} and nothing else",
            T::DTYPE.name()
        );
        Err(raise("DTypeError", message))
    }

    fn backward_from<T: Recorded>(&self, loss: &Matrix<T>, retain: bool) -> PyResult<()> {
        let mut graph = self.lock::<T>()?;
        Python::attach(|py| {
            let mut interpreter = Interpreter::new(py);
            let result = guard(|| graph.backward_from_by(&mut interpreter, loss, retain));
            interpreter.or(result)
        })
    }

    fn backward_seeded<T: Recorded>(&self, retain: bool) -> PyResult<()> {
        let mut graph = self.lock::<T>()?;
        Python::attach(|py| {
            let mut interpreter = Interpreter::new(py);
            let result = guard(|| graph.backward_by(&mut interpreter, retain));
            interpreter.or(result)
        })
    }

    /// Applies an op to operands of any kind.
    pub(crate) fn apply(&self, op: Op, operands: &[&Bound<'_, PyAny>]) -> PyResult<PyMatrix> {
        let dtype = match common_dtype(op.name(), operands)? {
            Some(dtype) => dtype,
            None if self.lock::<f64>()?.is_used() => DType::Float64,
            None => DType::Float32,
        };
        with_type!(dtype, T => {
            let sequence = operands.iter().find_map(|operand| {
                operand.cast::<PyMatrix>().ok().and_then(|matrix| matrix.get().sequence)
            });
            let matrices = operands
                .iter()
                .map(|operand| operand_matrix::<T>(op.name(), "operand", operand, sequence))
                .collect::<PyResult<Vec<_>>>()?;
            let matrices: Vec<_> = matrices.iter().collect();
            self.expect_unused::<<T as Recorded>::Other>(op.name())?;
            let mut graph = self.lock::<T>()?;
            Ok(PyMatrix::new(guard(|| graph.apply(op, &matrices))?))
        })
    }
}

fn half<T: Number>(isa: Isa, recording: bool) -> Graph<T> {
    if recording {
        Graph::new(isa)
    } else {
        Graph::without_recording(isa)
    }
}

/// Applies an op in the thread's recording graph, or outside any.
pub(crate) fn apply(op: Op, operands: &[&Bound<'_, PyAny>]) -> PyResult<PyMatrix> {
    let py = operands[0].py();
    if let Some(graph) = entered(py) {
        return graph.get().apply(op, operands);
    }
    let result = PyGraph::new(false).apply(op, operands)?;
    Ok(with!(&result.inner, AnyMatrix, |m| PyMatrix::new(
        m.to_leaf()
    )))
}

/// The thread's recording graph.
pub(crate) fn entered(py: Python<'_>) -> Option<Py<PyGraph>> {
    ENTERED.with_borrow(|stack| stack.last().map(|graph| graph.clone_ref(py)))
}

/// The element type of the operands that are matrices, if any is.
fn common_dtype(op: &str, operands: &[&Bound<'_, PyAny>]) -> PyResult<Option<DType>> {
    let mut common = None;
    for operand in operands {
        let Ok(matrix) = operand.cast::<PyMatrix>() else {
            continue;
        };
        let dtype = matrix.get().inner.dtype();
        let first = *common.get_or_insert(dtype);
        if first != dtype {
            let (first, other) = (first.name(), dtype.name());
            let message = format!("{op}: operands must have one dtype but are {first} and {other}");
            return Err(raise("DTypeError", message));
        }
    }
    Ok(common)
}

/// A matrix as it is; anything else as a constant. Beside a sequence output of (batch, time), an array
/// (batch, time, features) stands for the matrix of the same layout.
pub(crate) fn operand_matrix<T: Number>(
    op: &str,
    name: &str,
    operand: &Bound<'_, PyAny>,
    sequence: Option<(usize, usize)>,
) -> PyResult<Matrix<T>> {
    if let Ok(matrix) = operand.cast::<PyMatrix>() {
        return matrix.get().inner.typed::<T>(op, name).cloned();
    }
    let plain =
        operand.is_exact_instance_of::<PyFloat>() || operand.is_exact_instance_of::<PyInt>();
    if plain && let Ok(x) = operand.extract::<f64>() {
        return Matrix::constant(Shape::SCALAR, vec![T::from_f64(x)]).map_err(translate);
    }
    let (shape, numbers) = match sequence {
        Some(layout) => array::sequence_numbers::<T>(op, name, operand, layout)?,
        None => array::numbers::<T>(op, name, operand)?,
    };
    Matrix::constant(shape, numbers).map_err(translate)
}

#[pymethods]
impl PyGraph {
    #[new]
    #[pyo3(signature = (recording = true))]
    fn py_new(recording: bool) -> Self {
        Self::new(recording)
    }

    /// Whether ops are recorded.
    #[getter]
    fn recording(&self) -> bool {
        self.recording
    }

    /// Makes it the thread's recording graph: operators and methods of `Matrix` record in it.
    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        ENTERED.with_borrow_mut(|stack| stack.push(slf.clone().unbind()));
        slf
    }

    /// Goes back to the graph that was the thread's before.
    #[pyo3(signature = (*exc))]
    fn __exit__(slf: &Bound<'_, Self>, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = exc;
        // Not always the innermost: two generators may be closed in any order.
        let left = ENTERED.with_borrow_mut(|stack| {
            let at = stack.iter().rposition(|graph| graph.is(slf))?;
            Some(stack.remove(at))
        });
        // The graph is dropped after the borrow: that may run any destructor.
        if left.is_some() {
            return Ok(());
        }
        let message = "__exit__: expected a graph that this thread has entered";
        Err(raise("GraphError", message.into()))
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.lock::<f32>()?.len() + self.lock::<f64>()?.len())
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self) -> PyResult<String> {
        let kind = if self.recording {
            "recording"
        } else {
            "not recording"
        };
        Ok(format!("Graph({kind}, {} nodes)", self.__len__()?))
    }

    /// Computes the gradient of every leaf, by reverse-mode differentiation.
    ///
    /// Parameters
    /// ----------
    /// loss
    ///     A 1x1 matrix of this graph, whose gradient becomes 1. Without it, the gradients that were
    ///     written into recorded matrices by hand are run backwards.
    /// retain
    ///     Keep the recording, so that backward can run again. Otherwise it is consumed.
    ///
    /// Raises
    /// ------
    /// GraphError
    ///     If the recording was consumed, nothing was seeded, or the loss is not of this graph.
    /// ShapeError
    ///     If the loss is not 1x1.
    #[pyo3(signature = (loss = None, *, retain = false))]
    fn backward(&self, loss: Option<&Bound<'_, PyAny>>, retain: bool) -> PyResult<()> {
        if let Some(loss) = loss {
            let Ok(matrix) = loss.cast::<PyMatrix>() else {
                return Err(wrong_type("backward", "loss", "a Matrix", loss));
            };
            return match &matrix.get().inner {
                AnyMatrix::Float32(loss) => self.backward_from(loss, retain),
                AnyMatrix::Float64(loss) => self.backward_from(loss, retain),
            };
        }
        if self.lock::<f64>()?.is_used() {
            return self.backward_seeded::<f64>(retain);
        }
        self.backward_seeded::<f32>(retain)
    }

    /// Sets the gradients of everything recorded to zero, not those of the leaves.
    fn zero_grad(&self) -> PyResult<()> {
        let (mut float32, mut float64) = (self.lock::<f32>()?, self.lock::<f64>()?);
        guard(|| float32.zero_grad().and_then(|()| float64.zero_grad()))
    }

    /// Forgets the recording; what it made enters later recordings by value.
    fn clear(&self) -> PyResult<()> {
        self.lock::<f32>()?.clear();
        self.lock::<f64>()?.clear();
        Ok(())
    }

    /// The recording in Graphviz' language.
    fn to_dot(&self) -> PyResult<String> {
        let (float32, float64) = (self.lock::<f32>()?, self.lock::<f64>()?);
        Ok(if float32.is_empty() {
            float64.to_dot()
        } else {
            float32.to_dot()
        })
    }
}
