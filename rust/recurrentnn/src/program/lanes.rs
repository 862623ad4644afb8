//! Arithmetic of a value as instructions, and the pass that makes one of what is often done in a row.

use smallvec::{SmallVec, smallvec};

use super::emit::Arithmetic;
use super::step::{Factor, Id, Kind, Step, Term};
use crate::kernels::machine::Use;

/// Values that are computed where they are read, and nowhere else.
#[derive(Default)]
pub(super) struct Absorbed(Vec<bool>);

impl Absorbed {
    pub(super) fn is(&self, id: Id) -> bool {
        self.0.get(id).copied().unwrap_or(false)
    }
}

/// Finds what can be absorbed: read once, by something computed in the same phase.
pub(super) fn absorb(step: &Step, live: &[bool], together: &dyn Fn(Id, Id) -> bool) -> Absorbed {
    let uses = step.uses();
    let mut absorbed = Absorbed(vec![false; step.nodes.len()]);
    let can = |of: Id, into: Id| live[into] && uses[of] == 1 && together(of, into);
    // Products go into slopes and sums, then slopes of products into sums, sums of two into functions.
    for (id, node) in step.nodes.iter().enumerate() {
        match &node.kind {
            Kind::Slope { grad, .. } if can(*grad, id) => {
                absorbed.0[*grad] = matches!(step.kind(*grad), Kind::Multiply(..));
            }
            Kind::Sum(terms) => {
                for term in terms {
                    if let Term::Value(of) | Term::Negative(of) = *term
                        && can(of, id)
                        && matches!(step.kind(of), Kind::Multiply(..))
                    {
                        absorbed.0[of] = true;
                    }
                }
            }
            _ => {}
        }
    }
    for (id, node) in step.nodes.iter().enumerate() {
        match &node.kind {
            Kind::Sum(terms) if terms.len() > 1 => {
                for term in terms {
                    if let Term::Value(of) = *term
                        && can(of, id)
                        && matches!(step.kind(of), Kind::Slope { grad, .. } if absorbed.is(*grad))
                    {
                        absorbed.0[of] = true;
                    }
                }
            }
            Kind::Map { of, .. } if can(*of, id) => {
                if let Kind::Sum(terms) = step.kind(*of)
                    && let [Term::Value(a), Term::Value(b)] = terms[..]
                {
                    absorbed.0[*of] = !absorbed.is(a) && !absorbed.is(b);
                }
            }
            _ => {}
        }
    }
    absorbed
}

type Inputs = SmallVec<[Factor; 4]>;

/// The instructions of a value, all of which write it; its products are already in place.
pub(super) fn lanes(step: &Step, absorbed: &Absorbed, id: Id) -> Vec<(Arithmetic, Inputs)> {
    let value = Factor::Value;
    match step.kind(id) {
        Kind::Multiply(a, b) => vec![(Arithmetic::Mul, smallvec![*a, value(*b)])],
        Kind::Affine { of, scale, shift } => affine(value(*of), *scale, *shift),
        Kind::Map { op, of } => {
            if absorbed.is(*of)
                && let Kind::Sum(terms) = step.kind(*of)
            {
                let inputs = terms.iter().filter_map(Term::value).map(value).collect();
                return vec![(Arithmetic::Function(op.clone(), Use::OfSum), inputs)];
            }
            let function = Arithmetic::Function(op.clone(), Use::Value);
            vec![(function, smallvec![value(*of)])]
        }
        Kind::Slope { op, grad, saved } => {
            if let Some((a, b)) = product(step, absorbed, *grad) {
                let function = Arithmetic::Function(op.clone(), Use::ProductSlope);
                return vec![(function, smallvec![a, b, value(*saved)])];
            }
            let function = Arithmetic::Function(op.clone(), Use::Slope);
            vec![(function, smallvec![value(*grad), value(*saved)])]
        }
        Kind::Sum(terms) => sum(step, absorbed, id, terms),
        _ => Vec::new(),
    }
}

/// scale x + shift; whoever made it knows that -x + shift and shift - x are the same.
fn affine(x: Factor, scale: f64, shift: f64) -> Vec<(Arithmetic, Inputs)> {
    let one = |arithmetic| vec![(arithmetic, smallvec![x])];
    match (scale, shift) {
        (1.0, 0.0) => one(Arithmetic::Copy),
        (-1.0, 0.0) => one(Arithmetic::Neg),
        (1.0, shift) => one(Arithmetic::Shift(shift)),
        (-1.0, shift) => one(Arithmetic::From(shift)),
        (scale, _) => one(Arithmetic::Scale(scale)),
    }
}

/// The factors of a product that is computed where it is read.
fn product(step: &Step, absorbed: &Absorbed, id: Id) -> Option<(Factor, Factor)> {
    match step.kind(id) {
        Kind::Multiply(a, b) if absorbed.is(id) => Some((*a, Factor::Value(*b))),
        _ => None,
    }
}

/// A sum as far as it is written down.
enum Sum {
    Nothing,
    /// In the value itself.
    Written,
    /// Not yet written: one factor, its negative, or a product.
    Plain(Factor),
    Negative(Factor),
    Product(Factor, Factor),
}

/// Terms are added from left to right, so that fused or not the bits are the same.
fn sum(step: &Step, absorbed: &Absorbed, id: Id, terms: &[Term]) -> Vec<(Arithmetic, Inputs)> {
    use Arithmetic::{Add, AddMul, Function, Mul, MulMul, Neg, Sub, SubMul};
    let mut out: Vec<(Arithmetic, Inputs)> = Vec::new();
    let in_place = terms
        .iter()
        .any(|t| t.is_product() || matches!(t, Term::Begun(_)));
    let mut sum = if in_place { Sum::Written } else { Sum::Nothing };
    let this = Factor::Value(id);
    for (at, term) in terms.iter().enumerate() {
        let (factor, negative) = match *term {
            Term::Product { .. } | Term::Begun(_) => continue,
            // The first product began with it.
            Term::Column(_) if at == 0 && in_place => continue,
            Term::Column(weight) => (Factor::Weight(weight), false),
            Term::Value(of) => (Factor::Value(of), false),
            Term::Negative(of) => (Factor::Value(of), true),
        };
        let of = factor.value();
        let factors = of.and_then(|of| product(step, absorbed, of));
        let slope = of.and_then(|of| match step.kind(of) {
            Kind::Slope { op, grad, saved } if absorbed.is(of) => {
                let (a, b) = product(step, absorbed, *grad)?;
                Some((op.clone(), a, b, Factor::Value(*saved)))
            }
            _ => None,
        });
        // What cannot wait is written first.
        let mut write = |sum: Sum| match sum {
            Sum::Negative(n) => {
                out.push((Neg, smallvec![n]));
                this
            }
            Sum::Product(a, b) => {
                out.push((Mul, smallvec![a, b]));
                this
            }
            Sum::Plain(factor) => factor,
            Sum::Nothing | Sum::Written => this,
        };
        sum = match (sum, factors, slope) {
            (Sum::Nothing, None, None) if negative => Sum::Negative(factor),
            (Sum::Nothing, None, None) => Sum::Plain(factor),
            (Sum::Nothing, Some((a, b)), _) if !negative => Sum::Product(a, b),
            (Sum::Nothing, Some((a, b)), _) => {
                write(Sum::Product(a, b));
                out.push((Neg, smallvec![this]));
                Sum::Written
            }
            (Sum::Nothing, None, Some((op, a, b, saved))) => {
                out.push((Function(op, Use::ProductSlope), smallvec![a, b, saved]));
                Sum::Written
            }
            (Sum::Negative(n), None, None) if !negative => {
                out.push((Sub, smallvec![factor, n]));
                Sum::Written
            }
            (Sum::Product(a, b), None, None) if !negative => {
                out.push((AddMul, smallvec![a, b, factor]));
                Sum::Written
            }
            (Sum::Product(a, b), Some((c, d)), None) if !negative => {
                out.push((MulMul, smallvec![a, b, c, d]));
                Sum::Written
            }
            (before, factors, slope) => {
                let before = write(before);
                out.push(match (factors, slope) {
                    (Some((a, b)), _) if negative => (SubMul, smallvec![a, b, before]),
                    (Some((a, b)), _) => (AddMul, smallvec![a, b, before]),
                    (None, Some((op, a, b, saved))) => {
                        let function = Function(op, Use::AddProductSlope);
                        (function, smallvec![a, b, saved, before])
                    }
                    (None, None) if negative => (Sub, smallvec![before, factor]),
                    (None, None) => (Add, smallvec![before, factor]),
                });
                Sum::Written
            }
        };
    }
    match sum {
        Sum::Nothing => out.push((Arithmetic::Zero, smallvec![])),
        Sum::Written => {}
        Sum::Plain(factor) => out.push((Arithmetic::Copy, smallvec![factor])),
        Sum::Negative(factor) => out.push((Neg, smallvec![factor])),
        Sum::Product(a, b) => out.push((Mul, smallvec![a, b])),
    }
    out
}
