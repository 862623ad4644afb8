//! One step as a value: which op is applied to what, for any number of samples.

use crate::error::{Error, Result};
use crate::ops::{Op, Recorder};

/// Columns of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// One a sample.
    Batch,
    /// This many, whatever the batch.
    Fixed(usize),
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Term {
    /// The parameter of that number.
    Param(usize),
    /// The step's input.
    Input,
    /// The state vector of that number, after the last step.
    State(usize),
    /// The mask of that number, drawn for each step and sample: a constant.
    Mask(usize),
    /// An op, applied to the nodes of these numbers.
    Apply {
        /// What is applied.
        op: Op,
        /// To which nodes; all stand before this one.
        inputs: Vec<usize>,
    },
}

/// A value of a step.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it comes from.
    pub term: Term,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: Columns,
}

/// One step, recorded.
#[derive(Clone, Debug, Default)]
pub struct Expression {
    /// All values, inputs before those that use them.
    pub nodes: Vec<Node>,
    /// Which of them the step gives.
    pub results: Vec<usize>,
    /// The states that go backward in time: what a step makes of them the step before it reads.
    pub reversed: Vec<usize>,
}

impl Expression {
    /// Applies the recorded ops to values of any recorder, and returns the results.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are fewer parameters or states than the step reads; whatever the
    /// recorder refuses.
    pub fn replay<R: Recorder>(
        &self,
        r: &mut R,
        params: &[R::Var],
        input: &R::Var,
        states: &[R::Var],
    ) -> Result<Vec<R::Var>> {
        let mut values: Vec<R::Var> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let value = match &node.term {
                Term::Param(number) => given("parameter", params, *number)?.clone(),
                Term::Input => input.clone(),
                Term::State(number) => given("state", states, *number)?.clone(),
                Term::Mask(_) => {
                    let message = "a step with masks is only compiled";
                    return Err(Error::argument("replay", message));
                }
                Term::Apply { op, inputs } => {
                    let inputs = inputs.iter().map(|&at| given("node", &values, at));
                    r.apply(op.clone(), &inputs.collect::<Result<Vec<_>>>()?)?
                }
            };
            values.push(value);
        }
        let result = |&at: &usize| Ok(given("node", &values, at)?.clone());
        self.results.iter().map(result).collect()
    }
}

fn given<'a, V>(what: &str, values: &'a [V], number: usize) -> Result<&'a V> {
    values.get(number).ok_or_else(|| {
        let count = values.len();
        let message = format!("the step reads {what} {number} but only {count} came");
        Error::argument("replay", message)
    })
}
