//! Optimizers: a rule for one number, its gradient and its running mean; walking parameters,
//! clipping and statistics are written once, here. No parameter is known by name.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::update::{Rule, Update};
use crate::kernels::{Isa, reduce};
use crate::matrix::Matrix;
use crate::params::is_bias;

mod moments;
mod rmsprop;
mod solver;

use moments::Ids;
pub use moments::Moments;
pub use rmsprop::RmsProp;
pub use solver::Solver;

/// The names of all rules.
pub const NAMES: &[&str] = &[RmsProp::NAME, Solver::NAME];

/// How an optimizer changes weights: [`Rule::update`] gets their running mean square `s`.
pub trait UpdateRule: Rule {
    /// The name in tables.
    const NAME: &'static str;
    /// The name of the class, in messages.
    const CLASS: &'static str;

    /// Fails unless every setting is in its domain.
    ///
    /// # Errors
    /// [`Error::Argument`] names the setting.
    fn check(&self) -> Result<()>;

    /// How gradients are clipped.
    fn clip(&self) -> Clip;

    /// Whether weight decay reaches biases too.
    fn decays_biases(&self) -> bool;

    /// Whether the mean square is that of clipped gradients, which cannot overflow.
    fn squares_clipped(&self) -> bool;
}

/// How gradients are clipped: by the norm over all parameters first, then each element by value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clip {
    /// Largest magnitude of an element.
    pub value: Option<f64>,
    /// Largest norm over all parameters.
    pub norm: Option<f64>,
}

/// What one step saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepStats {
    /// Euclidean norm of all gradients together, before any clipping.
    pub grad_norm: f64,
    /// Share of elements that clipping by value changed.
    pub clipped_fraction: f64,
}

/// A matrix to step, with its name where it has one.
pub type Named<'a, T> = (Option<&'a str>, &'a Matrix<T>);

/// One step over all parameters: a pass that reads (finiteness, norm), then a pass that changes. The
/// gradients used are set to zero. A matrix named twice counts once.
///
/// # Errors
/// [`Error::NonFinite`] names the first gradient that is infinite or NaN; [`Error::Graph`] if a
/// recording that used a parameter still waits for its backward pass. Nothing is changed then.
pub fn step<T: Element, R: UpdateRule>(
    isa: Isa,
    rule: &R,
    moments: &mut Moments<T>,
    parameters: &[Named<'_, T>],
) -> Result<StepStats> {
    rule.check()?;
    let mut seen = Ids::default();
    seen.reserve(parameters.len());
    let parameters: Vec<_> = parameters
        .iter()
        .filter(|(_, m)| seen.insert(m.id()))
        .collect();
    let grad_norm = inspect(isa, rule, &parameters)?;
    let scale = match rule.clip().norm {
        Some(limit) if grad_norm > limit => limit / grad_norm,
        _ => 1.0,
    };
    let mut borrowed = Vec::with_capacity(parameters.len());
    for (name, matrix) in parameters {
        let decays = rule.decays_biases() || !name.is_some_and(is_bias);
        borrowed.push((*matrix, decays, matrix.value_mut()?, matrix.grad_mut()?));
    }
    let (mut elements, mut clipped) = (0, 0.0);
    for (matrix, decays, mut value, mut grad) in borrowed {
        let update = Update {
            rule: *rule,
            scale,
            limit: rule.clip().value,
            decays,
        };
        elements += value.len();
        clipped += update.run(isa, &mut value, &mut grad, moments.mean(matrix));
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
    rule: &R,
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
            let squared = |g: T| if rule.squares_clipped() { g } else { g * g };
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

/// Settings end here: beyond, float32 has no numbers.
const LARGEST: f64 = 1e30;

/// Fails unless `low <= value < high`, NaN included.
fn expect_range(
    op: &'static str,
    name: &str,
    value: f64,
    range: std::ops::Range<f64>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let message = format!(
        "{name} must be in [{}, {}) but is {value}",
        range.start, range.end
    );
    Err(Error::argument(op, message))
}

/// Fails unless the value, if there is one, is above 0.
fn expect_positive(op: &'static str, name: &str, value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(value > 0.0 && value.is_finite()) => {
            let message = format!("{name} must be finite and above 0 but is {value}");
            Err(Error::argument(op, message))
        }
        _ => Ok(()),
    }
}
