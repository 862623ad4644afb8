//! The memory cell of an LSTM, plain or with gated feedback:
//!
//! ```text
//! c' = f c + i n              clipped to ±cell_clip, if there is one
//! h' = o squash(c')           squash is tanh unless `activations` names another for "cell"
//! h' = o squash(norm(c'))     layer_norm (Ba et al. 2016, eq. 22)
//! ```

use super::activation::{Activation, ActivationKind};
use super::unit::EPS;
use super::{Layer, Options};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Parameters `cell.{gain, bias}` with layer normalisation; else none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    clip: Option<f64>,
    squash: Activation,
    norm: Option<(ParamId, ParamId)>,
}

impl Memory {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let norm = |reg: &mut Registry| {
            let gain = reg.add("gain", layer.size, 1, Role::Gain);
            (gain, reg.add("bias", layer.size, 1, Role::Bias))
        };
        Self {
            clip: options.cell_clip,
            squash: options.activation_of("cell", ActivationKind::Tanh),
            norm: options.layer_norm.then(|| reg.scope("cell", norm)),
        }
    }

    /// c'.
    pub(super) fn write<R: Recorder>(
        &self,
        r: &mut R,
        [i, f, n]: [&R::Var; 3],
        c: &R::Var,
    ) -> Result<R::Var> {
        let kept = r.mul(f, c)?;
        let written = r.mul(i, n)?;
        let c = r.add(&[&kept, &written])?;
        match self.clip {
            Some(limit) => r.clip(&c, -limit, limit),
            None => Ok(c),
        }
    }

    /// h' from o and c'.
    pub(super) fn read<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        o: &R::Var,
        c: &R::Var,
    ) -> Result<R::Var> {
        let squashed = if let Some((gain, bias)) = self.norm {
            let normal = r.layer_norm(c, &p[gain], &p[bias], EPS)?;
            self.squash.apply(r, &normal)?
        } else {
            self.squash.apply(r, c)?
        };
        r.mul(o, &squashed)
    }
}
