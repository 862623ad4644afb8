//! The recorder that writes a step down instead of carrying it out.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::expression::{Columns, Expression, Node, Term};
use crate::error::{Error, Result};
use crate::ops::{Form, Op, Recorder};
use crate::shape::Shape;

/// What shape rules get as the number of columns of a batch: no other value has as many, so a rule
/// that asks for equal columns refuses a batch beside anything else.
const BATCH: usize = usize::MAX;

/// A matrix that has no numbers yet.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    trace: u64,
    index: usize,
    rows: usize,
    columns: Columns,
}

impl Symbol {
    /// Its rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Its columns.
    pub fn columns(self) -> Columns {
        self.columns
    }

    fn shape(self) -> Shape {
        let cols = match self.columns {
            Columns::Batch => BATCH,
            Columns::Fixed(cols) => cols,
        };
        Shape::new(self.rows, cols)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.columns {
            Columns::Batch => write!(f, "{}xbatch", self.rows),
            Columns::Fixed(cols) => write!(f, "{}x{cols}", self.rows),
        }
    }
}

/// Records one step: gives out symbols and writes down what is done with them.
#[derive(Debug)]
pub struct Trace {
    /// Tells its symbols from those of other traces.
    number: u64,
    nodes: Vec<Node>,
    /// The states that go backward in time.
    reversed: Vec<usize>,
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Trace {
    /// A step with nothing in it.
    pub fn new() -> Self {
        static TRACES: AtomicU64 = AtomicU64::new(0);
        Self {
            number: TRACES.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            reversed: Vec::new(),
        }
    }

    /// The parameter of that number.
    pub fn param(&mut self, number: usize, shape: Shape) -> Symbol {
        self.push(Term::Param(number), shape.rows, Columns::Fixed(shape.cols))
    }

    /// The step's input, one column a sample.
    pub fn input(&mut self, rows: usize) -> Symbol {
        self.push(Term::Input, rows, Columns::Batch)
    }

    /// The state vector of that number after the last step, one column a sample.
    pub fn state(&mut self, number: usize, rows: usize) -> Symbol {
        self.push(Term::State(number), rows, Columns::Batch)
    }

    /// The state vector of that number after the next step, one column a sample: it goes backward in
    /// time.
    pub fn reversed_state(&mut self, number: usize, rows: usize) -> Symbol {
        self.reversed.push(number);
        self.state(number, rows)
    }

    /// The mask of that number, one column a sample, for a run to fill.
    pub fn mask(&mut self, number: usize, rows: usize) -> Symbol {
        self.push(Term::Mask(number), rows, Columns::Batch)
    }

    /// What was recorded, and which values the step gives.
    ///
    /// # Errors
    /// [`Error::Graph`] for a symbol of another trace.
    pub fn finish(self, results: &[Symbol]) -> Result<Expression> {
        self.expect_own("finish", results)?;
        Ok(Expression {
            reversed: self.reversed,
            nodes: self.nodes,
            results: results.iter().map(|symbol| symbol.index).collect(),
        })
    }

    fn expect_own<'a>(
        &self,
        op: &'static str,
        symbols: impl IntoIterator<Item = &'a Symbol>,
    ) -> Result<()> {
        let mut symbols = symbols.into_iter();
        if symbols.all(|symbol| symbol.trace == self.number) {
            return Ok(());
        }
        Err(Error::graph(op, "a symbol of another step came"))
    }

    fn push(&mut self, term: Term, rows: usize, columns: Columns) -> Symbol {
        self.nodes.push(Node {
            term,
            rows,
            columns,
        });
        Symbol {
            trace: self.number,
            index: self.nodes.len() - 1,
            rows,
            columns,
        }
    }
}

impl Recorder for Trace {
    type Var = Symbol;

    fn apply(&mut self, op: Op, inputs: &[&Symbol]) -> Result<Symbol> {
        self.expect_own(op.name(), inputs.iter().copied())?;
        let batched = inputs.iter().any(|symbol| symbol.columns == Columns::Batch);
        if batched && op.form() == Form::Mixes {
            let message = "mixes the samples of a batch, whose columns a step keeps apart";
            return Err(Error::graph(op.name(), message));
        }
        let shapes: Vec<_> = inputs.iter().map(|symbol| symbol.shape()).collect();
        let shape = op.shape(&shapes).map_err(name_batch)?;
        let columns = match shape.cols {
            BATCH => Columns::Batch,
            cols => Columns::Fixed(cols),
        };
        let inputs = inputs.iter().map(|symbol| symbol.index).collect();
        Ok(self.push(Term::Apply { op, inputs }, shape.rows, columns))
    }
}

/// Says `batch` where a shape rule, which takes it for a number, wrote that number.
fn name_batch(error: Error) -> Error {
    match error {
        Error::Shape { op, message } => {
            Error::shape(op, message.replace(&BATCH.to_string(), "batch"))
        }
        other => other,
    }
}
