//! Sums of sums become one sum, and `1 - x` one instruction.

use super::step::{Kind, Step, Term};

/// Merges what is read once into what reads it.
pub(super) fn accumulate(step: &mut Step) {
    let uses = step.uses();
    for id in 0..step.nodes.len() {
        match step.kind(id).clone() {
            Kind::Sum(terms) => {
                let merged = terms.into_iter().flat_map(|term| merge(step, &uses, term));
                let mut merged: Vec<Term> = merged.collect();
                // Columns begin the sum, then products continue it, that of the input first; then values
                // are added.
                merged.sort_by_key(|term| match term {
                    Term::Column(_) => 0,
                    Term::Product { of, .. } if matches!(step.kind(*of), Kind::Input) => 1,
                    Term::Product { .. } => 2,
                    _ => 3,
                });
                step.nodes[id].kind = Kind::Sum(merged);
            }
            Kind::Affine {
                of,
                scale: 1.0,
                shift,
            } if uses[of] == 1 => {
                // (-x) + s and s - x have the same bits; a factor would round once more.
                if let Kind::Affine {
                    of,
                    scale: -1.0,
                    shift: 0.0,
                } = *step.kind(of)
                {
                    let scale = -1.0;
                    step.nodes[id].kind = Kind::Affine { of, scale, shift };
                }
            }
            _ => {}
        }
    }
}

/// The terms of a sum that only this term reads, or the term.
fn merge(step: &Step, uses: &[usize], term: Term) -> Vec<Term> {
    if let Term::Value(of) = term
        && uses[of] == 1
        && let Kind::Sum(terms) = step.kind(of)
    {
        return terms.clone();
    }
    vec![term]
}
