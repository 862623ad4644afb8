//! Choosing the next symbol, and going on from one.
//!
//! A choice is a function of the logits, of the symbols before, and of a draw in [0, 1) whose address
//! is (seed, number of the sample, position): no sample depends on those beside it. What [`Sampling`]
//! asks for happens in one order:
//!
//! | step | option | what it does to the logits x, or to the symbols that may be drawn |
//! |---|---|---|
//! | 1 | `repetition_penalty` r | x / r where x > 0, else x r, of symbols seen (Keskar et al. 2019, as in the field's tools: once, however often seen) |
//! | 2 | `allowed`, `banned` | the rest cannot be chosen |
//! | – | `greedy` | the largest x, the first of equals: nothing below happens |
//! | 3 | `temperature` T | p = softmax(x / T) |
//! | 4 | `top_k` | the k largest, the first of equals |
//! | 5 | `top_p` | of these the fewest, the largest first, whose p sum to at least `top_p` of what is left |
//! | 6 | `min_p` | of these the ones with p >= `min_p` times the largest p |
//! | 7 | the draw u | the first symbol, by number, whose cumulative p exceeds u |

mod beam;
mod choose;
mod generate;
mod options;
mod seen;
mod stops;

pub use beam::{Beam, Hypothesis, beam};
pub use choose::Chooser;
pub use generate::{Generator, Request};
pub use options::Sampling;
pub use seen::Seen;
pub use stops::Stops;

use crate::config::Config;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::matrix::Matrix;
use crate::model::{Model, States};
use crate::program::Input;
use crate::shape::Shape;
use crate::stream::Stream;

/// The number of symbols of a net that reads symbols and puts out a logit for each.
fn symbols_of(config: &Config) -> Result<usize> {
    let (inputs, outputs) = (config.input_size, config.output_rows());
    if inputs == outputs {
        return Ok(inputs);
    }
    let message = format!(
        "the model must put out one logit per input symbol but has {outputs} outputs for {inputs} symbols"
    );
    Err(Error::argument("generate", message))
}

/// One step of a stream by the host, who may stop it.
fn advance<T: Element>(
    stream: &mut Stream<T>,
    model: &Model<T>,
    symbols: &[usize],
    logits: &mut [T],
    host: &mut dyn Host,
) -> Result<()> {
    stream.begin(model, Input::Symbols(symbols))?;
    let long = stream.work() >= crate::sequence::LONG;
    let mut result = Ok(());
    host.run(long, &mut |poll| {
        result = if poll() {
            Err(Error::Interrupted)
        } else {
            stream.compute(poll)
        };
    });
    result?;
    stream.output(logits)
}

/// The states whose vectors, layer by layer, hold these numbers: size x batch each.
fn states_of<T: Element>(
    model: &Model<T>,
    vectors: Vec<Vec<T>>,
    batch: usize,
) -> Result<States<Matrix<T>>> {
    let matrix = |values: Vec<T>| Matrix::constant(Shape::new(values.len() / batch, batch), values);
    let matrices = vectors.into_iter().map(matrix);
    Ok(model.layered(matrices.collect::<Result<Vec<_>>>()?))
}

/// Copies of these columns of a vector of `batch` columns.
fn columns_of<T: Copy>(values: &[T], batch: usize, columns: &[usize]) -> Vec<T> {
    let rows = values.len() / batch;
    let column = |&column: &usize| &values[column * rows..][..rows];
    columns.iter().flat_map(column).copied().collect()
}

/// All vectors of a stream's state, layer by layer.
fn vectors_of<T: Element>(model: &Model<T>, stream: &Stream<T>) -> Result<Vec<Vec<T>>> {
    let config = model.config();
    let count = config.hidden_sizes.len() * config.cell.states().len();
    (0..count).map(|number| stream.state(number)).collect()
}

/// Fails unless all symbols are below `limit`.
fn check_symbols(name: &str, symbols: &[usize], limit: usize) -> Result<()> {
    match symbols.iter().find(|&&symbol| symbol >= limit) {
        None => Ok(()),
        Some(bad) => {
            let message = format!("{name} must be symbols below {limit} but holds {bad}");
            Err(Error::out_of_range("generate", message))
        }
    }
}
