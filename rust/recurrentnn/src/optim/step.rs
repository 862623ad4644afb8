//! One step over all parameters.

use super::UpdateRule;
use super::groups::Optimizer;
use super::moments::{Ids, Moments};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::update::Update;
use crate::kernels::{Isa, reduce};
use crate::matrix::Matrix;
use crate::params::is_bias;

/// What one step saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepStats {
    /// Euclidean norm of all gradients together, before any clipping; of their means over passes.
    pub grad_norm: f64,
    /// Share of elements that clipping by value changed.
    pub clipped_fraction: f64,
}

/// A matrix to step, with its name where it has one.
pub type Named<'a, T> = (Option<&'a str>, &'a Matrix<T>);

/// One step over all parameters: a pass that reads (finiteness, norm), then a pass that changes. The
/// gradients used are set to zero. A matrix named twice counts once; one without a gradient has the
/// gradient 0. Of gradients added up over several backward passes the mean is used, and told.
///
/// # Errors
/// [`Error::NonFinite`] names the first gradient that is infinite or NaN; [`Error::Graph`] if a
/// recording that used a parameter still waits for its backward pass; [`Error::Argument`] for no
/// passes. Nothing is changed then.
pub fn step<T: Element, R: UpdateRule>(
    isa: Isa,
    optimizer: &Optimizer<R>,
    moments: &mut Moments<T>,
    parameters: &[Named<'_, T>],
    passes: usize,
) -> Result<StepStats> {
    let options = optimizer.resolved()?;
    if passes == 0 {
        return Err(Error::argument(R::CLASS, "passes must be above 0 but is 0"));
    }
    let clip = optimizer.options().clip;
    let mut seen = Ids::default();
    seen.reserve(parameters.len());
    let parameters: Vec<_> = parameters
        .iter()
        .filter(|(_, m)| seen.insert(m.id()))
        .collect();
    let grad_norm = inspect(isa, optimizer, &parameters)? / passes as f64;
    let scale = match clip.norm {
        Some(limit) if grad_norm > limit => limit / grad_norm,
        _ => 1.0,
    };
    let mut borrowed = Vec::with_capacity(parameters.len());
    for (name, matrix) in parameters {
        let options = &options[optimizer.place(*name)];
        let spared = matrix.is_spared() || name.is_some_and(is_bias);
        let decay = if spared && !options.decay_all {
            0.0
        } else {
            options.weight_decay
        };
        borrowed.push((
            *matrix,
            options,
            decay,
            matrix.value_mut()?,
            matrix.grad_mut()?,
        ));
    }
    let (mut elements, mut clipped) = (0, 0.0);
    for (matrix, options, decay, mut value, mut grad) in borrowed {
        let moment = moments.of(matrix, &options.rule);
        moment.past.steps += 1;
        let rate = options.learning_rate * optimizer.rate_factor();
        let update = Update {
            rule: options.rule.kernel(rate, decay, &mut moment.past),
            scale: scale / passes as f64,
            limit: clip.value,
        };
        let memory = &mut moment.of_weights[..options.rule.remembers()];
        elements += value.len();
        clipped += update.run(isa, &mut value, &mut grad, memory);
    }
    Ok(StepStats {
        grad_norm,
        clipped_fraction: if elements == 0 {
            0.0
        } else {
            clipped / elements as f64
        },
    })
}

/// The norm of all gradients, every one of which is finite and ready.
fn inspect<T: Element, R: UpdateRule>(
    isa: Isa,
    optimizer: &Optimizer<R>,
    parameters: &[&Named<'_, T>],
) -> Result<f64> {
    let op = R::CLASS;
    let mut sum = 0.0;
    for (number, (name, matrix)) in parameters.iter().enumerate() {
        let label = || name.map_or_else(|| format!("parameter {number}"), ToOwned::to_owned);
        if matrix.is_pending() {
            let message = format!(
                "{} was used by a recording whose backward has not run; run it, or clear the graph",
                label()
            );
            return Err(Error::graph(op, message));
        }
        if matrix.grad_if_any().is_none() {
            continue;
        }
        let grad = matrix.grad()?;
        let squares = reduce::sum_of_squares(isa, &grad);
        // No square exceeds their sum: only a large one, or NaN, can have a bad gradient in it.
        if squares.is_nan() || squares > T::MAX.to_f64() {
            let raw = optimizer.options().squares_raw();
            let squared = |g: T| if raw { g * g } else { g };
            if let Some(at) = grad.iter().position(|&g| !squared(g).is_finite()) {
                return Err(Error::non_finite(op, blame(&label(), matrix, &grad, at)));
            }
        }
        sum += squares;
    }
    if sum.is_finite() {
        return Ok(sum.sqrt());
    }
    Err(Error::non_finite(
        op,
        "the norm of all gradients is infinite",
    ))
}

/// Says what is wrong with the gradient of a matrix at this index.
fn blame<T: Element>(label: &str, matrix: &Matrix<T>, grad: &[T], at: usize) -> String {
    let (row, col) = (at % matrix.rows(), at / matrix.rows());
    let why = if grad[at].is_finite() {
        ", whose square is infinite"
    } else {
        ""
    };
    format!("gradient of {label} is {} at ({row}, {col}){why}", grad[at])
}
