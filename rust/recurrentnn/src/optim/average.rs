//! Exponential moving averages of weights.

use super::step::Named;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::blend::blend;

/// The running average of some matrices, which begins with their values:
///
/// ```text
/// average = average + (1 - decay) (w - average)
/// ```
#[derive(Clone, Debug)]
pub struct Average<T> {
    /// Column by column, in the order of the matrices.
    values: Vec<Vec<T>>,
}

impl<T: Element> Average<T> {
    /// Begins with the values of these matrices.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call writes one of them.
    pub fn new(parameters: &[Named<'_, T>]) -> Result<Self> {
        let values = parameters.iter().map(|(_, matrix)| matrix.to_vec());
        Ok(Self {
            values: values.collect::<Result<_>>()?,
        })
    }

    /// The averages, column by column.
    pub fn values(&self) -> &[Vec<T>] {
        &self.values
    }

    /// Moves the averages towards the values by the share `1 - decay`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless these are the matrices it began with; [`Error::Busy`]. Nothing is
    /// changed then.
    pub fn update(&mut self, isa: Isa, decay: f64, parameters: &[Named<'_, T>]) -> Result<()> {
        self.expect_fit(parameters)?;
        let values = parameters.iter().map(|(_, matrix)| matrix.value());
        let values = values.collect::<Result<Vec<_>>>()?;
        for (value, average) in values.iter().zip(&mut self.values) {
            blend(isa, 1.0 - decay, value, average);
        }
        Ok(())
    }

    /// Puts the averages in the place of the values, and the values in theirs.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn swap(&mut self, parameters: &[Named<'_, T>]) -> Result<()> {
        self.expect_fit(parameters)?;
        let values = parameters.iter().map(|(_, matrix)| matrix.value_mut());
        let values = values.collect::<Result<Vec<_>>>()?;
        for (mut value, average) in values.into_iter().zip(&mut self.values) {
            value.swap_with_slice(average);
        }
        Ok(())
    }

    /// Replaces the averages.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are as many numbers as before.
    pub fn restore(&mut self, values: Vec<Vec<T>>) -> Result<()> {
        let same = |(a, b): (&Vec<T>, &Vec<T>)| a.len() == b.len();
        if values.len() != self.values.len() || !values.iter().zip(&self.values).all(same) {
            return Err(wrong());
        }
        self.values = values;
        Ok(())
    }

    fn expect_fit(&self, parameters: &[Named<'_, T>]) -> Result<()> {
        let same = |((_, m), a): (&Named<'_, T>, &Vec<T>)| m.shape().len() == a.len();
        if parameters.len() == self.values.len() && parameters.iter().zip(&self.values).all(same) {
            return Ok(());
        }
        Err(wrong())
    }
}

fn wrong() -> Error {
    let message = "these are not the parameters it began with";
    Error::shape("ExponentialMovingAverage", message)
}
