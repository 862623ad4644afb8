//! A model before it has numbers: its parameters registered in the order of files and of iteration,
//! its layers as expressions over them.

use crate::cells::{Cell, Layer};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::params::{ParamId, Registry, Role, Spec};

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
        Ok(Self {
            config,
            specs: reg.into_specs(),
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
        let layers = register_layers(config, reg)?;
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
            decoder,
        })
    }
}

/// What the names of a layer's parameters begin with.
pub(crate) fn layer_scope(number: usize) -> String {
    format!("layers.{number}")
}

fn register_layers(config: &Config, reg: &mut Registry) -> Result<Vec<Cell>> {
    let mut below = config.features();
    let hidden = config.hidden_rows();
    let mut layers = Vec::with_capacity(config.hidden_sizes.len());
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
        layers.push(reg.scope(&layer_scope(number), |reg| {
            config.cell.build(reg, &layer, &config.options)
        })?);
        below = hidden[number];
    }
    Ok(layers)
}
