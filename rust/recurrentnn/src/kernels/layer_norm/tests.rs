use super::super::naive::{assert_close, for_all, numbers, with_threads};
use super::*;

const EPS: f64 = 1e-3;

/// A layer normalisation of random numbers, and further operands: bias, gradient, what is there.
struct Case<T> {
    rows: usize,
    x: Vec<T>,
    grad: Vec<T>,
    old: Vec<T>,
    /// Gain, bias and what is there of their gradients.
    of_rows: [Vec<T>; 3],
}

impl<T: Element> Case<T> {
    fn new(rows: usize, cols: usize) -> Self {
        let [x, grad, old] = [1, 2, 3].map(|seed| numbers(seed, rows * cols));
        let of_rows = [4, 5, 6].map(|seed| numbers(seed, rows));
        Self {
            rows,
            x,
            grad,
            old,
            of_rows,
        }
    }

    /// Value, gradient, gradient of the gain, from columns `from` on.
    fn run(&self, isa: Isa, from: usize) -> [Vec<T>; 3] {
        let at = from * self.rows;
        let [gain, bias, old_gain] = &self.of_rows;
        let norm = LayerNorm {
            isa,
            eps: EPS,
            x: &self.x[at..],
            gain,
        };
        let mut out = vec![T::NAN; norm.x.len()];
        norm.normalise(bias, &mut out);
        let mut into = self.old[at..].to_vec();
        norm.accumulate_gradient(&self.grad[at..], &mut into);
        let mut into_gain = old_gain.clone();
        norm.accumulate_gain_gradient(&self.grad[at..], &mut into_gain);
        [out, into, into_gain]
    }

    /// The same, in double precision.
    fn naive(&self) -> [Vec<f64>; 3] {
        let wide = |values: &[T]| values.iter().map(|x| x.to_f64()).collect::<Vec<_>>();
        let [gain, bias, mut into_gain] = self.of_rows.each_ref().map(|values| wide(values));
        let (mut out, mut into) = (Vec::new(), wide(&self.old));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        for (j, x) in wide(&self.x).chunks_exact(self.rows).enumerate() {
            let at = j * self.rows;
            let centre = mean(x);
            let centred: Vec<f64> = x.iter().map(|x| x - centre).collect();
            let squares: Vec<f64> = centred.iter().map(|x| x * x).collect();
            let s = (mean(&squares) + EPS).sqrt();
            let z: Vec<f64> = centred.iter().map(|x| x / s).collect();
            let g = &wide(&self.grad)[at..][..self.rows];
            let d: Vec<f64> = g.iter().zip(&gain).map(|(g, gain)| g * gain).collect();
            let zd: Vec<f64> = z.iter().zip(&d).map(|(z, d)| z * d).collect();
            for i in 0..self.rows {
                out.push(gain[i] * z[i] + bias[i]);
                into[at + i] += (d[i] - mean(&d) - z[i] * mean(&zd)) / s;
                into_gain[i] += g[i] * z[i];
            }
        }
        [out, into, into_gain]
    }
}

fn columns_are_naive<T: Element>(isa: Isa) {
    for (rows, cols) in [(1, 3), (2, 1), (17, 2), (128, 5), (300, 40)] {
        let case = Case::<T>::new(rows, cols);
        let [expected, expected_into, expected_gain] = case.naive();
        let [out, into, into_gain] = case.run(isa, 0);
        assert_close(&out, &expected, 16.0);
        // 1 / s is up to 30 where there are but few rows.
        assert_close(&into, &expected_into, 16.0 * 30.0);
        assert_close(&into_gain, &expected_gain, 16.0 + cols as f64);
    }
}

#[test]
fn columns_are_naive_to_rounding() {
    for_all!(columns_are_naive);
}

fn bits_are_of_the_column<T: Element>(isa: Isa) {
    let (rows, cols) = (100, 3000);
    let case = Case::<T>::new(rows, cols);
    let alone = with_threads(1, || case.run(isa, 0));
    assert!(with_threads(3, || case.run(isa, 0)) == alone);
    let [out, into, _] = case.run(isa, cols - 3);
    let at = (cols - 3) * rows;
    assert!(out == alone[0][at..] && into == alone[1][at..]);
    // No product is fused with a sum.
    let portable = case.run(Isa::PORTABLE, 0);
    assert!(portable == alone);
}

#[test]
fn bits_do_not_depend_on_the_other_columns_threads_or_instructions() {
    for_all!(bits_are_of_the_column);
}
