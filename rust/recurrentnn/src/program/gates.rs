//! Where the gates of a step are.

use super::expression::{Columns, Expression, Term};
use crate::ops::Form;

impl Expression {
    /// The gates, each as the number of a parameter and that of a node: every value that a function of
    /// one number makes of a sum in which the parameter, or what is made of it, is multiplied by
    /// something of the step. In the order of the nodes.
    ///
    /// What is multiplied elementwise is no part of the sum: that of `tanh(W x + r * (U h))` has W x
    /// alone.
    pub fn gates(&self) -> Vec<(usize, usize)> {
        let mut gates = Vec::new();
        // Of every node: the parameters that it is made of, or, if it is of the step, those whose
        // products it sums.
        let mut weights: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let mut of = Vec::new();
            match &node.term {
                Term::Param(number) => of.push(*number),
                Term::Input | Term::State(_) | Term::Mask(_) => {}
                Term::Apply { op, inputs } => {
                    let form = op.form();
                    let counts = |place: usize, input: usize| match (node.columns, form) {
                        (Columns::Fixed(_), _) | (_, Form::Map) => true,
                        (_, Form::Product) => place == 0,
                        // A normalisation may stand between a sum and its function.
                        (_, Form::Sum | Form::Difference | Form::Affine { .. } | Form::Columns) => {
                            self.nodes[input].columns == Columns::Batch
                        }
                        (_, Form::Multiply | Form::Stack | Form::Mixes) => false,
                    };
                    for (place, &input) in inputs.iter().enumerate() {
                        if counts(place, input) {
                            of.extend(&weights[input]);
                        }
                    }
                    if node.columns == Columns::Batch && form == Form::Map {
                        gates.extend(of.drain(..).map(|parameter| (parameter, at)));
                    }
                }
            }
            weights.push(of);
        }
        gates
    }
}
