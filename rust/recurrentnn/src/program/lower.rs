//! From an expression to a step: parameters apart, products and sums in one form.

use super::expression::{Columns, Expression, Term as Recorded};
use super::step::{Factor, Id, Kind, Step, Term, Weight};
use crate::error::{Error, Result};
use crate::ops::{Form, Recorder};
use crate::shape::Shape;

/// What an expression computes from parameters alone: once a run, not once a step.
#[derive(Clone, Debug, Default)]
pub struct Prelude {
    expression: Expression,
}

impl Prelude {
    /// Whether the weights are the parameters.
    pub fn is_empty(&self) -> bool {
        self.expression.results.is_empty()
    }

    /// The weights: the parameters, and what is computed from them.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn weights<R: Recorder>(&self, r: &mut R, params: &[R::Var]) -> Result<Vec<R::Var>> {
        let mut weights = params.to_vec();
        if self.is_empty() {
            return Ok(weights);
        }
        if let Some(any) = params.first() {
            weights.extend(self.expression.replay(r, params, any, &[])?);
        }
        Ok(weights)
    }
}

/// Where an expression's node went.
#[derive(Clone, Copy)]
enum Lowered {
    /// A weight of that number.
    Weight(usize),
    /// A value of the step.
    Value(Id),
}

/// An expression, taken apart.
pub(super) struct Parts {
    pub(super) prelude: Prelude,
    /// Shapes of the weights.
    pub(super) weights: Vec<Shape>,
    pub(super) step: Step,
}

/// Takes an expression apart. Its results are first the states after the step, one for each of
/// `states`, their rows, and then what else the step gives.
///
/// # Errors
/// [`Error::Argument`] if there are too few results or they have not these rows; [`Error::Graph`] for a
/// product whose left operand is not made of parameters.
pub(super) fn lower(expression: &Expression, params: &[Shape], states: &[usize]) -> Result<Parts> {
    let mut lowering = Lowering::new(expression, params);
    for (number, rows) in states.iter().enumerate() {
        let id = lowering.step.push(Kind::State(number), *rows, false);
        lowering.step.states.push(id);
        lowering
            .step
            .reversed
            .push(expression.reversed.contains(&number));
    }
    for index in 0..expression.nodes.len() {
        let lowered = lowering.node(index)?;
        lowering.lowered.push(lowered);
    }
    lowering.finish(states)
}

struct Lowering<'a> {
    from: &'a Expression,
    lowered: Vec<Lowered>,
    weights: Vec<Shape>,
    prelude: Prelude,
    /// Where in the prelude each of its nodes is.
    in_prelude: Vec<usize>,
    step: Step,
}

impl<'a> Lowering<'a> {
    fn new(from: &'a Expression, params: &[Shape]) -> Self {
        Self {
            from,
            lowered: Vec::with_capacity(from.nodes.len()),
            weights: params.to_vec(),
            prelude: Prelude::default(),
            in_prelude: Vec::with_capacity(from.nodes.len()),
            step: Step::default(),
        }
    }

    fn node(&mut self, index: usize) -> Result<Lowered> {
        let node = &self.from.nodes[index];
        let prelude = &mut self.prelude.expression;
        self.in_prelude.push(prelude.nodes.len());
        if let Columns::Fixed(_) = node.columns {
            let mut node = node.clone();
            if let Recorded::Apply { inputs, .. } = &mut node.term {
                for input in inputs {
                    *input = self.in_prelude[*input];
                }
            }
            prelude.nodes.push(node);
        }
        let value = |id| Ok(Lowered::Value(id));
        match (&node.term, node.columns) {
            (Recorded::Param(number), _) => Ok(Lowered::Weight(*number)),
            (Recorded::Input, _) => value(self.step.push(Kind::Input, node.rows, false)),
            (Recorded::Mask(number), _) => {
                value(self.step.push(Kind::Mask(*number), node.rows, false))
            }
            (Recorded::State(number), _) => match self.step.states.get(*number) {
                Some(id) => value(*id),
                None => Err(Error::argument(
                    "compile",
                    "a state is read that nobody keeps",
                )),
            },
            (Recorded::Apply { .. }, Columns::Fixed(cols)) => {
                self.weights.push(Shape::new(node.rows, cols));
                prelude.results.push(prelude.nodes.len() - 1);
                Ok(Lowered::Weight(self.weights.len() - 1))
            }
            (Recorded::Apply { op, inputs }, Columns::Batch) => {
                let kind = match op.form() {
                    Form::Product => self.product(op.name(), inputs)?,
                    Form::Sum => self.sum(inputs, node.rows, &[]),
                    Form::Difference => self.sum(inputs, node.rows, &[1]),
                    Form::Multiply => self.multiply(inputs, node.rows),
                    Form::Affine { scale, shift } => match self.lowered[inputs[0]] {
                        Lowered::Value(of) => Some(Kind::Affine { of, scale, shift }),
                        Lowered::Weight(_) => None,
                    },
                    Form::Map => match self.lowered[inputs[0]] {
                        Lowered::Value(of) => Some(Kind::Map { op: op.clone(), of }),
                        Lowered::Weight(_) => None,
                    },
                    Form::Columns | Form::Stack | Form::Mixes => None,
                };
                let kind = kind.unwrap_or_else(|| Kind::Call {
                    op: op.clone(),
                    inputs: inputs.iter().map(|&input| self.factor(input)).collect(),
                });
                value(self.step.push(kind, node.rows, false))
            }
        }
    }

    fn factor(&self, index: usize) -> Factor {
        match self.lowered[index] {
            Lowered::Weight(number) => Factor::Weight(number),
            Lowered::Value(id) => Factor::Value(id),
        }
    }

    /// A weight of one column beside a value of as many rows.
    fn column(&self, number: usize, rows: usize) -> bool {
        self.weights[number] == Shape::new(rows, 1)
    }

    fn product(&self, op: &'static str, inputs: &[usize]) -> Result<Option<Kind>> {
        let (Lowered::Weight(number), Lowered::Value(of)) =
            (self.lowered[inputs[0]], self.lowered[inputs[1]])
        else {
            let message = "the left operand of a product in a step must be made of parameters";
            return Err(Error::graph(op, message));
        };
        let columns = self.weights[number].cols;
        let weight = Weight {
            number,
            first: 0,
            columns,
        };
        Ok(Some(Kind::Sum(self.segments(weight, of))))
    }

    /// W (a below b) = W_a a + W_b b: what is stacked only to be multiplied is never stacked.
    fn segments(&self, weight: Weight, of: Id) -> Vec<Term> {
        if let Kind::Call { op, inputs } = self.step.kind(of)
            && op.form() == Form::Stack
            && let Some(parts) = inputs.iter().map(|f| f.value()).collect::<Option<Vec<_>>>()
        {
            let mut first = weight.first;
            let mut terms = Vec::new();
            for part in parts {
                let columns = self.step.rows(part);
                let weight = Weight {
                    first,
                    columns,
                    ..weight
                };
                terms.extend(self.segments(weight, part));
                first += columns;
            }
            return terms;
        }
        vec![Term::Product {
            weight,
            transposed: false,
            of,
        }]
    }

    /// A sum, if no operand has to be broadcast along its rows; those of `negative` are subtracted.
    fn sum(&self, inputs: &[usize], rows: usize, negative: &[usize]) -> Option<Kind> {
        let term = |(at, &input): (usize, &usize)| match self.lowered[input] {
            Lowered::Value(id) if self.step.rows(id) != rows => None,
            Lowered::Value(id) if negative.contains(&at) => Some(Term::Negative(id)),
            Lowered::Value(id) => Some(Term::Value(id)),
            Lowered::Weight(number) if self.column(number, rows) && !negative.contains(&at) => {
                Some(Term::Column(number))
            }
            Lowered::Weight(_) => None,
        };
        let terms = inputs.iter().enumerate().map(term).collect::<Option<_>>()?;
        Some(Kind::Sum(terms))
    }

    /// An elementwise product, unless an operand has to be broadcast along its rows.
    fn multiply(&self, inputs: &[usize], rows: usize) -> Option<Kind> {
        let fits = |factor: Factor| match factor {
            Factor::Value(id) => self.step.rows(id) == rows,
            Factor::Weight(number) => self.column(number, rows),
        };
        let (a, b) = (self.factor(inputs[0]), self.factor(inputs[1]));
        match (a, b) {
            (a, Factor::Value(of)) if fits(a) && fits(b) => Some(Kind::Multiply(a, of)),
            (Factor::Value(of), b) if fits(a) && fits(b) => Some(Kind::Multiply(b, of)),
            _ => None,
        }
    }

    fn finish(mut self, states: &[usize]) -> Result<Parts> {
        if self.from.results.len() < states.len() {
            return Err(Error::argument(
                "compile",
                "the step must give every state anew",
            ));
        }
        let results = self.from.results.clone();
        for (at, index) in results.into_iter().enumerate() {
            let Lowered::Value(mut id) = self.lowered[index] else {
                let message = "what a step gives must depend on its input or state";
                return Err(Error::argument("compile", message));
            };
            let state = states.get(at);
            // A place of its own for each: what is given on as it came, or twice, is copied.
            let given = matches!(
                self.step.kind(id),
                Kind::Input | Kind::State(_) | Kind::Mask(_)
            );
            if given || state.is_some() && self.step.next.contains(&id) {
                let copy = Kind::Affine {
                    of: id,
                    scale: 1.0,
                    shift: 0.0,
                };
                id = self.step.push(copy, self.step.rows(id), false);
            }
            match state {
                None => self.step.results.push(id),
                Some(&rows) if rows == self.step.rows(id) => self.step.next.push(id),
                Some(rows) => {
                    let found = self.step.rows(id);
                    let message = format!("state {at} must have {rows} rows but has {found}");
                    return Err(Error::shape("compile", message));
                }
            }
        }
        Ok(Parts {
            prelude: self.prelude,
            weights: self.weights,
            step: self.step,
        })
    }
}
