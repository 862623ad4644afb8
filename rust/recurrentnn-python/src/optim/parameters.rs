//! What an optimizer may be handed to step.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::PyMapping;
use recurrentnn::element::DType;
use recurrentnn::matrix::Matrix;
use recurrentnn::optim::Named;

use crate::dtype::{AnyMatrix, Number};
use crate::error::{raise, wrong_type};
use crate::matrix::PyMatrix;
use crate::model::PyModel;

/// Matrices with the names that their owner gives them.
pub(super) struct Parameters(Vec<(Option<String>, Py<PyMatrix>)>);

impl Parameters {
    /// Of a model, a mapping from names to matrices, or an iterable of matrices.
    pub(super) fn of(op: &str, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        if let Ok(model) = given.cast::<PyModel>() {
            let named = model.get().named().iter();
            return Ok(Self(
                named
                    .map(|(n, m)| (Some(n.clone()), m.clone_ref(py)))
                    .collect(),
            ));
        }
        let rule = "a model, a mapping of names to Matrix or an iterable of Matrix";
        let matrix = |name: &str, item: Bound<'_, PyAny>| match item.cast::<PyMatrix>() {
            Ok(matrix) => Ok(matrix.clone().unbind()),
            Err(_) => Err(wrong_type(
                op,
                &format!("parameters: {name}"),
                "a Matrix",
                &item,
            )),
        };
        if let Ok(mapping) = given.cast::<PyMapping>() {
            let items = mapping.items()?;
            let named = items.try_iter()?.map(|item| {
                let (name, item): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
                let name = name.str()?.to_string();
                let matrix = matrix(&name, item)?;
                Ok((Some(name), matrix))
            });
            return Ok(Self(named.collect::<PyResult<_>>()?));
        }
        // A single matrix has no iterator; naming it here is kinder than "not iterable".
        let items = given
            .try_iter()
            .map_err(|_| wrong_type(op, "parameters", rule, given))?;
        let unnamed = items.map(|item| Ok((None, matrix("every item", item?)?)));
        Ok(Self(unnamed.collect::<PyResult<_>>()?))
    }

    /// The one element type of all matrices.
    pub(super) fn dtype(&self, op: &str) -> PyResult<DType> {
        let has = |dtype| self.0.iter().any(|(_, m)| m.get().inner.dtype() == dtype);
        match (has(DType::Float32), has(DType::Float64)) {
            (true, true) => {
                let message =
                    format!("{op}: parameters must have one dtype but are float32 and float64");
                Err(raise("DTypeError", message))
            }
            (_, true) => Ok(DType::Float64),
            _ => Ok(DType::Float32),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn typed<T: Number>(&self) -> Vec<Named<'_, T>> {
        let named = self.0.iter().filter_map(|(name, matrix)| {
            T::unwrap(&matrix.get().inner).map(|matrix| (name.as_deref(), matrix))
        });
        named.collect()
    }

    /// Every matrix once, with its first name, or its number where it has none.
    pub(super) fn labelled<T: Number>(&self) -> Vec<(String, &Matrix<T>)> {
        let mut seen = HashSet::new();
        let named = self.typed::<T>().into_iter().enumerate();
        let labelled = named.map(|(number, (name, matrix))| {
            let label = name.map_or_else(|| format!("parameter {number}"), ToOwned::to_owned);
            (label, matrix)
        });
        labelled.filter(|(_, m)| seen.insert(m.id())).collect()
    }

    /// Every matrix once.
    pub(super) fn without_doubles(mut self) -> Self {
        let mut seen = HashSet::new();
        self.0.retain(|(_, matrix)| {
            seen.insert(match &matrix.get().inner {
                AnyMatrix::Float32(m) => m.id(),
                AnyMatrix::Float64(m) => m.id(),
            })
        });
        self
    }
}
