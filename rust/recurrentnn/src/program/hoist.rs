//! What a sum in a loop gets from outside of it is summed before the loop, for all steps at once.

use super::order::cycles;
use super::step::{Kind, Step, Term};

/// Splits sums in loops into a part that can begin outside and the rest, which continues it in place.
pub(super) fn hoist(step: &mut Step) {
    let cycles = cycles(step);
    let live = step.live();
    for (id, live) in live.into_iter().enumerate() {
        let Kind::Sum(terms) = step.kind(id) else {
            continue;
        };
        // The gradient of a state is handed from step to step: no sequence of it could be begun.
        if !live || cycles.of(id).is_none() || step.state_grads.contains(&id) {
            continue;
        }
        let outside = |term: &Term| match term.value() {
            Some(of) => cycles.of(of) != cycles.of(id),
            None => true,
        };
        let (before, within): (Vec<Term>, Vec<Term>) = terms.iter().cloned().partition(outside);
        let values = before.iter().filter(|term| term.value().is_some()).count();
        if !before.iter().any(Term::is_product) && values < 2 {
            continue;
        }
        let (rows, is_gradient) = (step.rows(id), step.is_gradient[id]);
        let begun = step.push(Kind::Sum(before), rows, is_gradient);
        let rest = std::iter::once(Term::Begun(begun)).chain(within);
        step.nodes[id].kind = Kind::Sum(rest.collect());
    }
}
