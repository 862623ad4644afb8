//! Where the gates of a step are.

use super::expression::{Columns, Expression, Term};
use crate::ops::Form;

impl Expression {
    /// The gates, as the number of a parameter and that of a node: every value that a function of one
    /// number makes of a sum in which the parameter, or what is made of it, is multiplied by something
    /// of the step. In the order of the nodes.
    ///
    /// What is multiplied elementwise is no part of the sum: in `tanh(W x + r * (U h))` stands W x.
    pub fn gates(&self) -> Vec<(usize, usize)> {
        let mut gates = Vec::new();
        // Of every node: which parameters it is made of, or, if of the step, whose products it sums.
        let mut weights: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let batched = |&input: &usize| self.nodes[input].columns == Columns::Batch;
            let all = |inputs: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
                inputs.flat_map(|input| weights[input].clone()).collect()
            };
            let of = match &node.term {
                Term::Param(number) => vec![*number],
                Term::Input | Term::State(_) => Vec::new(),
                Term::Apply { op, inputs } => {
                    let mut inputs_of = inputs.iter().copied();
                    match (node.columns, op.form()) {
                        (Columns::Fixed(_), _) => all(&mut inputs_of),
                        (_, Form::Product) => all(&mut inputs_of.take(1)),
                        (_, Form::Map) => {
                            gates.extend(all(&mut inputs_of).into_iter().map(|of| (of, at)));
                            Vec::new()
                        }
                        (_, Form::Multiply | Form::Stack | Form::Mixes) => Vec::new(),
                        // A normalisation may stand between the sum and its function.
                        (_, Form::Sum | Form::Difference | Form::Affine { .. } | Form::Columns) => {
                            all(&mut inputs_of.filter(batched))
                        }
                    }
                }
            };
            weights.push(of);
        }
        gates
    }
}
