//! One step of all layers: what goes up, what is dropped on the way, what comes out.

use crate::cells::{Cell, State, StepInput};
use crate::config::{Config, Merge};
use crate::error::Result;
use crate::ops::Recorder;
use crate::params::Vars;
use crate::plan::Parts;
use crate::regularise::Masks;
use crate::zoneout::zoneout;

/// The state of all layers, the lowest first; of both directions, forward first.
pub type States<V> = Vec<State<V>>;

/// What a step leaves.
#[derive(Clone, Debug)]
pub struct Stepped<V> {
    /// The state of all layers.
    pub states: States<V>,
    /// What each layer hands up.
    pub up: Vec<V>,
}

impl<V> Default for Stepped<V> {
    /// Of no layer.
    fn default() -> Self {
        let (states, up) = (Vec::new(), Vec::new());
        Self { states, up }
    }
}

/// The layers of a model.
pub(crate) struct Layers<'a> {
    pub(crate) config: &'a Config,
    pub(crate) parts: &'a Parts,
}

impl Layers<'_> {
    /// One step, the decoder apart. There are masks for every state, or for none.
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
        let mut up: Vec<R::Var> = Vec::with_capacity(self.parts.layers.len());
        let mut next: States<R::Var> = Vec::with_capacity(states.len());
        for _ in &self.parts.layers {
            let first = next.len();
            let below = self.below(r, x, up.last(), masks.get(first))?;
            for number in first..first + self.config.directions() {
                let masks = masks.get(number).unwrap_or(&Masks::NONE);
                let input = StepInput {
                    x: &below,
                    state: &read[number],
                    all: &all,
                    stack: &stack,
                    mask: masks.recurrent.as_ref(),
                };
                let new = self.cell(number).step(r, p, &input)?;
                next.push(self.settle(r, &states[number], new, masks)?);
            }
            up.push(self.up(r, &next[first..], up.last())?);
        }
        Ok(Stepped { states: next, up })
    }

    /// One step of one direction of a layer, the cell of that number: its state.
    pub(crate) fn step_alone<R: Recorder>(
        &self,
        r: &mut R,
        p: Vars<'_, R::Var>,
        number: usize,
        below: &R::Var,
        state: &State<R::Var>,
        masks: &Masks<R::Var>,
    ) -> Result<State<R::Var>> {
        let (state, masks) = (std::slice::from_ref(state), std::slice::from_ref(masks));
        let read = self.read(r, state, masks)?;
        let hidden = &read[0].hidden;
        let input = StepInput {
            x: below,
            state: &read[0],
            all: std::slice::from_ref(hidden),
            stack: hidden,
            mask: masks[0].recurrent.as_ref(),
        };
        let new = self.cell(number).step(r, p, &input)?;
        self.settle(r, &state[0], new, &masks[0])
    }

    /// The cell of that number: of every layer one, or one for each direction.
    fn cell(&self, number: usize) -> &Cell {
        let directions = self.config.directions();
        if number.is_multiple_of(directions) {
            &self.parts.layers[number / directions]
        } else {
            &self.parts.reversed[number / directions]
        }
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

    /// What a layer hands up whose new states these are, `below` what the one below did.
    pub(crate) fn up<R: Recorder>(
        &self,
        r: &mut R,
        states: &[State<R::Var>],
        below: Option<&R::Var>,
    ) -> Result<R::Var> {
        let hidden: Vec<_> = states.iter().map(|state| &state.hidden).collect();
        let merged = match self.config.bidirectional {
            None => hidden[0].clone(),
            Some(Merge::Concat | Merge::Apart) => r.concat(&hidden)?,
            Some(Merge::Sum) => r.add(&hidden)?,
            Some(Merge::Mean) => {
                let sum = r.add(&hidden)?;
                r.scale(&sum, 0.5)?
            }
        };
        match below {
            Some(below) if self.config.residual => r.add(&[&merged, below]),
            _ => Ok(merged),
        }
    }

    /// What a layer reads: what the one below hands up, or the input.
    pub(crate) fn below<R: Recorder>(
        &self,
        r: &mut R,
        x: &R::Var,
        up: Option<&R::Var>,
        masks: Option<&Masks<R::Var>>,
    ) -> Result<R::Var> {
        let Some(up) = up else {
            return Ok(x.clone());
        };
        let up = match masks.and_then(|masks| masks.below.as_ref()) {
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
