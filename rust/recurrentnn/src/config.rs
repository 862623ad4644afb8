//! What a model is made of, as a value: checked once, written to files as JSON.

use serde::{Deserialize, Serialize};

use crate::cells::{ActivationKind, CellKind, Custom, Options, is_usual};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::params::{Role, Spec};
use crate::regularise::{Mask, Masks, Phase, Regularisers};

/// Largest size of a layer, an input or an output that is accepted: far beyond use, far below overflow.
const MAX_SIZE: usize = 1 << 24;
/// Most layers that are accepted: a gated-feedback net has parameters for every pair of them.
const MAX_LAYERS: usize = 64;

/// Sizes, cell and options of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // one switch an option
pub struct Config {
    /// Which cell every layer has.
    pub cell: CellKind,
    /// Features of the input, or number of symbols.
    pub input_size: usize,
    /// Units of each layer, the lowest first.
    pub hidden_sizes: Vec<usize>,
    /// Rows of the output; `None`: no decoder, the output is the top hidden vector.
    pub output_size: Option<usize>,
    /// Length of a symbol's vector; `None`: inputs are features, symbols are one-hot.
    pub embedding_size: Option<usize>,
    /// What the cells are told.
    pub options: Options,
    /// Whether x goes to every layer, below the hidden vector of the layer underneath.
    pub input_to_all: bool,
    /// Whether the decoder reads all layers.
    pub all_to_output: bool,
    /// Whether a layer hands up its hidden vector plus what the one below handed up.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub residual: bool,
    /// Whether the decoder's weight is the embedding.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub tied_embedding: bool,
    /// Largest magnitude in a hidden vector.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub hidden_clip: Option<f64>,
    /// What is dropped in training.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub regularisers: Regularisers,
    /// How the parameters begin.
    pub init: InitKind,
    /// Standard deviation of `init` normal, half the range of `init` uniform.
    pub std: f64,
    /// First value of an LSTM's forget bias.
    pub forget_bias: f64,
    /// Seed of the first values.
    pub seed: u64,
    /// Whether every layer also goes backward in time, and what becomes of both outputs.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub bidirectional: Option<Merge>,
    /// Whether the state that a row begins with is learned.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub learned_state: bool,
}

/// What becomes of the hidden vectors of both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// One below the other, that of the forward direction above.
    Concat,
    /// Their sum.
    Sum,
    /// Half of it.
    Mean,
    /// As concat, but apart where they come out: a model's output is two.
    #[serde(rename = "none")]
    Apart,
}

impl Merge {
    /// Rows of what two vectors of `size` rows become.
    fn rows(self, size: usize) -> usize {
        match self {
            Self::Concat | Self::Apart => 2 * size,
            Self::Sum | Self::Mean => size,
        }
    }
}

impl Default for Config {
    /// A simple net that has no sizes yet.
    fn default() -> Self {
        Self {
            cell: CellKind::Rnn,
            input_size: 0,
            hidden_sizes: Vec::new(),
            output_size: None,
            embedding_size: None,
            options: Options::default(),
            input_to_all: false,
            all_to_output: false,
            residual: false,
            tied_embedding: false,
            hidden_clip: None,
            regularisers: Regularisers::default(),
            init: InitKind::Glorot,
            std: Self::STD,
            forget_bias: Self::FORGET_BIAS,
            seed: 0,
            bidirectional: None,
            learned_state: false,
        }
    }
}

/// How a model's parameters begin. Biases begin at 0 but for the LSTM's forget gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InitKind {
    /// Glorot for what reads an input, orthogonal for what reads the state, normal for an embedding.
    Glorot,
    /// Normal with mean 0 for every weight (RecurrentNN.jl, `std` 0.08).
    Normal,
    /// Uniform in ±`std` for every weight (RecurrentJS, `std` 0.08).
    Uniform,
}

impl Config {
    /// `std` unless it is given: the ancestors'.
    pub const STD: f64 = 0.08;
    /// `forget_bias` unless it is given (Jozefowicz et al. 2015).
    pub const FORGET_BIAS: f64 = 1.0;

    /// Checks sizes and options.
    ///
    /// # Errors
    /// [`Error::Argument`] names the first that is out of its domain.
    pub fn check(&self) -> Result<()> {
        let size = |name: &str, size: usize| {
            if (1..=MAX_SIZE).contains(&size) {
                return Ok(());
            }
            refuse(format!("{name} must be from 1 to {MAX_SIZE} but is {size}"))
        };
        size("input_size", self.input_size)?;
        if !(1..=MAX_LAYERS).contains(&self.hidden_sizes.len()) {
            let given = self.hidden_sizes.len();
            return refuse(format!(
                "hidden_sizes must name from 1 to {MAX_LAYERS} layers but names {given}"
            ));
        }
        for &hidden in &self.hidden_sizes {
            size("every one of hidden_sizes", hidden)?;
        }
        size("output_size", self.output_size.unwrap_or(1))?;
        size("embedding_size", self.embedding_size.unwrap_or(1))?;
        if !(self.std.is_finite() && self.std >= 0.0) {
            return refuse(format!(
                "std must be finite and not negative but is {}",
                self.std
            ));
        }
        if !self.forget_bias.is_finite() {
            return refuse(format!(
                "forget_bias must be finite but is {}",
                self.forget_bias
            ));
        }
        if let CellKind::Custom(cell) = &self.cell {
            cell.check()?;
        }
        self.regularisers.check(
            &self.cell,
            self.hidden_sizes.len(),
            self.embedding_size.is_some(),
        )?;
        self.check_wiring()?;
        self.check_options()
    }

    /// What has to fit something else.
    fn check_wiring(&self) -> Result<()> {
        if self.bidirectional == Some(Merge::Apart) && self.output_size.is_some() {
            let message = "merge must not be \"none\" where a decoder reads both directions";
            return refuse(message.to_owned());
        }
        let sizes = &self.hidden_sizes;
        let unequal = sizes.iter().any(|size| *size != sizes[0]);
        if self.residual && (sizes.len() < 2 || unequal) {
            return refuse(format!(
                "residual needs two or more layers of one size but hidden_sizes are {sizes:?}"
            ));
        }
        if self.tied_embedding {
            let fits = self.output_size == Some(self.input_size)
                && self.embedding_size == Some(self.top_size());
            if !fits {
                return refuse(format!(
                    "tied_embedding needs output_size equal to input_size and embedding_size equal to \
                     what the decoder reads, {}, but they are {:?}, {} and {:?}",
                    self.top_size(),
                    self.output_size,
                    self.input_size,
                    self.embedding_size
                ));
            }
        }
        for (name, limit) in [
            ("hidden_clip", self.hidden_clip),
            ("cell_clip", self.options.cell_clip),
        ] {
            if limit.is_some_and(|limit| !(limit.is_finite() && limit > 0.0)) {
                return refuse(format!(
                    "{name} must be finite and above 0 but is {limit:?}"
                ));
            }
        }
        if let Some(size) = self.options.projection_size
            && !sizes.iter().all(|units| (1..*units).contains(&size))
        {
            return refuse(format!(
                "projection_size must be from 1 to less than every one of hidden_sizes, {sizes:?}, \
                 but is {size}"
            ));
        }
        Ok(())
    }

    /// An option that the cell would ignore is refused: silence would look like consent.
    fn check_options(&self) -> Result<()> {
        let (cell, defaults) = (&self.cell, Options::default());
        let only_for = |name: &str, ignored: bool| {
            if ignored {
                return refuse(format!("{name} means nothing to cell {:?}", cell.name()));
            }
            Ok(())
        };
        let both_ways = self.bidirectional.is_some();
        only_for("bidirectional", cell.has_feedback() && both_ways)?;
        let simple = matches!(cell, CellKind::Rnn | CellKind::GfRnn);
        let relu = simple && self.options.activation == ActivationKind::Relu;
        only_for(
            "forget_bias",
            !self.forgets() && self.forget_bias != Self::FORGET_BIAS,
        )?;
        if self.init == InitKind::Glorot && self.std != Self::STD {
            return refuse("std means nothing to init \"glorot\"".to_owned());
        }
        only_for(
            "activation",
            !simple && self.options.activation != defaults.activation,
        )?;
        only_for("slope_at_zero", !relu && self.options.slope_at_zero != 0.0)?;
        only_for(
            "reset",
            *cell != CellKind::Gru && self.options.reset != defaults.reset,
        )?;
        only_for(
            "gate",
            !cell.has_feedback() && self.options.gate != defaults.gate,
        )?;
        let fed_gates = cell.has_feedback() && cell.has_unit_gates();
        only_for("all_to_gates", !fed_gates && self.options.all_to_gates)?;
        let (lstm, options) = (*cell == CellKind::Lstm, &self.options);
        only_for("peepholes", !lstm && options.peepholes)?;
        only_for("coupled_gates", !lstm && options.coupled_gates)?;
        only_for(
            "projection_size",
            !lstm && options.projection_size.is_some(),
        )?;
        only_for(
            "cell_clip",
            !cell.has_memory() && options.cell_clip.is_some(),
        )?;
        let normal = matches!(cell, CellKind::Rnn | CellKind::Lstm | CellKind::Gru);
        only_for("layer_norm", !normal && options.layer_norm)?;
        for gate in options.activations.keys() {
            let known = cell.activated().contains(&gate.as_str());
            if !known || options.coupled_gates && gate == "forget" {
                return refuse(format!(
                    "activations may name {:?} but name {gate:?}",
                    cell.activated()
                ));
            }
        }
        if !self.options.slope_at_zero.is_finite() {
            return refuse("slope_at_zero must be finite".to_owned());
        }
        Ok(())
    }

    /// Whether `forget_bias` is for its cell.
    fn forgets(&self) -> bool {
        let lstm = matches!(self.cell, CellKind::Lstm | CellKind::GfLstm);
        lstm && !self.options.coupled_gates
    }

    /// Gives a cell that came from a file its definition, if one of `cells` is that.
    ///
    /// # Errors
    /// [`Error::Argument`] if none has its name, or it has other vectors or options.
    pub fn define(&mut self, cells: &[Custom]) -> Result<()> {
        let CellKind::Custom(cell) = &mut self.cell else {
            return Ok(());
        };
        let name = cell.name();
        let mut named = cells.iter().filter(|known| known.name() == name);
        let Some(known) = named.clone().find(|known| *known == cell).or(named.next()) else {
            return refuse(format!(
                "cell {name:?} is no cell of this library: load it with its definition (cells=[{name}])"
            ));
        };
        if known.states() != cell.states() {
            let (given, states) = (known.states(), cell.states());
            return refuse(format!(
                "cell {name:?} carries {states:?} in the file but {given:?} in its definition"
            ));
        }
        if known != cell {
            let (given, options) = (known.options(), cell.options());
            return refuse(format!(
                "cell {name:?} has options ({options}) in the file but ({given}) in its definition"
            ));
        }
        *cell = known.clone();
        Ok(())
    }

    /// What the cells read at the lowest layer: the embedding's columns, or the input itself.
    pub fn features(&self) -> usize {
        self.embedding_size.unwrap_or(self.input_size)
    }

    /// Cells of each layer: one, or one for each direction.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional.is_some())
    }

    /// Number of states: of every layer one, or one for each direction, forward first.
    pub fn states(&self) -> usize {
        self.hidden_sizes.len() * self.directions()
    }

    /// Rows of all vectors of the state of that number, in the order that the cell names them.
    pub fn state_rows(&self, number: usize) -> Vec<usize> {
        let layer = number / self.directions();
        let size = self.hidden_sizes.get(layer).copied().unwrap_or(0);
        self.cell.state_rows(size, &self.options)
    }

    /// The same of all states, the lowest layer first.
    pub fn all_state_rows(&self) -> Vec<usize> {
        let states = 0..self.states();
        states.flat_map(|number| self.state_rows(number)).collect()
    }

    /// Rows of each layer's hidden vector.
    pub fn hidden_rows(&self) -> Vec<usize> {
        let sizes = self.hidden_sizes.iter();
        let hidden = |&size: &usize| self.cell.state_rows(size, &self.options)[0];
        sizes.map(hidden).collect()
    }

    /// Rows of what each layer hands up.
    pub fn widths(&self) -> Vec<usize> {
        let hidden = self.hidden_rows().into_iter();
        let merged = |rows| self.bidirectional.map_or(rows, |merge| merge.rows(rows));
        hidden.map(merged).collect()
    }

    /// The masks of each state's step; what both directions of a layer read is the first one's.
    pub fn masks(&self, phase: Phase) -> Vec<Masks<Mask>> {
        if phase == Phase::Evaluation {
            return Vec::new();
        }
        let (hidden, widths) = (self.hidden_rows(), self.widths());
        let of_state = |number: usize| {
            let (layer, direction) = (number / self.directions(), number % self.directions());
            let (size, hidden) = (self.hidden_sizes[layer], hidden[layer]);
            let below = layer.checked_sub(1).filter(|_| direction == 0);
            // A net without candidate drops h.
            let candidate = if self.cell.has_candidate() {
                size
            } else {
                hidden
            };
            let rows = (hidden, candidate, size);
            let below = below.map(|below| widths[below]);
            self.regularisers.masks(number, below, rows)
        };
        (0..self.states()).map(of_state).collect()
    }

    /// What the decoder reads.
    pub fn top_size(&self) -> usize {
        let widths = self.widths();
        if self.all_to_output {
            widths.iter().sum()
        } else {
            widths.last().copied().unwrap_or(0)
        }
    }

    /// Rows of the output.
    pub fn output_rows(&self) -> usize {
        self.output_size.unwrap_or_else(|| self.top_size())
    }

    /// How a parameter begins.
    pub fn init_of(&self, spec: &Spec) -> Init {
        if let Some(init) = spec.init {
            return init;
        }
        if spec.role == Role::Bias {
            let forget = self.forgets() && spec.name.ends_with(".forget.bias");
            return Init::Constant(if forget { self.forget_bias } else { 0.0 });
        }
        match (self.init, spec.role) {
            (_, Role::Gain) => Init::Constant(1.0),
            (InitKind::Glorot, Role::Peephole) => Init::Constant(0.0),
            (InitKind::Normal, _) => Init::Normal { std: self.std },
            (InitKind::Uniform, _) => Init::Uniform {
                low: -self.std,
                high: self.std,
            },
            (InitKind::Glorot, Role::Embedding) => Init::Normal {
                std: 1.0 / (spec.shape.cols as f64).sqrt(),
            },
            // A single row is no matrix whose columns could be orthogonal to anything.
            (InitKind::Glorot, Role::Recurrent) if spec.shape.rows > 1 => Init::Orthogonal,
            (InitKind::Glorot, _) => Init::GlorotUniform,
        }
    }
}

fn refuse<T>(message: String) -> Result<T> {
    Err(Error::argument("Model", message))
}
