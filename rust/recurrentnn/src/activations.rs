//! What a model computes on its way to the output: every state vector and gate of every step, by name.

use crate::cells::State;
use crate::element::Element;
use crate::error::Result;
use crate::host::Host;
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::plan::{REVERSE, layer_scope};
use crate::program::Expression;
use crate::sequence::{Columns, Job, Rows, result};
use crate::unroll::Sequence;

/// A value of all steps of a sequence.
pub struct Activation<T> {
    /// As of the parameters it comes from, or of the state; `output`.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// rows x (batch * time), columns in the order asked for.
    pub values: Vec<T>,
}

/// Runs a sequence without recording and gives, layer by layer, the state vectors after every step and
/// the gates of every step, and last the output.
///
/// `layers.J.forget` is the gate to which the parameters `layers.J.forget.*` belong: the first value
/// that a function of one number makes of a sum with a product of one of them. Where a state vector has
/// that name, the name is the state's.
///
/// # Errors
/// As [`crate::sequence::infer`].
pub fn activations<T: Element>(
    isa: Isa,
    model: &Model<T>,
    sequence: &Sequence<T>,
    rows: &Rows,
    states: Option<&[State<Matrix<T>>]>,
    columns: Columns,
    host: &mut dyn Host,
) -> Result<Vec<Activation<T>>> {
    let job = Job::new(model, sequence, rows, states)?;
    let symbols = matches!(sequence, Sequence::Symbols(_));
    let observer = model.observer(symbols, |step| observe(model, step))?;
    let run = job.run(isa, &observer.program, host)?;
    let named = observer.names.iter().zip(observer.program.results());
    let activation = |(number, (name, height)): (usize, (&String, usize))| {
        Ok(Activation {
            name: name.clone(),
            rows: height,
            values: result(&run, number, height, rows, columns)?,
        })
    };
    named.enumerate().map(activation).collect()
}

/// Makes a model's step give all that has a name, instead of its output alone; returns the names.
fn observe<T: Element>(model: &Model<T>, step: &mut Expression) -> Vec<String> {
    let config = model.config();
    let vectors = config.cell.states();
    let names: Vec<_> = model.params().iter().map(|(name, _)| name).collect();
    let owner = |number: usize| names[number].rsplit_once('.').map(|(owner, _)| owner);
    let gates = step.gates();
    let states = config.all_state_rows().len();
    let mut next = step.results.drain(..).collect::<Vec<_>>();
    let output = next.split_off(states);
    let mut found: Vec<(String, usize)> = Vec::new();
    for (number, next) in next.chunks(vectors.len()).enumerate() {
        let (scope, other) = scopes(number, model.is_bidirectional());
        for (vector, &node) in vectors.iter().zip(next) {
            found.push((format!("{scope}{vector}"), node));
        }
        for gate in (0..names.len()).filter_map(owner) {
            let own =
                gate.starts_with(&scope) && !other.as_ref().is_some_and(|o| gate.starts_with(o));
            let new = own && found.iter().all(|(name, _)| name != gate);
            let value = gates
                .iter()
                .find(|(weight, _)| owner(*weight) == Some(gate));
            if let (true, Some(&(_, node))) = (new, value) {
                found.push((gate.to_owned(), node));
            }
        }
    }
    found.extend(output.into_iter().map(|node| ("output".to_owned(), node)));
    step.results = next;
    step.results.extend(found.iter().map(|(_, node)| *node));
    found.into_iter().map(|(name, _)| name).collect()
}

/// What the names begin with that belong to the state of that number, and what those within do that
/// belong to the other direction.
fn scopes(number: usize, bidirectional: bool) -> (String, Option<String>) {
    if !bidirectional {
        return (layer_scope(number) + ".", None);
    }
    let forward = layer_scope(number / 2) + ".";
    let reverse = format!("{forward}{REVERSE}.");
    if number % 2 == 1 {
        return (reverse, None);
    }
    (forward, Some(reverse))
}
