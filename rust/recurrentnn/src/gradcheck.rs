//! Gradients against differences: whether a backward pass gives the derivative.

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::kernels::Isa;
use crate::matrix::{Matrix, Origin};

/// The name in messages.
const OP: &str = "gradcheck";

/// How far apart the differences are taken, and what is let pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// h of an element w is step max(1, |w|). Kinks must be farther away than that.
    pub step: f64,
    /// Largest error allowed.
    pub tolerance: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            step: 1e-3,
            tolerance: 1e-7,
        }
    }
}

/// Compares the gradients of a function with central differences, element by element, and returns
/// the largest error found:
///
/// ```text
/// d(h)    = (f(w + h) - f(w - h)) / 2h
/// numeric = (4 d(h/2) - d(h)) / 3            Richardson: its error falls with h^4
/// error   = |gradient - numeric| / max(1, max |numeric|)      the maximum per matrix
/// ```
///
/// `function` gets a graph and `matrices`, and may use other matrices besides; these gather
/// gradients as in any backward pass. Of a result that is not 1x1 a fixed weighted sum of the
/// elements is checked. Values and gradients of `matrices` are afterwards what they were before.
///
/// # Errors
/// [`Error::Argument`] names the matrix, the element and both numbers where the error is above the
/// tolerance or not a number; also for no matrix, one that is no leaf, a step that is not above 0,
/// and a function that gives NaN or two values for the same matrices. [`Error::Graph`] while a
/// recording that used one of the matrices waits for its backward pass. Whatever `function` returns.
///
/// ```
/// use recurrentnn::gradcheck::{Options, gradcheck};
/// use recurrentnn::{kernels::Isa, matrix::Matrix, ops::Recorder, shape::Shape};
///
/// let w = Matrix::from_vec(Shape::new(1, 2), vec![3.0, -1.0])?;
/// let x = Matrix::from_vec(Shape::new(2, 1), vec![0.5, 2.0])?;
/// let worst = gradcheck(
///     Isa::best(),
///     &[w, x],
///     |graph, m| {
///         let product = graph.matmul(&m[0], &m[1])?;
///         graph.tanh(&product)
///     },
///     Options::default(),
/// )?;
/// assert!(worst < 1e-9);
/// # Ok::<(), recurrentnn::error::Error>(())
/// ```
pub fn gradcheck<F>(
    isa: Isa,
    matrices: &[Matrix<f64>],
    function: F,
    options: Options,
) -> Result<f64>
where
    F: Fn(&mut Graph<f64>, &[Matrix<f64>]) -> Result<Matrix<f64>>,
{
    check(matrices, options)?;
    let objective = Objective {
        isa,
        matrices,
        function,
    };
    // NaN equals nothing.
    if objective.value()? != objective.value()? {
        return refuse("function must give one value for the same matrices, and not NaN");
    }
    let gradients = objective.gradients()?;
    let mut worst = 0.0_f64;
    for (number, gradient) in gradients.iter().enumerate() {
        worst = worst.max(objective.compare(number, gradient, options)?);
    }
    Ok(worst)
}

fn check(matrices: &[Matrix<f64>], options: Options) -> Result<()> {
    if matrices.is_empty() {
        return refuse("matrices must not be empty");
    }
    if !(options.step > 0.0 && options.step.is_finite()) {
        let step = options.step;
        return refuse(format!("step must be finite and above 0 but is {step}"));
    }
    for (number, matrix) in matrices.iter().enumerate() {
        if !matches!(matrix.origin(), Origin::Leaf) {
            return refuse(format!("matrix {number} must be a leaf"));
        }
        if matrix.is_pending() {
            let message = format!(
                "matrix {number} was used by a recording whose backward has not run; \
                 run it, or clear the graph"
            );
            return Err(Error::graph(OP, message));
        }
    }
    Ok(())
}

fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::argument(OP, message))
}

/// A function's result as one number: the sum of its elements by fixed weights.
struct Objective<'a, F> {
    isa: Isa,
    matrices: &'a [Matrix<f64>],
    function: F,
}

/// 1 for a loss; else no two alike, so that a gradient in the wrong place shows.
fn weight(element: usize) -> f64 {
    (element as f64).cos()
}

impl<F> Objective<'_, F>
where
    F: Fn(&mut Graph<f64>, &[Matrix<f64>]) -> Result<Matrix<f64>>,
{
    fn value(&self) -> Result<f64> {
        let mut graph = Graph::without_recording(self.isa);
        let result = (self.function)(&mut graph, self.matrices)?;
        let value = result.value()?;
        Ok(value.iter().enumerate().map(|(k, y)| weight(k) * y).sum())
    }

    /// The gradients that a backward pass from zero gives; those that were there are put back.
    fn gradients(&self) -> Result<Vec<Vec<f64>>> {
        let gradients = || {
            self.matrices
                .iter()
                .map(|m| Ok(m.grad()?.to_vec()))
                .collect()
        };
        let before: Vec<Vec<f64>> = gradients()?;
        let found = self.backward().and_then(|()| gradients());
        for (matrix, before) in self.matrices.iter().zip(before) {
            matrix.grad_mut()?.copy_from_slice(&before);
        }
        found
    }

    fn backward(&self) -> Result<()> {
        self.matrices.iter().try_for_each(Matrix::zero_grad)?;
        let mut graph = Graph::new(self.isa);
        let result = (self.function)(&mut graph, self.matrices)?;
        for (k, seed) in result.grad_mut()?.iter_mut().enumerate() {
            *seed = weight(k);
        }
        graph.backward(false)
    }

    /// The largest error of one matrix.
    fn compare(&self, number: usize, gradient: &[f64], options: Options) -> Result<f64> {
        let matrix = &self.matrices[number];
        let numeric = (0..gradient.len())
            .map(|at| self.derivative(matrix, at, options.step))
            .collect::<Result<Vec<_>>>()?;
        let largest = numeric.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
        let mut worst = (0, 0.0);
        for (at, (g, numeric)) in gradient.iter().zip(&numeric).enumerate() {
            let error = (g - numeric).abs() / largest;
            let error = if error.is_nan() { f64::INFINITY } else { error };
            if error > worst.1 {
                worst = (at, error);
            }
        }
        let (at, error) = worst;
        if error <= options.tolerance {
            return Ok(error);
        }
        let (row, col) = (at % matrix.rows(), at / matrix.rows());
        refuse(format!(
            "matrix {number} has gradient {} at ({row}, {col}) but differences give {}: \
             error {error:.3e}, above {:.3e}",
            gradient[at], numeric[at], options.tolerance
        ))
    }

    /// The derivative by one element, whose value is put back.
    fn derivative(&self, matrix: &Matrix<f64>, at: usize, step: f64) -> Result<f64> {
        let kept = matrix.value()?[at];
        let h = step * kept.abs().max(1.0);
        let central = |h: f64| {
            let (high, low) = (kept + h, kept - h);
            matrix.value_mut()?[at] = high;
            let above = self.value()?;
            matrix.value_mut()?[at] = low;
            // The step that was really taken, rounded as w +- h was.
            Ok((above - self.value()?) / (high - low))
        };
        let pair = central(h / 2.0).and_then(|near| Ok((near, central(h)?)));
        matrix.value_mut()?[at] = kept;
        pair.map(|(near, far)| (4.0 * near - far) / 3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Recorder;
    use crate::shape::Shape;

    fn leaf(data: &[f64]) -> Matrix<f64> {
        Matrix::from_vec(Shape::new(2, data.len() / 2), data.to_vec()).unwrap()
    }

    fn check(
        matrices: &[Matrix<f64>],
        function: impl Fn(&mut Graph<f64>, &[Matrix<f64>]) -> Result<Matrix<f64>>,
    ) -> std::result::Result<f64, String> {
        let result = gradcheck(Isa::best(), matrices, function, Options::default());
        result.map_err(|error| error.to_string())
    }

    #[test]
    fn a_wrong_gradient_is_named_with_both_numbers() {
        let (a, b) = (leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0, 5.0, 6.0]));
        let wrong = |graph: &mut Graph<f64>, m: &[Matrix<f64>]| {
            // Recorded with another slope than that of the values.
            let slope = if graph.is_recording() { 2.0 } else { 3.0 };
            let scaled = graph.scale(&m[1], slope)?;
            graph.slice_columns(&scaled, 1, 2)
        };
        let message = check(&[a, b], wrong).unwrap_err();
        let start = "gradcheck: matrix 1 has gradient 2 at (0, 1) but differences give ";
        let numeric = message
            .strip_prefix(start)
            .unwrap()
            .split(':')
            .next()
            .unwrap();
        assert!(
            (numeric.parse::<f64>().unwrap() - 3.0).abs() < 1e-9,
            "{message}"
        );
    }

    #[test]
    fn a_gradient_that_is_missing_or_infinite_is_an_error() {
        let m = [leaf(&[1.0, 2.0])];
        let by_value = check(&m, |graph, m| {
            let constant = Matrix::constant(m[0].shape(), m[0].to_vec()?)?;
            let sum = graph.add(&[&constant, &constant])?;
            let nothing = graph.scale(&m[0], 0.0)?;
            graph.add(&[&sum, &nothing])
        });
        assert!(by_value.unwrap_err().contains("has gradient 0 at (0, 0)"));
        let at_the_edge = check(&[leaf(&[0.0, 2.0])], |graph, m| graph.sqrt(&m[0]));
        assert!(
            at_the_edge
                .unwrap_err()
                .contains("has gradient inf at (0, 0)")
        );
    }

    #[test]
    fn values_and_gradients_are_put_back() {
        let m = leaf(&[0.1, -0.2, 0.3, 0.4]);
        m.grad_mut().unwrap().fill(7.0);
        let before = m.to_vec().unwrap();
        let function = |graph: &mut Graph<f64>, m: &[Matrix<f64>]| graph.mul(&m[0], &m[0]);
        assert!(check(std::slice::from_ref(&m), function).unwrap() < 1e-9);
        let refused = |graph: &mut Graph<f64>, m: &[Matrix<f64>]| {
            let stop = if graph.is_recording() { 9 } else { 1 };
            graph.slice_rows(&m[0], 0, stop)
        };
        assert!(check(std::slice::from_ref(&m), refused).is_err());
        assert_eq!(m.to_vec().unwrap(), before);
        assert_eq!(m.grad().unwrap().to_vec(), [7.0; 4]);
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let tanh = |graph: &mut Graph<f64>, m: &[Matrix<f64>]| graph.tanh(&m[0]);
        let m = leaf(&[1.0, 2.0]);
        assert!(check(&[], tanh).unwrap_err().contains("must not be empty"));
        let constant = Matrix::constant(Shape::SCALAR, vec![1.0]).unwrap();
        assert!(
            check(&[constant], tanh)
                .unwrap_err()
                .contains("must be a leaf")
        );
        assert!(
            check(&[leaf(&[f64::NAN; 2])], tanh)
                .unwrap_err()
                .contains("NaN")
        );
        let calls = std::cell::Cell::new(0.0);
        let restless = |graph: &mut Graph<f64>, m: &[Matrix<f64>]| {
            calls.set(calls.get() + 1.0);
            graph.scale(&m[0], calls.get())
        };
        assert!(
            check(std::slice::from_ref(&m), restless)
                .unwrap_err()
                .contains("one value")
        );
        let mut open = Graph::new(Isa::best());
        let _node = open.tanh(&m).unwrap();
        assert!(
            check(std::slice::from_ref(&m), tanh)
                .unwrap_err()
                .contains("backward")
        );
        open.clear();
        assert!(check(&[m], tanh).is_ok());
    }
}
