//! One step of all layers: what goes up, what is dropped on the way, what comes out.

use crate::cells::{State, StepInput};
use crate::config::Config;
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::Vars;
use crate::plan::Parts;
use crate::regularise::Masks;
use crate::zoneout::zoneout;

/// The state of all layers, the lowest first.
pub type States<V> = Vec<State<V>>;

/// What a step leaves.
#[derive(Clone, Debug)]
pub struct Stepped<V> {
    /// The state of all layers, the lowest first.
    pub states: States<V>,
    /// What each layer hands up.
    pub up: Vec<V>,
}

/// The layers of a model.
pub(crate) struct Layers<'a> {
    pub(crate) config: &'a Config,
    pub(crate) parts: &'a Parts,
}

impl Layers<'_> {
    /// One step, the decoder apart. There are masks for every layer, or for none.
    pub(crate) fn step<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        x: &R::Var,
        states: &[State<R::Var>],
        masks: &[Masks<R::Var>],
    ) -> Result<Stepped<R::Var>> {
        let read = self.read(r, states, masks)?;
        let all: Vec<_> = read.iter().map(|state| state.hidden.clone()).collect();
        let stack = if self.config.cell.has_feedback() {
            r.concat(&all.iter().collect::<Vec<_>>())?
        } else {
            x.clone()
        };
        let mut up: Vec<R::Var> = Vec::with_capacity(states.len());
        let mut next: States<R::Var> = Vec::with_capacity(states.len());
        for (number, cell) in self.parts.layers.iter().enumerate() {
            let masks = masks.get(number).unwrap_or(&Masks::NONE);
            let below = self.below(r, x, up.last(), masks.below.as_ref())?;
            let input = StepInput {
                x: &below,
                state: &read[number],
                all: &all,
                stack: &stack,
                mask: masks.recurrent.as_ref(),
            };
            let new = cell.step(r, p, &input)?;
            let new = self.settle(r, &states[number], new, masks)?;
            up.push(match up.last() {
                Some(below) if self.config.residual => r.add(&[&new.hidden, below])?,
                _ => new.hidden.clone(),
            });
            next.push(new);
        }
        Ok(Stepped { states: next, up })
    }

    /// The states as the cells read them: a simple net, which has no candidate that could be dropped,
    /// reads h under recurrent dropout (Gal and Ghahramani 2016).
    fn read<R: Recorder>(
        &self,
        r: &mut R,
        states: &[State<R::Var>],
        masks: &[Masks<R::Var>],
    ) -> Result<States<R::Var>> {
        let mut read = states.to_vec();
        if !self.config.cell.has_candidate() {
            for (state, masks) in read.iter_mut().zip(masks) {
                if let Some(mask) = &masks.recurrent {
                    state.hidden = r.mul(mask, &state.hidden)?;
                }
            }
        }
        Ok(read)
    }

    /// What a layer reads: what the one below hands up, or the input.
    fn below<R: Recorder>(
        &self,
        r: &mut R,
        x: &R::Var,
        up: Option<&R::Var>,
        mask: Option<&R::Var>,
    ) -> Result<R::Var> {
        let Some(up) = up else {
            return Ok(x.clone());
        };
        let up = match mask {
            Some(mask) => r.mul(mask, up)?,
            None => up.clone(),
        };
        if self.config.input_to_all {
            return r.concat(&[&up, x]);
        }
        Ok(up)
    }

    /// A new state, clipped and under zoneout.
    fn settle<R: Recorder>(
        &self,
        r: &mut R,
        old: &State<R::Var>,
        mut new: State<R::Var>,
        masks: &Masks<R::Var>,
    ) -> Result<State<R::Var>> {
        let config = self.config;
        if let Some(limit) = config.hidden_clip {
            new.hidden = r.clip(&new.hidden, -limit, limit)?;
        }
        let (hidden, cell) = (
            config.regularisers.zoneout_hidden,
            config.regularisers.zoneout_cell,
        );
        if hidden > 0.0 {
            let mask = masks.hidden.as_ref();
            new.hidden = zoneout(r, hidden, mask, &old.hidden, &new.hidden)?;
        }
        let names = config.cell.states();
        let more = old.more.iter().zip(&mut new.more).zip(&names[1..]);
        if cell > 0.0 {
            for ((old, new), _) in more.filter(|(_, name)| **name == "cell") {
                *new = zoneout(r, cell, masks.cell.as_ref(), old, new)?;
            }
        }
        Ok(new)
    }
}
