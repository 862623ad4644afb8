//! What a model computes on its way, as a dictionary of arrays.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use recurrentnn::activations::activations;
use recurrentnn::kernels::Isa;
use recurrentnn::model::Model;

use crate::call::{core_sequence, states_given};
use crate::dtype::Number;
use crate::error::{guard, wrong_type};
use crate::matrix::PyMatrix;
use crate::rows::Cuts;
use crate::sequence::{self, SequenceInput};
use crate::signals::Interpreter;

/// State vectors, gates and output of every step, by name, in the layout of x.
pub(crate) fn dictionary<T: Number>(
    py: Python<'_>,
    model: &Model<T>,
    x: &Bound<'_, PyAny>,
    given: Option<&Bound<'_, PyAny>>,
    time_major: bool,
) -> PyResult<Py<PyDict>> {
    if x.cast::<PyMatrix>().is_ok() {
        return Err(wrong_type("activations", "x", "an array", x));
    }
    let SequenceInput {
        input,
        layout,
        rows,
    } = sequence::sequence::<T>(x, time_major, Cuts::default(), model.config())?;
    let states = states_given(model, given)?;
    let sequence = core_sequence(input);
    let mut interpreter = Interpreter::new(py);
    let found = guard(|| {
        activations(
            Isa::best(),
            model,
            &sequence,
            &rows,
            states.as_deref(),
            layout.columns(),
            &mut interpreter,
        )
    });
    let dict = PyDict::new(py);
    for found in interpreter.or(found)? {
        dict.set_item(
            found.name,
            layout.shape_output(py, &rows, found.rows, found.values)?,
        )?;
    }
    Ok(dict.unbind())
}
