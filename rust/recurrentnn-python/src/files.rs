//! Files: the bytes of a model with what stands beside it, read and written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use recurrentnn::cells::CellKind;
use recurrentnn::io::{self, Contents, Kind, Loaded, Metadata, Tensor};

use crate::cell::OwnCell;
use crate::error::{guard, raise};
use crate::model::PyModel;

/// A tensor at the border: name of the element type, shape, bytes.
pub(crate) type Parts<'py> = (String, Vec<usize>, Bound<'py, PyBytes>);

/// What is to stand beside a model.
pub(crate) fn contents(
    metadata: Metadata,
    tensors: BTreeMap<String, Parts<'_>>,
) -> PyResult<Contents> {
    let tensors = tensors.into_iter().map(|(name, (kind, shape, bytes))| {
        let unknown = || {
            let message = format!("save: tensor {name} has elements of unknown type {kind:?}");
            raise("ArgumentError", message)
        };
        let kind = Kind::by_name(&kind).ok_or_else(unknown)?;
        let bytes = bytes.as_bytes().to_vec();
        Ok((name, Tensor { kind, shape, bytes }))
    });
    let tensors = tensors.collect::<PyResult<_>>()?;
    Ok(Contents { metadata, tensors })
}

/// Reads what `Model.save` wrote, with the definitions of cells that are none of ours: a model, the
/// metadata, and further tensors. `recurrentnn.load` gives the public class.
#[pyfunction]
pub(crate) fn load_model<'py>(
    py: Python<'py>,
    path: PathBuf,
    cells: Vec<Bound<'py, PyAny>>,
) -> PyResult<(PyModel, Metadata, Bound<'py, PyDict>)> {
    understand(py, &guard(|| io::read(&path))?, cells)
}

/// As `load_model`, from the bytes themselves.
#[pyfunction]
pub(crate) fn unpack_model<'py>(
    bytes: &Bound<'py, PyBytes>,
    cells: Vec<Bound<'py, PyAny>>,
) -> PyResult<(PyModel, Metadata, Bound<'py, PyDict>)> {
    understand(bytes.py(), bytes.as_bytes(), cells)
}

/// Writes a whole file: a crash leaves the old one or the new one.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: PathBuf, data: &[u8]) -> PyResult<()> {
    py.detach(|| guard(|| io::write(&path, data)))
}

fn understand<'py>(
    py: Python<'py>,
    bytes: &[u8],
    cells: Vec<Bound<'py, PyAny>>,
) -> PyResult<(PyModel, Metadata, Bound<'py, PyDict>)> {
    let own = cells.iter().map(|cell| OwnCell::new(cell).map(Arc::new));
    let own = own.collect::<PyResult<Vec<_>>>()?;
    let custom: Vec<_> = own.iter().map(|own| own.custom.clone()).collect();
    let loaded = guard(|| io::from_bytes(bytes, |config| config.define(&custom)));
    // At most one of them was recorded.
    let loaded = own.iter().fold(loaded, |loaded, own| own.or(loaded));
    let (loaded, beside) = loaded?;
    let cell = match &loaded {
        Loaded::Float32(model) => model.config().cell.clone(),
        Loaded::Float64(model) => model.config().cell.clone(),
    };
    let is_it = |own: &&Arc<OwnCell>| CellKind::Custom(own.custom.clone()) == cell;
    let own = own.iter().find(is_it).cloned();
    let model = match loaded {
        Loaded::Float32(model) => PyModel::wrap(py, model, own)?,
        Loaded::Float64(model) => PyModel::wrap(py, model, own)?,
    };
    let tensors = PyDict::new(py);
    for (name, tensor) in beside.tensors {
        let bytes = PyBytes::new(py, &tensor.bytes);
        tensors.set_item(name, (tensor.kind.name(), tensor.shape, bytes))?;
    }
    Ok((model, beside.metadata, tensors))
}
