//! What is dropped while a model trains: which masks a step reads, and how each is drawn.
//!
//! | option | paper | mask |
//! |---|---|---|
//! | `dropout` | Zaremba et al. 2014 | what a layer hands up to the next one |
//! | `variational` | Gal and Ghahramani 2016 | those masks are the same at every step of a call |
//! | `recurrent_dropout` | Semeniuta et al. 2016 | the candidate of LSTM and GRU |
//! | | Gal and Ghahramani 2016 | h where the weights of a simple net, which has no candidate, read it |
//! | `zoneout_hidden`, `zoneout_cell` | Krueger et al. 2017 | which units keep their last value |
//! | `weight_drop` | Merity et al. 2018 | the recurrent weights, once a call |
//! | `embedding_dropout` | Gal and Ghahramani 2016 | whole symbols of the embedding, once a call |
//!
//! What is kept is divided by the probability to be kept; but for zoneout, which takes the
//! expectation where nothing is dropped.

use serde::{Deserialize, Serialize};

use crate::cells::{CellKind, is_usual};
use crate::error::{Error, Result};

/// Whether a step is recorded for training, where it may drop, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is dropped.
    Evaluation,
    /// What [`Regularisers`] say is dropped.
    Training,
}

/// Probabilities to drop, each in [0, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Regularisers {
    /// Between layers.
    #[serde(skip_serializing_if = "is_usual")]
    pub dropout: f64,
    /// Whether masks between layers and of recurrent dropout are the same at every step.
    #[serde(skip_serializing_if = "is_usual")]
    pub variational: bool,
    /// Of what is written into a layer's memory.
    #[serde(skip_serializing_if = "is_usual")]
    pub recurrent_dropout: f64,
    /// That a hidden unit keeps its last value.
    #[serde(skip_serializing_if = "is_usual")]
    pub zoneout_hidden: f64,
    /// That a memory cell keeps its last value.
    #[serde(skip_serializing_if = "is_usual")]
    pub zoneout_cell: f64,
    /// Of recurrent weights.
    #[serde(skip_serializing_if = "is_usual")]
    pub weight_drop: f64,
    /// Of symbols.
    #[serde(skip_serializing_if = "is_usual")]
    pub embedding_dropout: f64,
}

/// A mask of a step: what it is for, in the order of [`Mask::number`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Of what the layer below hands up.
    Below,
    /// Of the candidate, or of h where weights read it.
    Recurrent,
    /// Of zoneout on the hidden vector.
    Hidden,
    /// Of zoneout on the memory cell.
    Cell,
}

/// One mask: a row of 0 or `kept` for each number that it multiplies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    /// Its number in the step, by which it is drawn, too.
    pub number: usize,
    /// Its rows.
    pub rows: usize,
    /// Probability of 0.
    pub rate: f64,
    /// What else it holds.
    pub kept: f64,
    /// Whether every step of a call has the same.
    pub same: bool,
}

/// The masks of one layer; `None` where nothing is dropped.
#[derive(Clone, Debug)]
pub struct Masks<V> {
    /// [`Use::Below`].
    pub below: Option<V>,
    /// [`Use::Recurrent`].
    pub recurrent: Option<V>,
    /// [`Use::Hidden`].
    pub hidden: Option<V>,
    /// [`Use::Cell`].
    pub cell: Option<V>,
}

impl<V> Masks<V> {
    /// None at all.
    pub const NONE: Self = Self {
        below: None,
        recurrent: None,
        hidden: None,
        cell: None,
    };

    /// The same masks as other values.
    ///
    /// # Errors
    /// The first of `f`.
    pub fn map<W>(&self, mut f: impl FnMut(&V) -> Result<W>) -> Result<Masks<W>> {
        let mut one = |mask: &Option<V>| mask.as_ref().map(&mut f).transpose();
        Ok(Masks {
            below: one(&self.below)?,
            recurrent: one(&self.recurrent)?,
            hidden: one(&self.hidden)?,
            cell: one(&self.cell)?,
        })
    }

    /// Those there are.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        let all = [&self.below, &self.recurrent, &self.hidden, &self.cell];
        all.into_iter().flatten()
    }
}

impl Regularisers {
    /// Checks probabilities, and that the cell heeds what is not 0.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option.
    pub(crate) fn check(&self, cell: &CellKind, layers: usize, embedded: bool) -> Result<()> {
        let refuse = |message| Err(Error::argument("Model", message));
        let name = format!("cell {:?}", cell.name());
        let name = name.as_str();
        let simple = matches!(cell, CellKind::Rnn | CellKind::GfRnn);
        let drops = self.dropout > 0.0 || self.recurrent_dropout > 0.0;
        for (option, rate, heeded, missing) in [
            ("dropout", self.dropout, layers > 1, "a net of one layer"),
            (
                "recurrent_dropout",
                self.recurrent_dropout,
                simple || cell.has_candidate(),
                name,
            ),
            ("zoneout_hidden", self.zoneout_hidden, true, ""),
            ("zoneout_cell", self.zoneout_cell, cell.has_memory(), name),
            ("weight_drop", self.weight_drop, true, ""),
            (
                "embedding_dropout",
                self.embedding_dropout,
                embedded,
                "a net without embedding",
            ),
        ] {
            if !(0.0..1.0).contains(&rate) {
                return refuse(format!("{option} must be in [0, 1) but is {rate}"));
            }
            if rate > 0.0 && !heeded {
                return refuse(format!("{option} means nothing to {missing}"));
            }
        }
        if self.variational && !drops {
            return refuse(
                "variational means nothing without dropout or recurrent_dropout".to_owned(),
            );
        }
        Ok(())
    }

    /// Whether a call in training differs from one that is not.
    pub fn drops(&self) -> bool {
        let Self {
            dropout,
            variational: _,
            recurrent_dropout,
            zoneout_hidden,
            zoneout_cell,
            weight_drop,
            embedding_dropout,
        } = *self;
        let rates = [
            dropout,
            recurrent_dropout,
            zoneout_hidden,
            zoneout_cell,
            weight_drop,
            embedding_dropout,
        ];
        rates.iter().any(|rate| *rate > 0.0)
    }

    /// The masks of layer `number`, whose vectors have `hidden` and `size` rows and that below `below`.
    pub(crate) fn masks(
        &self,
        number: usize,
        below: Option<usize>,
        (hidden, candidate, cell): (usize, usize, usize),
    ) -> Masks<Mask> {
        let mask = |what: Use, rate: f64, rows: usize, kept: f64, same| {
            (rate > 0.0).then_some(Mask {
                number: number * 4 + what as usize,
                rows,
                rate,
                kept,
                same,
            })
        };
        let scaled =
            |what, rate: f64, rows| mask(what, rate, rows, 1.0 / (1.0 - rate), self.variational);
        let zoneout = |what, rate, rows| mask(what, rate, rows, 1.0, false);
        Masks {
            below: below.and_then(|rows| scaled(Use::Below, self.dropout, rows)),
            recurrent: scaled(Use::Recurrent, self.recurrent_dropout, candidate),
            hidden: zoneout(Use::Hidden, self.zoneout_hidden, hidden),
            cell: zoneout(Use::Cell, self.zoneout_cell, cell),
        }
    }
}
