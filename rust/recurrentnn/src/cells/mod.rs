//! The cells: each registers its parameters by name and states one step, as an expression over
//! anything that records operations. A cell knows no training, no text and no file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ops::Recorder;
use crate::params::{Registry, Vars};
use activation::Activation;

mod activation;
mod custom;
mod feedback;
mod gate;
mod gf_gru;
mod gf_lstm;
mod gf_rnn;
mod gru;
mod lstm;
mod memory;
mod rnn;
mod sketch;
mod unit;

pub use activation::ActivationKind;
pub use custom::{Custom, CustomLayer};
pub use gate::Gate;
pub use sketch::{Recorded, Sketch};

/// Makes the list of cells and the enum that holds one layer's cell.
///
/// A row reads `Kind "name": module::Type, states, (arguments of new after the layer)`.
macro_rules! cells {
    ($($(#[$doc:meta])* $type:ident $name:literal: $module:ident, $states:expr, ($($arg:ident),*);)*) => {
        $(pub use $module::$type;)*

        /// Which cell a model is made of.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum CellKind {
            $($(#[$doc])* #[serde(rename = $name)] $type,)*
            /// The user's own.
            #[serde(rename = "custom")]
            Custom(Custom),
        }

        impl CellKind {
            /// All cells of this library, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$type,)*];

            /// Its name in files and in Python.
            pub fn name(&self) -> &str {
                match self { $(Self::$type => $name,)* Self::Custom(cell) => cell.name() }
            }

            /// The vectors it carries from step to step; the first is the hidden vector.
            pub fn states(&self) -> Vec<&str> {
                match self { $(Self::$type => $states.into(),)* Self::Custom(cell) => cell.states() }
            }

            /// The cell of one layer, its parameters registered.
            pub(crate) fn build(
                &self, reg: &mut Registry, layer: &Layer<'_>, options: &Options,
            ) -> Result<Cell> {
                Ok(match self {
                    $(Self::$type => Cell::$type($type::new(reg, layer $(, cells!(@$arg options))*)),)*
                    Self::Custom(cell) => Cell::Custom(cell.build(reg, layer)?),
                })
            }
        }

        /// One layer's cell.
        #[derive(Clone, Debug)]
        pub enum Cell {
            $($(#[$doc])* $type($type),)*
            /// The user's own.
            Custom(CustomLayer),
        }

        impl Cell {
            /// One step: the new state from the input and the last step's.
            ///
            /// # Errors
            /// Whatever the recorder refuses.
            pub fn step<R: Recorder>(
                &self, r: &mut R, p: Vars<'_, R::Var>, input: &StepInput<'_, R::Var>,
            ) -> Result<State<R::Var>> {
                match self {
                    $(Self::$type(cell) => cell.step(r, p, input),)*
                    Self::Custom(cell) => cell.step(r, p, input),
                }
            }
        }
    };
    (@options $options:ident) => { $options };
}

cells! {
    /// The simple recurrent net.
    Rnn "rnn": rnn, ["hidden"], (options);
    /// The long short-term memory.
    Lstm "lstm": lstm, ["hidden", "cell"], (options);
    /// The gated recurrent unit.
    Gru "gru": gru, ["hidden"], (options);
    /// The gated-feedback RNN.
    GfRnn "gfrnn": gf_rnn, ["hidden"], (options);
    /// The gated-feedback LSTM.
    GfLstm "gflstm": gf_lstm, ["hidden", "cell"], (options);
    /// The gated-feedback GRU.
    GfGru "gfgru": gf_gru, ["hidden"], (options);
}

impl CellKind {
    /// The cell of that name.
    ///
    /// # Errors
    /// [`Error::Argument`] with the names there are.
    pub fn by_name(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|kind| kind.name() == name);
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::name).collect();
            Error::argument(
                "Model",
                format!("cell must be one of {names:?} but is {name:?}"),
            )
        })
    }

    /// Whether it has gates of its own beside the feedback gates, as far as the options know.
    pub fn has_unit_gates(&self) -> bool {
        !matches!(self, Self::Rnn | Self::GfRnn)
    }

    /// Whether every layer hears every layer's last hidden vector.
    pub fn has_feedback(&self) -> bool {
        matches!(self, Self::GfRnn | Self::GfLstm | Self::GfGru)
    }

    /// What `activations` may name: its gates, and `cell` for what squashes c'.
    pub fn activated(&self) -> &'static [&'static str] {
        match self {
            Self::Lstm | Self::GfLstm => &["input", "forget", "candidate", "output", "cell"],
            Self::Gru | Self::GfGru => &["reset", "update", "candidate"],
            Self::Rnn | Self::GfRnn | Self::Custom(_) => &[],
        }
    }

    /// Whether it makes a candidate that is then written into what it remembers.
    pub fn has_candidate(&self) -> bool {
        self.activated().contains(&"candidate")
    }

    /// Whether a memory cell is among the vectors it carries.
    pub fn has_memory(&self) -> bool {
        self.states().contains(&"cell")
    }

    /// Rows of the vectors that a layer of `size` units carries, in the order of `states`.
    pub fn state_rows(&self, size: usize, options: &Options) -> Vec<usize> {
        let mut rows = vec![size; self.states().len()];
        rows[0] = options.projection_size.unwrap_or(size);
        rows
    }
}

/// What a cell may be told beyond its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)] // one switch an option
pub struct Options {
    /// Nonlinearity of RNN and GFRNN.
    pub activation: ActivationKind,
    /// The derivative of relu at exactly 0: 0, or 1 as in RecurrentNN.jl.
    pub slope_at_zero: f64,
    /// Where the GRU resets.
    pub reset: Reset,
    /// What the feedback gate of gated-feedback cells is.
    pub gate: FeedbackGate,
    /// Whether the unit gates of gated-feedback cells read all layers' hidden vectors.
    pub all_to_gates: bool,
    /// Nonlinearities of gates, where they are not the usual ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub activations: BTreeMap<String, ActivationKind>,
    /// Whether gates, and an LSTM's c', are normalised over the layer's units.
    #[serde(skip_serializing_if = "is_usual")]
    pub layer_norm: bool,
    /// Whether the gates of an LSTM see its memory cell.
    #[serde(skip_serializing_if = "is_usual")]
    pub peepholes: bool,
    /// Whether an LSTM forgets as much as it writes.
    #[serde(skip_serializing_if = "is_usual")]
    pub coupled_gates: bool,
    /// Rows of an LSTM's hidden vector; `None`: as many as units.
    #[serde(skip_serializing_if = "is_usual")]
    pub projection_size: Option<usize>,
    /// Largest magnitude in a memory cell.
    #[serde(skip_serializing_if = "is_usual")]
    pub cell_clip: Option<f64>,
}

/// Whether an option is as it is unless told: files hold only the others.
pub(crate) fn is_usual<V: Default + PartialEq>(value: &V) -> bool {
    *value == V::default()
}

impl Default for Options {
    fn default() -> Self {
        Self {
            activation: ActivationKind::Tanh,
            slope_at_zero: 0.0,
            reset: Reset::After,
            gate: FeedbackGate::Scalar,
            all_to_gates: false,
            activations: BTreeMap::new(),
            layer_norm: false,
            peepholes: false,
            coupled_gates: false,
            projection_size: None,
            cell_clip: None,
        }
    }
}

impl Options {
    fn activation(&self) -> Activation {
        Activation {
            kind: self.activation,
            slope_at_zero: self.slope_at_zero,
        }
    }

    fn activation_of(&self, gate: &str, usual: ActivationKind) -> Activation {
        Activation {
            kind: self.activations.get(gate).copied().unwrap_or(usual),
            slope_at_zero: 0.0,
        }
    }
}

/// Where a GRU resets: after the product with U, or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reset {
    /// r (U h + c).
    After,
    /// U (r h).
    Before,
}

/// The gate between two layers of a gated-feedback net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedbackGate {
    /// One number a pair of layers and sample (Chung et al. 2015).
    Scalar,
    /// One number a unit (RecurrentNN.jl).
    Vector,
}

/// Where a layer stands in its model.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Size of its input.
    pub inputs: usize,
    /// Number of its units.
    pub size: usize,
    /// Rows of its hidden vector.
    pub hidden: usize,
    /// Rows of all layers' hidden vectors.
    pub sizes: &'a [usize],
}

impl Layer<'_> {
    /// Size of all layers' hidden vectors together.
    fn all_hidden(&self) -> usize {
        self.sizes.iter().sum()
    }
}

/// What a layer carries from step to step: the vectors that its cell names, in that order.
#[derive(Clone, Debug)]
pub struct State<V> {
    /// The hidden vector, which goes up.
    pub hidden: V,
    /// All others.
    pub more: Vec<V>,
}

impl<V> State<V> {
    /// All vectors, the hidden one first.
    pub fn vectors(&self) -> impl Iterator<Item = &V> {
        std::iter::once(&self.hidden).chain(&self.more)
    }

    fn hidden(hidden: V) -> Self {
        let more = Vec::new();
        Self { hidden, more }
    }

    fn with_cell(hidden: V, cell: V) -> Self {
        let more = vec![cell];
        Self { hidden, more }
    }
}

/// What a layer reads at one step.
pub struct StepInput<'a, V> {
    /// The layer's input.
    pub x: &'a V,
    /// The layer's state after the last step.
    pub state: &'a State<V>,
    /// The hidden vectors of all layers after the last step.
    pub all: &'a [V],
    /// The same, one below the other: h*.
    pub stack: &'a V,
    /// What recurrent dropout multiplies the candidate by.
    pub mask: Option<&'a V>,
}

impl<'a, V> StepInput<'a, V> {
    fn hidden(&self) -> &'a V {
        &self.state.hidden
    }

    fn cell(&self) -> Result<&'a V> {
        let missing = || Error::argument("forward", "the state of this cell needs a memory cell");
        self.state.more.first().ok_or_else(missing)
    }

    /// The candidate under recurrent dropout (Semeniuta, Severyn and Barth 2016): what is written can
    /// be dropped, what is remembered never is.
    fn dropped<R: Recorder<Var = V>>(&self, r: &mut R, candidate: V) -> Result<V> {
        match self.mask {
            Some(mask) => r.mul(mask, &candidate),
            None => Ok(candidate),
        }
    }
}

/// 1 - gate.
fn complement<R: Recorder>(r: &mut R, gate: &R::Var) -> Result<R::Var> {
    let negative = r.neg(gate)?;
    r.shift(&negative, 1.0)
}
