//! The compiled module of the Python package: it translates, and decides nothing.

// PyO3 hands over owned values, and one Rust parameter per Python parameter.
#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
// Python's protocols are methods, whether or not they look at their object.
#![allow(clippy::unused_self)]

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recurrentnn::cells::CellKind;
use recurrentnn::kernels::Isa;

mod activations;
mod argument;
mod array;
mod call;
mod cell;
mod config;
mod describe;
mod dtype;
mod error;
mod files;
mod generate;
mod graph;
mod matrix;
mod model;
mod ops;
mod optim;
mod random;
mod rows;
mod sequence;
mod signals;
mod state;
mod stream;
mod symbol;
mod text;
mod threads;
mod training;

/// The compiled core. Import these names from `recurrentnn`, never from here.
#[pymodule(gil_used = true)]
fn _recurrentnn(module: &Bound<'_, PyModule>) -> PyResult<()> {
    check_isa()?;
    threads::check_variable()?;
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("OPS", PyTuple::new(py, recurrentnn::ops::NAMES)?)?;
    module.add(
        "CELLS",
        PyTuple::new(py, CellKind::ALL.iter().map(CellKind::name))?,
    )?;
    module.add("OPTIMIZERS", PyTuple::new(py, recurrentnn::optim::NAMES)?)?;
    module.add("ISA", Isa::best().name())?;
    module.add_class::<matrix::PyMatrix>()?;
    module.add_class::<graph::PyGraph>()?;
    module.add_class::<symbol::PySymbol>()?;
    module.add_class::<cell::PySketch>()?;
    module.add_class::<model::PyModel>()?;
    module.add_class::<stream::PyStream>()?;
    module.add_class::<optim::PyOptimizer>()?;
    module.add_class::<generate::PyGenerator>()?;
    module.add_class::<optim::PySolver>()?;
    module.add_class::<optim::PyAverage>()?;
    module.add_class::<text::PyVocabulary>()?;
    module.add_function(wrap_pyfunction!(generate::check_sampling, module)?)?;
    module.add_function(wrap_pyfunction!(generate::beam_search, module)?)?;
    module.add_function(wrap_pyfunction!(ops::choose, module)?)?;
    module.add_function(wrap_pyfunction!(random::permutation, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::get_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(files::load_model, module)?)?;
    module.add_function(wrap_pyfunction!(files::unpack_model, module)?)?;
    module.add_function(wrap_pyfunction!(files::write_file, module)?)
}

/// An instruction set asked for by name must be there: silence would hide that it is not.
fn check_isa() -> PyResult<()> {
    let variable = recurrentnn::kernels::isa::ISA_VARIABLE;
    match std::env::var(variable) {
        Ok(name) if Isa::by_name(&name).is_none() => {
            let names: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
            let rule = format!("one of {names:?}");
            Err(error::wrong_value(
                "import recurrentnn",
                variable,
                &rule,
                &format!("{name:?}"),
            ))
        }
        _ => Ok(()),
    }
}
