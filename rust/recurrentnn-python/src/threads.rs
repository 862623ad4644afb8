//! How many threads a call may use.

use pyo3::prelude::*;
use recurrentnn::kernels::parallel;

use crate::argument;
use crate::error::wrong_value;

/// Sets how many threads a call may use, from now on, in all of the process.
///
/// Results have the same bits for any number. Small work takes one thread whatever is set.
///
/// Parameters
/// ----------
/// count
///     At least 1. More than there are cores are taken at their word, but for elementwise loops
///     and optimizers.
#[pyfunction]
pub(crate) fn set_num_threads(count: &Bound<'_, PyAny>) -> PyResult<()> {
    let threads = argument::count("set_num_threads", "count", count)?;
    if threads == 0 {
        return Err(wrong_value("set_num_threads", "count", "at least 1", "0"));
    }
    parallel::set_threads(threads);
    Ok(())
}

/// How many threads a call may use: what `set_num_threads` set, else the environment variable
/// RECURRENTNN_NUM_THREADS, else the cores that this process may run on.
#[pyfunction]
pub(crate) fn get_num_threads() -> usize {
    parallel::threads()
}

/// A number of threads in the environment must be one: silence would hide that it is not.
pub(crate) fn check_variable() -> PyResult<()> {
    match std::env::var(parallel::THREADS_VARIABLE) {
        Ok(text) if parallel::named_threads(&text).is_none() => {
            let variable = parallel::THREADS_VARIABLE;
            let given = format!("{text:?}");
            Err(wrong_value(
                "import recurrentnn",
                variable,
                "a number of at least 1",
                &given,
            ))
        }
        _ => Ok(()),
    }
}
