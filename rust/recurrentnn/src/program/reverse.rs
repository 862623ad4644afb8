//! The reverse of a step, appended to it: gradients as further nodes, and the jobs that collect the
//! gradients of weights at the end.

use super::step::{Factor, Id, Job, Kind, Step, Term};
use crate::kernels::Saved;

/// Appends the gradients of everything the results depend on; that of the input only if asked for.
pub(super) fn reverse(step: &mut Step, wants_input: bool) {
    let live = step.live();
    let forward = step.nodes.len();
    let mut into: Vec<Vec<Term>> = vec![Vec::new(); forward];
    for (number, id) in step.results.clone().into_iter().enumerate() {
        let grad = step.push(Kind::ResultGrad(number), step.rows(id), true);
        into[id].push(Term::Value(grad));
    }
    for (number, id) in step.next.clone().into_iter().enumerate() {
        let grad = step.push(Kind::StateGrad(number), step.rows(id), true);
        into[id].push(Term::Value(grad));
    }
    step.state_grads = vec![Id::MAX; step.states.len()];
    for id in (0..forward).rev() {
        let kind = step.kind(id).clone();
        let wanted = match kind {
            Kind::State(_) => true,
            Kind::Input => wants_input,
            Kind::Mask(_) => false,
            _ => live[id],
        };
        if !wanted {
            continue;
        }
        let terms = std::mem::take(&mut into[id]);
        let rows = step.rows(id);
        // What nothing depends on has gradient 0, but a state's must be there.
        let grad = match (&terms[..], &kind) {
            ([], Kind::State(_) | Kind::Input) => step.push(Kind::Sum(terms), rows, true),
            ([], _) => continue,
            ([Term::Value(one)], kind) if !matches!(kind, Kind::State(_) | Kind::Input) => *one,
            _ => step.push(Kind::Sum(terms), rows, true),
        };
        match kind {
            Kind::State(number) => step.state_grads[number] = grad,
            Kind::Input => step.input_grad = Some(grad),
            kind => spread(step, id, &kind, grad, &mut into),
        }
    }
}

/// Gives a value's gradient on to what it was computed from.
fn spread(step: &mut Step, id: Id, kind: &Kind, grad: Id, into: &mut [Vec<Term>]) {
    let rows = step.rows(id);
    match kind {
        Kind::Sum(terms) => {
            for term in terms {
                match *term {
                    Term::Value(of) | Term::Begun(of) => into[of].push(Term::Value(grad)),
                    Term::Negative(of) => into[of].push(Term::Negative(grad)),
                    Term::Column(weight) => step.jobs.push(Job::Columns { weight, grad }),
                    Term::Product { weight, of, .. } => {
                        step.jobs.push(Job::Outer { weight, grad, of });
                        into[of].push(Term::Product {
                            weight,
                            transposed: true,
                            of: grad,
                        });
                    }
                }
            }
        }
        Kind::Multiply(Factor::Value(a), b) => {
            for (of, other) in [(*a, *b), (*b, *a)] {
                if matches!(step.kind(of), Kind::Mask(_)) {
                    continue;
                }
                let product = step.push(Kind::Multiply(Factor::Value(grad), other), rows, true);
                into[of].push(Term::Value(product));
            }
        }
        Kind::Multiply(Factor::Weight(weight), of) => {
            let (weight, of) = (*weight, *of);
            step.jobs.push(Job::Products { weight, grad, of });
            let product = step.push(Kind::Multiply(Factor::Weight(weight), grad), rows, true);
            into[of].push(Term::Value(product));
        }
        Kind::Affine { of, scale, .. } => into[*of].push(if *scale == 1.0 {
            Term::Value(grad)
        } else if *scale == -1.0 {
            Term::Negative(grad)
        } else {
            let shift = 0.0;
            let scaled = Kind::Affine {
                of: grad,
                scale: *scale,
                shift,
            };
            Term::Value(step.push(scaled, rows, true))
        }),
        Kind::Map { op, of } => {
            // What it is written with is the same for both element types.
            let saved = match op.function::<f32>() {
                Some((Saved::Input, _)) => *of,
                _ => id,
            };
            let op = op.clone();
            let slope = step.push(Kind::Slope { op, grad, saved }, rows, true);
            into[*of].push(Term::Value(slope));
        }
        Kind::Call { inputs, .. } => {
            for (wrt, input) in inputs.iter().enumerate() {
                match *input {
                    Factor::Value(of) => {
                        let call = id;
                        let pull = Kind::Pull { call, wrt, grad };
                        let pull = step.push(pull, step.rows(of), true);
                        into[of].push(Term::Value(pull));
                    }
                    Factor::Weight(weight) => step.jobs.push(Job::Pull {
                        weight,
                        call: id,
                        wrt,
                        grad,
                    }),
                }
            }
        }
        // Gradients are made here, inputs have no operands.
        _ => {}
    }
}
