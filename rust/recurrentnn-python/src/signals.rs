//! Ctrl-C inside a long call.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use recurrentnn::error::{Error, Result};

/// How often Python's signals are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Looks at Python's signals now and then, and keeps what their handlers raise.
pub(crate) struct Signals<'py> {
    py: Python<'py>,
    last: Instant,
    raised: Option<PyErr>,
}

impl<'py> Signals<'py> {
    pub(crate) fn new(py: Python<'py>) -> Self {
        Self {
            py,
            last: Instant::now(),
            raised: None,
        }
    }

    /// Fails when a handler raised.
    pub(crate) fn poll(&mut self) -> Result<()> {
        if self.last.elapsed() < INTERVAL {
            return Ok(());
        }
        self.last = Instant::now();
        self.py.check_signals().map_err(|error| {
            self.raised = Some(error);
            Error::Interrupted
        })
    }

    /// What a handler raised, or else the result.
    pub(crate) fn or<R>(self, result: PyResult<R>) -> PyResult<R> {
        self.raised.map_or(result, Err)
    }
}
