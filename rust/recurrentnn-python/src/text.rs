//! The class `Vocabulary`.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyString;
use recurrentnn::text::{BOUNDARY, Vocabulary};

use crate::argument;
use crate::error::{guard, raise, wrong_type};

/// Symbols and their numbers; each symbol is one Unicode code point.
///
/// Parameters
/// ----------
/// symbols
///     The code points in order, as a string or a sequence of strings of length 1.
/// boundary
///     Whether symbol 0 is START and END of a line.
#[pyclass(frozen, name = "Vocabulary", module = "recurrentnn")]
pub(crate) struct PyVocabulary(Vocabulary);

fn one_char(op: &str, symbol: &str) -> PyResult<char> {
    let mut chars = symbol.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Ok(c);
    }
    let message = format!("{op}: symbols must be single code points but one is {symbol:?}");
    Err(raise("ArgumentError", message))
}

/// The text of a string, unless it holds half a surrogate pair.
fn text_of(op: &str, name: &str, object: &Bound<'_, PyAny>) -> PyResult<String> {
    let Ok(string) = object.cast::<PyString>() else {
        return Err(wrong_type(op, name, "a string", object));
    };
    string.to_cow().map(Into::into).map_err(|_| {
        raise(
            "VocabularyError",
            format!("{op}: {name} holds a lone surrogate, which is no character"),
        )
    })
}

#[pymethods]
impl PyVocabulary {
    /// START and END of a line.
    #[classattr]
    #[allow(non_upper_case_globals)]
    const BOUNDARY: usize = BOUNDARY;

    #[new]
    #[pyo3(signature = (symbols, *, boundary = false))]
    fn py_new(symbols: &Bound<'_, PyAny>, boundary: bool) -> PyResult<Self> {
        let op = "Vocabulary";
        let chars = if symbols.is_instance_of::<PyString>() {
            text_of(op, "symbols", symbols)?.chars().collect()
        } else {
            let rule = "a string or a sequence of characters";
            let items = symbols
                .try_iter()
                .map_err(|_| wrong_type(op, "symbols", rule, symbols))?;
            let char = |item: PyResult<Bound<'_, PyAny>>| {
                one_char(op, &text_of(op, "every one of symbols", &item?)?)
            };
            items.map(char).collect::<PyResult<_>>()?
        };
        Ok(Self(guard(|| Vocabulary::new(chars, boundary))?))
    }

    /// Every code point of the text, sorted; with a boundary, line ends are no symbols.
    #[staticmethod]
    #[pyo3(signature = (text, *, boundary = false))]
    fn from_text(text: &Bound<'_, PyAny>, boundary: bool) -> PyResult<Self> {
        let text = text_of("from_text", "text", text)?;
        Ok(Self(guard(|| Vocabulary::from_text(&text, boundary))?))
    }

    /// Whether symbol 0 is START and END of a line.
    #[getter]
    fn boundary(&self) -> bool {
        self.0.has_boundary()
    }

    /// The code points, without the boundary.
    #[getter]
    fn symbols<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
        pyo3::types::PyTuple::new(py, self.0.chars().iter().map(char::to_string))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __contains__(&self, symbol: &Bound<'_, PyAny>) -> bool {
        let symbol = symbol.extract::<char>();
        symbol.is_ok_and(|symbol| self.0.symbol(symbol).is_some())
    }

    /// The symbols of a text; VocabularyError names the first character that has none.
    fn encode<'py>(&self, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let string = text_of("encode", "text", text)?;
        let symbols = guard(|| self.0.encode(&string))?;
        // A symbol is below the number of code points, 2^21.
        let symbols: Vec<i64> = symbols
            .into_iter()
            .map(|s| i64::try_from(s).unwrap_or(-1))
            .collect();
        Ok(symbols.into_pyarray(text.py()))
    }

    /// The text of symbols; a boundary becomes a line end.
    fn decode(&self, symbols: &Bound<'_, PyAny>) -> PyResult<String> {
        let (symbols, _) = argument::indices("decode", "symbols", symbols)?;
        guard(|| self.0.decode(&symbols))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| self.0 == other.get().0)
    }

    fn __repr__(&self) -> String {
        let boundary = if self.0.has_boundary() {
            ", boundary=True"
        } else {
            ""
        };
        format!("Vocabulary({} symbols{boundary})", self.0.len())
    }
}
