//! One step at a time, with the state kept from step to step and nothing allocated.

use crate::cells::State;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Poll;
use crate::kernels::Isa;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::program::{Call, Extent, Input, Run};
use crate::sequence::Weights;

/// A state of a model that is fed step by step.
pub struct Stream<T: Element> {
    run: Run<T>,
    /// Whether the run still holds the state with which it begins, rather than that after a step.
    at_start: bool,
    symbols: bool,
    extent: Extent,
}

impl<T: Element> Stream<T> {
    /// A stream of `batch` samples of symbols or features, which begins with these states.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Argument`] where the states do not fit the model.
    pub fn new(
        isa: Isa,
        model: &Model<T>,
        symbols: bool,
        batch: usize,
        states: &[State<Matrix<T>>],
    ) -> Result<Self> {
        model.check_states(batch, states)?;
        let program = model.program(symbols)?;
        let weights = Weights::of(isa, model, program)?;
        let extent = Extent { time: 1, batch };
        let (zeros, features) = if symbols {
            (vec![0; batch], Vec::new())
        } else {
            (Vec::new(), vec![T::ZERO; model.config().features() * batch])
        };
        let states = states.iter().flat_map(State::vectors);
        let states = states.map(Matrix::value).collect::<Result<Vec<_>>>()?;
        let states: Vec<Option<&[T]>> = states.iter().map(|state| Some(&**state)).collect();
        let input = if symbols {
            Input::Symbols(&zeros)
        } else {
            Input::Features(&features)
        };
        let run = program.begin(&Call {
            isa,
            threads: crate::kernels::parallel::threads(),
            extent,
            input,
            states: &states,
            weights: &weights.slices()?.values(),
            version: weights.version(),
            differentiate: false,
            input_grad: false,
        })?;
        Ok(Self {
            run,
            at_start: true,
            symbols,
            extent,
        })
    }

    /// One step: the output's columns into `out`. The model is the one it was made for, whose weights
    /// may have changed since.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::OutOfRange`] or [`Error::DType`] where the input or `out` does not fit;
    /// [`Error::Busy`] while somebody writes the weights.
    pub fn step(
        &mut self,
        isa: Isa,
        model: &Model<T>,
        input: Input<'_, T>,
        out: &mut [T],
    ) -> Result<()> {
        let mut never = || false;
        self.step_by(isa, model, input, out, &mut never)
    }

    fn step_by(
        &mut self,
        isa: Isa,
        model: &Model<T>,
        input: Input<'_, T>,
        out: &mut [T],
        poll: Poll<'_>,
    ) -> Result<()> {
        self.check(model, input, out.len())?;
        let version = Weights::version_of(model);
        if version.is_none() || !self.run.has_version(version) {
            let weights = Weights::of(isa, model, self.run.program())?;
            self.run
                .load_weights(&weights.slices()?.values(), weights.version())?;
        }
        if std::mem::take(&mut self.at_start) {
            self.run.load_input(input)?;
        } else {
            self.run.load_next(input)?;
        }
        self.run.forward(poll)?;
        out.copy_from_slice(self.run.result(0)?);
        Ok(())
    }

    fn check(&self, model: &Model<T>, input: Input<'_, T>, room: usize) -> Result<()> {
        let batch = self.extent.batch;
        match input {
            Input::Symbols(symbols) if self.symbols => {
                model.check_symbols(symbols)?;
                if symbols.len() != batch {
                    let message = format!("x must be {batch} symbols but is {}", symbols.len());
                    return Err(Error::shape("stream", message));
                }
            }
            Input::Features(features) if !self.symbols => {
                let expected = model.config().features() * batch;
                if features.len() != expected {
                    let message = format!("x must be {expected} numbers but is {}", features.len());
                    return Err(Error::shape("stream", message));
                }
            }
            _ => {
                let expected = if self.symbols { "symbols" } else { "features" };
                let message = format!("x must be {expected}, as those that the stream began with");
                return Err(Error::argument("stream", message));
            }
        }
        let expected = model.config().output_rows() * batch;
        if room != expected {
            let message = format!("out must hold {expected} numbers but holds {room}");
            return Err(Error::shape("stream", message));
        }
        Ok(())
    }

    /// Steps and samples: one step.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Whether it reads symbols.
    pub fn reads_symbols(&self) -> bool {
        self.symbols
    }

    /// A copy of the state vector of that number, layer by layer, size x batch.
    ///
    /// # Errors
    /// None while the stream lives.
    pub fn state(&self, number: usize) -> Result<Vec<T>> {
        let state = if self.at_start {
            self.run.first_state(number)?
        } else {
            self.run.state(number)?
        };
        Ok(state.to_vec())
    }
}
