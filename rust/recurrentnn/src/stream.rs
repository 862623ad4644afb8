//! One step at a time, with the state kept from step to step and nothing allocated.

use crate::cells::State;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Poll;
use crate::kernels::Isa;
use crate::kernels::parallel::threads;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::program::{Call, Extent, Input, Run};
use crate::regularise::Phase;
use crate::sequence::Weights;

/// A state of a model that is fed step by step.
pub struct Stream<T: Element> {
    isa: Isa,
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
        model.expect_one_way("stream")?;
        model.check_states(batch, states)?;
        let program = model.program(symbols, Phase::Evaluation)?;
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
            threads: threads(),
            extent,
            lengths: None,
            input,
            states: &states,
            weights: &weights.slices()?.values(),
            version: weights.version(),
            differentiate: false,
            input_grad: false,
        })?;
        Ok(Self {
            isa,
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
    pub fn step(&mut self, model: &Model<T>, input: Input<'_, T>, out: &mut [T]) -> Result<()> {
        self.begin(model, input)?;
        self.run.forward(&mut || false)?;
        self.output(out)
    }

    /// Takes in what [`Stream::compute`] reads: the first part of a step.
    ///
    /// # Errors
    /// As [`Stream::step`].
    pub fn begin(&mut self, model: &Model<T>, input: Input<'_, T>) -> Result<()> {
        self.check(model, input)?;
        // To ask how many there are takes a call of the system.
        if self.run.shares() {
            self.run.set_threads(threads());
        }
        let version = Weights::version_of(model);
        if !self.run.has_version(version) {
            let weights = Weights::of(self.isa, model, self.run.program())?;
            self.run
                .load_weights(&weights.slices()?.values(), weights.version())?;
        }
        if std::mem::take(&mut self.at_start) {
            self.run.load_input(input)
        } else {
            self.run.load_next(input)
        }
    }

    /// Computes the step that was begun: the second part. It touches nobody else's memory.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn compute(&mut self, poll: Poll<'_>) -> Result<()> {
        self.run.forward(poll)
    }

    /// Multiply-adds, or as much work, of a step.
    pub fn work(&self) -> usize {
        self.run.work()
    }

    /// Copies out the output's columns: the last part.
    ///
    /// # Errors
    /// [`Error::Shape`] where `out` does not fit.
    pub fn output(&self, out: &mut [T]) -> Result<()> {
        let result = self.run.result(0)?;
        if result.len() != out.len() {
            let (expected, room) = (result.len(), out.len());
            let message = format!("out must hold {expected} numbers but holds {room}");
            return Err(Error::shape("stream", message));
        }
        out.copy_from_slice(&result);
        Ok(())
    }

    /// After a step: sample i goes on from the state of sample `from[i]`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `from` has one of the samples for each.
    pub fn reorder(&mut self, from: &[usize]) -> Result<()> {
        let batch = self.extent.batch;
        if from.len() != batch || from.iter().any(|&sample| sample >= batch) || self.at_start {
            let message = format!("after a step, from must be {batch} samples below {batch}");
            return Err(Error::shape("stream", message));
        }
        self.run.reorder_states(from)
    }

    fn check(&self, model: &Model<T>, input: Input<'_, T>) -> Result<()> {
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
        Ok(())
    }

    /// Steps and samples: one step.
    pub fn extent(&self) -> Extent {
        self.extent
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
        Ok(state.into_owned())
    }
}
