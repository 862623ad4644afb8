//! A gate: two weights and a bias, before its nonlinearity.

use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};

/// W x + U h + b.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// W, size x inputs.
    pub weight_x: ParamId,
    /// U, size x state.
    pub weight_h: ParamId,
    /// b, size x 1.
    pub bias: ParamId,
}

impl Gate {
    /// Registers `name.weight_x`, `name.weight_h` and `name.bias`.
    pub fn new(reg: &mut Registry, name: &str, inputs: usize, state: usize, size: usize) -> Self {
        reg.scope(name, |reg| Self {
            weight_x: reg.add("weight_x", size, inputs, Role::Input),
            weight_h: reg.add("weight_h", size, state, Role::Recurrent),
            bias: reg.add("bias", size, 1, Role::Bias),
        })
    }

    /// W x + U h + b.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn sum<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        h: &R::Var,
    ) -> Result<R::Var> {
        let wx = r.matmul(&p[self.weight_x], x)?;
        let uh = r.matmul(&p[self.weight_h], h)?;
        r.add(&[&wx, &uh, &p[self.bias]])
    }

    /// sigmoid(W x + U h + b).
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn sigmoid<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        h: &R::Var,
    ) -> Result<R::Var> {
        let sum = self.sum(r, p, x, h)?;
        r.sigmoid(&sum)
    }
}
