//! Long calls: other Python threads go on meanwhile, and Ctrl-C stops them.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use recurrentnn::host::{Host, Poll};

/// How often Python's signals are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs long work away from the interpreter, looks at Python's signals now and then, and keeps what
/// their handlers raise.
pub(crate) struct Interpreter<'py> {
    py: Python<'py>,
    last: Instant,
    raised: Option<PyErr>,
}

impl<'py> Interpreter<'py> {
    pub(crate) fn new(py: Python<'py>) -> Self {
        Self {
            py,
            last: Instant::now(),
            raised: None,
        }
    }

    /// Now and then, amid short work without end: signals, and a turn for other threads.
    fn turn(&mut self) -> bool {
        if self.raised.is_none() && self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            self.raised = self.py.check_signals().err();
            self.py.detach(|| ());
        }
        self.raised.is_some()
    }

    /// What a handler raised, or else the result.
    pub(crate) fn or<R>(self, result: PyResult<R>) -> PyResult<R> {
        self.raised.map_or(result, Err)
    }
}

impl Host for Interpreter<'_> {
    fn run(&mut self, long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send)) {
        if !long {
            return work(&mut || self.turn());
        }
        let (last, raised) = (&mut self.last, &mut self.raised);
        let mut poll = move || {
            if raised.is_some() {
                return true;
            }
            if last.elapsed() < INTERVAL {
                return false;
            }
            *last = Instant::now();
            // Only Python's main thread finds any; elsewhere this does nothing.
            #[allow(clippy::redundant_closure_for_method_calls)]
            // the method alone is of one lifetime
            let signals = Python::attach(|py| py.check_signals());
            if let Err(error) = signals {
                *raised = Some(error);
            }
            raised.is_some()
        };
        self.py.detach(|| work(&mut poll));
    }
}
