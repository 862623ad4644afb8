//! A gate: two weights and a bias, before its nonlinearity.

use crate::error::Result;
use crate::ops::Recorder;
use crate::params::{ParamId, Registry, Role, Vars};
use crate::program::Symbol;

/// W x + U h + b.
#[derive(Clone, Copy, Debug)]
pub struct Gate<P = ParamId> {
    /// W, size x inputs.
    pub weight_x: P,
    /// U, size x state.
    pub weight_h: P,
    /// b, size x 1.
    pub bias: P,
}

impl Gate<Symbol> {
    /// W x + U h + b.
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn sum<R: Recorder<Var = Symbol>>(
        &self,
        r: &mut R,
        x: &Symbol,
        h: &Symbol,
    ) -> Result<Symbol> {
        let wx = r.matmul(&self.weight_x, x)?;
        let uh = r.matmul(&self.weight_h, h)?;
        r.add(&[&wx, &uh, &self.bias])
    }

    /// sigmoid(W x + U h + b).
    ///
    /// # Errors
    /// Whatever the recorder refuses.
    pub fn sigmoid<R: Recorder<Var = Symbol>>(
        &self,
        r: &mut R,
        x: &Symbol,
        h: &Symbol,
    ) -> Result<Symbol> {
        let sum = self.sum(r, x, h)?;
        r.sigmoid(&sum)
    }
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
