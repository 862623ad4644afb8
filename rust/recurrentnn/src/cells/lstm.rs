//! The long short-term memory with a forget gate (Hochreiter and Schmidhuber 1997; Gers et al.
//! 2000):
//!
//! ```text
//! i = sigmoid(W_i x + U_i h + b_i)    f = sigmoid(W_f x + U_f h + b_f)
//! n = tanh(W_n x + U_n h + b_n)       o = sigmoid(W_o x + U_o h + b_o)
//! c' = f c + i n                      h' = o tanh(c')
//! ```
//!
//! One bias a gate, where PyTorch has two that are only ever added. The options:
//!
//! ```text
//! peepholes        p_i * c and p_f * c in the sums of i and f, p_o * c' in that of o (Gers and
//!                  Schmidhuber 2000)
//! coupled_gates    f = 1 - i (Greff et al. 2017)
//! projection_size  h' = R (o tanh(c')) (Sak et al. 2014; PyTorch's `proj_size`)
//! ```

use super::activation::ActivationKind;
use super::memory::Memory;
use super::unit::Unit;
use super::{Layer, Options, State, StepInput, complement};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// Parameters `{input, forget, candidate, output}.{weight_x, weight_h, bias}` and, by option,
/// `{input, forget, output}.peephole`, `projection.weight`.
#[derive(Clone, Debug)]
pub struct Lstm {
    input: Unit,
    /// None: 1 - i.
    forget: Option<Unit>,
    candidate: Unit,
    output: Unit,
    memory: Memory,
    projection: Option<ParamId>,
}

impl Lstm {
    pub(super) fn new(reg: &mut Registry, layer: &Layer<'_>, options: &Options) -> Self {
        let sizes = (layer.inputs, layer.hidden, layer.size);
        let unit = |reg: &mut Registry, name, usual| {
            let activation = options.activation_of(name, usual);
            Unit::new(reg, name, sizes, activation, options)
        };
        let seeing = |reg: &mut Registry, name| {
            let unit = unit(reg, name, ActivationKind::Sigmoid);
            unit.with_peephole(reg, name, layer.size, options)
        };
        Self {
            input: seeing(reg, "input"),
            forget: (!options.coupled_gates).then(|| seeing(reg, "forget")),
            candidate: unit(reg, "candidate", ActivationKind::Tanh),
            output: seeing(reg, "output"),
            memory: Memory::new(reg, layer, options),
            projection: options.projection_size.map(|rows| {
                reg.scope("projection", |reg| {
                    reg.add("weight", rows, layer.size, Role::Input)
                })
            }),
        }
    }

    pub(super) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        input: &StepInput<'_, R::Var>,
    ) -> Result<State<R::Var>> {
        let (x, h, c) = (input.x, input.hidden(), input.cell()?);
        let i = self.input.seeing(r, p, x, h, c)?;
        let f = match &self.forget {
            Some(forget) => forget.seeing(r, p, x, h, c)?,
            None => complement(r, &i)?,
        };
        let n = self.candidate.value(r, p, x, h)?;
        let n = input.dropped(r, n)?;
        let c = self.memory.write(r, [&i, &f, &n], c)?;
        let o = self.output.seeing(r, p, x, h, &c)?;
        let h = self.memory.read(r, p, &o, &c)?;
        let h = match self.projection {
            Some(weight) => r.matmul(&p[weight], &h)?,
            None => h,
        };
        Ok(State::with_cell(h, c))
    }
}
