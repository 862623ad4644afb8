//! A model before it has numbers: its parameters registered in the order of files and of iteration,
//! its layers as expressions over them.

use crate::cells::{Cell, Layer};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::params::{ParamId, Registry, Role, Spec};
use crate::shape::Shape;

/// Most parameters that a model may have.
const MOST: usize = 1 << 31;

/// Embedding, layers and decoder of a checked configuration.
pub struct Plan {
    pub(crate) config: Config,
    pub(crate) specs: Vec<Spec>,
    pub(crate) parts: Parts,
}

/// Where the parts of a model find their parameters.
pub(crate) struct Parts {
    pub(crate) embedding: Option<ParamId>,
    pub(crate) layers: Vec<Cell>,
    /// The same layers, backward in time; empty where there is one direction.
    pub(crate) reversed: Vec<Cell>,
    /// The state vectors that a row begins with, layer by layer, if they are learned.
    pub(crate) initial: Vec<ParamId>,
    pub(crate) decoder: Option<Decoder>,
}

/// V top + b.
#[derive(Clone, Copy)]
pub(crate) struct Decoder {
    /// The embedding's, if it is tied.
    pub(crate) weight: ParamId,
    pub(crate) bias: ParamId,
}

impl Plan {
    /// The plan of a model.
    ///
    /// # Errors
    /// [`Error::Argument`] for a configuration out of its domain; what a cell of the user's own
    /// refuses.
    pub fn new(config: Config) -> Result<Self> {
        config.check()?;
        let mut reg = Registry::default();
        let parts = Parts::register(&config, &mut reg)?;
        let specs = reg.into_specs();
        let mut names: Vec<&str> = specs.iter().map(|spec| &*spec.name).collect();
        names.sort_unstable();
        // A cell of the user's own may have named one as the model does.
        if let Some(twice) = names.chunk_by(|a, b| a == b).find(|same| same.len() > 1) {
            let message = format!(
                "{} parameters would have the name {}",
                twice.len(),
                twice[0]
            );
            return Err(Error::argument("Model", message));
        }
        Ok(Self {
            config,
            specs,
            parts,
        })
    }

    /// The parameters that the model will have.
    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// Fails where a size was meant to be smaller.
    pub(crate) fn expect_possible(&self) -> Result<()> {
        let lengths = self.specs.iter().map(|spec| spec.shape.len());
        let count = lengths.fold(0usize, usize::saturating_add);
        if count <= MOST {
            return Ok(());
        }
        let message =
            format!("the sizes would make {count} parameters but at most {MOST} are taken");
        Err(Error::argument("Model", message))
    }
}

impl Parts {
    fn register(config: &Config, reg: &mut Registry) -> Result<Self> {
        let embedding = config.embedding_size.map(|size| {
            reg.scope("embedding", |reg| {
                reg.add("weight", config.input_size, size, Role::Embedding)
            })
        });
        let (mut layers, mut reversed, mut initial) = (Vec::new(), Vec::new(), Vec::new());
        register_layers(config, reg, [&mut layers, &mut reversed], &mut initial)?;
        let decoder = config.output_size.map(|size| {
            reg.scope("decoder", |reg| Decoder {
                weight: embedding
                    .filter(|_| config.tied_embedding)
                    .unwrap_or_else(|| reg.add("weight", size, config.top_size(), Role::Input)),
                bias: reg.add("bias", size, 1, Role::Bias),
            })
        });
        Ok(Self {
            embedding,
            layers,
            reversed,
            initial,
            decoder,
        })
    }
}

/// What the names of a layer's parameters begin with.
pub(crate) fn layer_scope(number: usize) -> String {
    format!("layers.{number}")
}

fn register_layers(
    config: &Config,
    reg: &mut Registry,
    [forward, reversed]: [&mut Vec<Cell>; 2],
    initial: &mut Vec<ParamId>,
) -> Result<()> {
    let mut below = config.features();
    let (hidden, widths) = (config.hidden_rows(), config.widths());
    for (number, &size) in config.hidden_sizes.iter().enumerate() {
        let skip = if config.input_to_all && number > 0 {
            config.features()
        } else {
            0
        };
        let layer = Layer {
            inputs: below + skip,
            size,
            hidden: hidden[number],
            sizes: &hidden,
        };
        let mut direction = |reg: &mut Registry| {
            let cell = config.cell.build(reg, &layer, &config.options)?;
            if config.learned_state {
                let rows = config.cell.state_rows(size, &config.options);
                let vectors = config.cell.states().into_iter().zip(rows);
                initial.extend(vectors.map(|(name, rows)| initial_state(reg, name, rows)));
            }
            Ok(cell)
        };
        reg.scope(&layer_scope(number), |reg| -> Result<()> {
            forward.push(direction(reg)?);
            if config.bidirectional.is_some() {
                reversed.push(reg.scope(REVERSE, direction)?);
            }
            Ok(())
        })?;
        below = widths[number];
    }
    Ok(())
}

/// What the names of a layer's parameters go on with that belong to its second direction.
pub(crate) const REVERSE: &str = "reverse";

/// A state vector that a row begins with: at first as one that is not learned.
fn initial_state(reg: &mut Registry, name: &str, rows: usize) -> ParamId {
    reg.push(Spec {
        name: format!("initial_{name}"),
        shape: Shape::new(rows, 1),
        role: Role::Bias,
        init: Some(Init::Constant(0.0)),
    })
}
