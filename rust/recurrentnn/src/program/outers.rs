//! Which gradients of weights are worked out together.

use super::compile::PlacedJob;
use super::step::Weight;
use crate::kernels::machine::Place;

/// Jobs that have gradients of sums in common, or what was multiplied: each of these is read once.
pub(super) struct Group {
    pub(super) operands: Vec<Place>,
    pub(super) dzs: Vec<Dz>,
}

/// The gradient of a sum, and whose gradients follow from it.
pub(super) struct Dz {
    pub(super) grad: Place,
    /// Each with the number of its operand.
    pub(super) weights: Vec<(Weight, usize)>,
    pub(super) bias: Option<usize>,
}

impl Group {
    /// Groups of jobs, and the others.
    pub(super) fn of(jobs: &[PlacedJob]) -> (Vec<Self>, Vec<&PlacedJob>) {
        let mut groups: Vec<Self> = Vec::new();
        for job in jobs {
            if let PlacedJob::Outer { weight, grad, of } = *job {
                let fits = |group: &&mut Self| {
                    let shares = group.operands.contains(&of) || group.dz(grad).is_some();
                    shares && !group.has(weight.number)
                };
                let at = groups.iter_mut().find(fits);
                match at {
                    Some(group) => group.add(weight, grad, of),
                    None => groups.push(Self {
                        operands: vec![of],
                        dzs: vec![Dz {
                            grad,
                            weights: vec![(weight, 0)],
                            bias: None,
                        }],
                    }),
                }
            }
        }
        let mut others = Vec::new();
        for job in jobs {
            match *job {
                PlacedJob::Outer { .. } => {}
                PlacedJob::Columns { weight, grad }
                    if groups.iter_mut().any(|group| group.add_bias(weight, grad)) => {}
                _ => others.push(job),
            }
        }
        (groups, others)
    }

    fn dz(&self, grad: Place) -> Option<usize> {
        self.dzs.iter().position(|dz| dz.grad == grad)
    }

    /// Whether it gives this one's gradient: a weight used twice comes twice, one after the other.
    fn has(&self, number: usize) -> bool {
        self.dzs.iter().any(|dz| {
            let weights = &mut dz.weights.iter();
            dz.bias == Some(number) || weights.any(|(weight, _)| weight.number == number)
        })
    }

    fn add(&mut self, weight: Weight, grad: Place, of: Place) {
        let operand = self.operands.iter().position(|other| *other == of);
        let operand = operand.unwrap_or_else(|| {
            self.operands.push(of);
            self.operands.len() - 1
        });
        let dz = self.dz(grad).unwrap_or_else(|| {
            self.dzs.push(Dz {
                grad,
                weights: Vec::new(),
                bias: None,
            });
            self.dzs.len() - 1
        });
        self.dzs[dz].weights.push((weight, operand));
    }

    /// Whether the bias could be added.
    fn add_bias(&mut self, number: usize, grad: Place) -> bool {
        match self.dz(grad) {
            Some(dz) if self.dzs[dz].bias.is_none() && !self.has(number) => {
                self.dzs[dz].bias = Some(number);
                true
            }
            _ => false,
        }
    }
}
