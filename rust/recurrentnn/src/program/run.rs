//! Programs: expressions compiled on first use, and their runs over sequences.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::{Cache, Prepared};
use super::compile::{Compiled, Variant, compile, gathers};
use super::ends::{End, columns, fill, put, states};
use super::expression::Expression;
use super::lower::{Parts, Prelude, lower};
use super::order::expect_one_way;
use super::passes::Passes;
use super::prepare::{Source, Weights, fill_input};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Poll;
use crate::kernels::Isa;
use crate::kernels::machine::{self, Extent, Layout, Memory, Stopped};
use crate::shape::Shape;

/// A step made ready to run over sequences.
///
/// It is compiled once for inference and once for training, at the first use of each.
pub struct Program<T: Element> {
    parts: Parts,
    source: Source,
    passes: Passes,
    /// Whether symbols can look up all that the step does with its input.
    gathers: bool,
    compiled: Mutex<HashMap<Variant, Arc<Compiled<T>>>>,
    cache: Cache<T>,
}

/// The columns of a sequence, those of the first step first: of a step, one for each sample that is so
/// long.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, T> {
    /// Rows of features one after the other, a column for each step and sample.
    Features(&'a [T]),
    /// A symbol for each step and sample, each less than the number of symbols.
    Symbols(&'a [usize]),
}

/// What a run reads.
#[derive(Clone, Copy)]
pub struct Call<'a, T> {
    /// The instruction set.
    pub isa: Isa,
    /// At most so many threads.
    pub threads: usize,
    /// Steps and samples.
    pub extent: Extent,
    /// Steps of each sample, the longest first; `None`: all have as many.
    pub lengths: Option<&'a [usize]>,
    /// The sequence.
    pub input: Input<'a, T>,
    /// The states before the first step; `None` are zeros.
    pub states: &'a [Option<&'a [T]>],
    /// The weights: see [`Program::prelude`].
    pub weights: &'a [&'a [T]],
    /// A number that is another for other values of the weights; `None` where nobody can tell.
    pub version: Option<u64>,
    /// Whether a backward pass will follow.
    pub differentiate: bool,
    /// Whether that gives the input's gradient.
    pub input_grad: bool,
}

/// Gradients that come into a backward pass; `None` are zeros.
#[derive(Clone, Copy)]
pub struct Incoming<'a, T> {
    /// Of the results, in the columns of the input.
    pub results: &'a [Option<&'a [T]>],
    /// Of the states after the last step.
    pub states: &'a [Option<&'a [T]>],
}

impl<T: Element> Program<T> {
    /// Makes a program of a step that gives anew each of the states, and then its results.
    ///
    /// # Errors
    /// [`Error::Argument`], [`Error::Shape`] or [`Error::Graph`] where the step does not do so.
    pub fn new(
        expression: &Expression,
        params: &[Shape],
        states: &[usize],
        source: Source,
        passes: Passes,
    ) -> Result<Self> {
        let parts = lower(expression, params, states)?;
        expect_one_way(&parts.step)?;
        Ok(Self {
            gathers: gathers(&parts, passes),
            parts,
            source,
            passes,
            compiled: Mutex::new(HashMap::new()),
            cache: Cache::new(),
        })
    }

    /// What the weights are: the parameters, and what the step computes from them alone.
    pub fn prelude(&self) -> &Prelude {
        &self.parts.prelude
    }

    /// Shapes of the weights.
    pub fn weights(&self) -> &[Shape] {
        &self.parts.weights
    }

    /// Rows of each result.
    pub fn results(&self) -> Vec<usize> {
        let rows = |id: &usize| self.parts.step.rows(*id);
        self.parts.step.results.iter().map(rows).collect()
    }

    /// Rows of each state.
    pub fn states(&self) -> Vec<usize> {
        let rows = |id: &usize| self.parts.step.rows(*id);
        self.parts.step.states.iter().map(rows).collect()
    }

    fn symbols(&self, input_rows: usize) -> usize {
        match self.source {
            Source::Features => 0,
            Source::OneHot => input_rows,
            Source::Embedding(number) => self.parts.weights[number].rows,
        }
    }

    pub(super) fn input_rows(&self) -> usize {
        let input = |node: &&super::step::Node| matches!(node.kind, super::step::Kind::Input);
        self.parts
            .step
            .nodes
            .iter()
            .find(input)
            .map_or(0, |node| node.rows)
    }

    /// Which variant serves a call best.
    fn variant(&self, call: &Call<'_, T>, columns: usize) -> Variant {
        let symbols = self.symbols(self.input_rows());
        // A table of all symbols costs as much as so many columns; it is kept while weights stay.
        let looks_up = match (self.source, call.input) {
            (Source::OneHot, Input::Symbols(_)) => true,
            (Source::Embedding(_), Input::Symbols(_)) if call.differentiate => symbols <= columns,
            (Source::Embedding(_), Input::Symbols(_)) => symbols <= MOST_CACHED,
            _ => false,
        };
        let gather = self.gathers && looks_up;
        // The embedding gets its gradient through the table, or else through the input.
        let input_grad = match (self.source, call.input) {
            (Source::Embedding(_), Input::Symbols(_)) => !gather,
            _ => call.input_grad,
        };
        Variant {
            differentiate: call.differentiate,
            input_grad: call.differentiate && input_grad,
            gather,
        }
    }

    fn compiled(&self, variant: Variant) -> Result<Arc<Compiled<T>>> {
        let mut known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(&variant) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(compile(&self.parts, self.passes, self.source, variant)?);
        known.insert(variant, Arc::clone(&compiled));
        Ok(compiled)
    }

    /// Makes a sequence ready to be run: everything is copied that the run reads.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn begin(self: &Arc<Self>, call: &Call<'_, T>) -> Result<Run<T>> {
        let layout = match call.lengths {
            Some(lengths) => Layout::new(lengths.to_vec()),
            None => Layout::dense(call.extent),
        };
        let columns = layout.columns();
        let variant = self.variant(call, columns);
        let compiled = self.compiled(variant)?;
        let key = (variant, call.isa, layout.batch());
        let prepared =
            self.cache
                .prepared(&compiled, key, weights(self, call.weights), call.version)?;
        let symbols = self.symbols(self.input_rows());
        let constants = &prepared.constants;
        let memory = self
            .cache
            .memory(&compiled, variant, layout, symbols, constants)?;
        let mut run = Run {
            program: Arc::clone(self),
            compiled,
            variant,
            prepared: Some(prepared),
            memory: Some(memory),
            symbols: Vec::new(),
            isa: call.isa,
            threads: 1,
            fresh: false,
        };
        run.set_threads(call.threads);
        run.load(call.input, call.states)?;
        Ok(run)
    }
}

/// Work, in multiply-adds, from which a second thread repays being started.
const SHARED: usize = 1 << 23;
/// Symbols up to which an inference call makes the table of all of them, for itself and later ones.
const MOST_CACHED: usize = 1024;

/// A sequence that a program ran over, with everything the backward pass needs.
pub struct Run<T: Element> {
    pub(super) program: Arc<Program<T>>,
    pub(super) compiled: Arc<Compiled<T>>,
    variant: Variant,
    /// None only if there was no memory for other weights.
    prepared: Option<Arc<Prepared<T>>>,
    /// Taken when the run ends.
    memory: Option<Memory<T>>,
    pub(super) symbols: Vec<usize>,
    pub(super) isa: Isa,
    threads: usize,
    /// Whether the forward pass's values are still all there.
    fresh: bool,
}

impl<T: Element> Drop for Run<T> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.program.cache.give_back(self.variant, memory);
        }
    }
}

impl<T: Element> Run<T> {
    pub(super) fn memory(&self) -> Result<&Memory<T>> {
        self.memory.as_ref().ok_or_else(ended)
    }

    /// Whether that end of a state is after the last step in time.
    fn is_late(&self, state: usize, end: End) -> bool {
        end.is_late(self.compiled.reversed[state])
    }

    fn memory_mut(&mut self) -> Result<&mut Memory<T>> {
        self.memory.as_mut().ok_or_else(ended)
    }

    /// Its program.
    pub fn program(&self) -> &Program<T> {
        &self.program
    }

    /// The same number for runs whose weight gradients can be taken together.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.compiled).addr()
    }

    /// Takes in the weights, unless `version` says that they are those it has.
    ///
    /// # Errors
    /// [`Error::Memory`]; the run needs weights then before it goes on.
    pub fn load_weights(&mut self, values: &[&[T]], version: Option<u64>) -> Result<()> {
        if self.has_version(version) {
            return Ok(());
        }
        let batch = self.memory()?.layout().batch();
        let key = (self.variant, self.isa, batch);
        // Given up first: what held the old weights serves again.
        self.memory_mut()?.forget_constants();
        self.prepared = None;
        let weights = weights(&self.program, values);
        let cache = &self.program.cache;
        let prepared = cache.prepared(&self.compiled, key, weights, version)?;
        let constants = Arc::clone(&prepared.constants);
        self.prepared = Some(prepared);
        self.memory_mut()?.set_constants(constants);
        Ok(())
    }

    /// Takes in a sequence of the run's layout, and the states before it.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn load(&mut self, input: Input<'_, T>, states: &[Option<&[T]>]) -> Result<()> {
        self.load_input(input)?;
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for (number, &plane) in self.compiled.states.iter().enumerate() {
            let late = End::First.is_late(self.compiled.reversed[number]);
            put(memory, plane, late, states.get(number).copied().flatten());
        }
        Ok(())
    }

    /// Whether its work repays starting threads.
    pub fn shares(&self) -> bool {
        self.compiled.passes.partition && self.work() >= SHARED
    }

    /// From now on it uses so many threads, if it shares its work.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = if self.shares() { threads } else { 1 };
    }

    /// Whether it has taken in the weights of this version.
    pub fn has_version(&self, version: Option<u64>) -> bool {
        let held = self.prepared.as_ref();
        version.is_some() && held.is_some_and(|prepared| prepared.version == version)
    }

    /// Takes in a sequence that goes on from where the last one ended.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn load_next(&mut self, input: Input<'_, T>) -> Result<()> {
        self.load_input(input)?;
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for &plane in &self.compiled.states {
            let rows = memory.shape(plane).rows;
            let (numbers, layout) = memory.plane_and_layout(plane);
            for (samples, length) in layout.groups() {
                let from = (layout.slot(length) + samples.start) * rows;
                let to = samples.start * rows;
                numbers.copy_within(from..from + samples.len() * rows, to);
            }
        }
        Ok(())
    }

    /// Takes in a sequence; the states before it stay.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn load_input(&mut self, input: Input<'_, T>) -> Result<()> {
        self.fresh = false;
        self.symbols.clear();
        if let Input::Symbols(symbols) = input {
            self.symbols.extend_from_slice(symbols);
        }
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        if let Some(plane) = self.compiled.input {
            let symbols = self.program.symbols(self.program.input_rows());
            let embedding = self.compiled.embedding;
            fill_input(input, embedding, symbols, memory, plane);
        }
        Ok(())
    }

    /// The numbers of a mask that the step reads, in the columns of the input, for the caller to fill
    /// before the forward pass; `None` if it reads none of that number.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn mask_mut(&mut self, number: usize) -> Result<Option<&mut [T]>> {
        let found = self.compiled.masks.iter().find(|mask| mask.0 == number);
        let Some(&(_, plane)) = found else {
            return Ok(None);
        };
        self.fresh = false;
        let memory = self.memory_mut()?;
        Ok(Some(memory.plane_mut(plane)))
    }

    /// Runs on so many threads however little there is to do: for tests of what threads share.
    #[doc(hidden)]
    pub fn force_threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// Multiply-adds, or as much work, of the forward pass.
    pub fn work(&self) -> usize {
        let columns = self.memory.as_ref().map_or(0, |m| m.layout().columns());
        self.compiled.work * columns
    }

    /// Runs the forward pass.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the poll stopped it: it can be run again.
    pub fn forward(&mut self, poll: Poll<'_>) -> Result<()> {
        self.stages(0..self.compiled.forward, poll)?;
        self.fresh = true;
        Ok(())
    }

    fn stages(&mut self, stages: std::ops::Range<usize>, poll: Poll<'_>) -> Result<()> {
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        let prepared = self.prepared.as_ref().ok_or_else(ended)?;
        let run = machine::Run {
            isa: self.isa,
            code: &self.compiled.code,
            packs: &prepared.packs,
            symbols: &self.symbols,
            threads: self.threads,
        };
        let result = run.stages(stages, memory, poll);
        result.map_err(|stopped| match stopped {
            Stopped::Poll => Error::Interrupted,
            Stopped::Memory => Error::memory("forward", "not enough memory for scratch"),
        })
    }

    /// Steps and samples.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn extent(&self) -> Result<Extent> {
        Ok(self.memory()?.layout().extent())
    }

    /// A result, in the columns of the input.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn result(&self, number: usize) -> Result<Cow<'_, [T]>> {
        Ok(columns(self.memory()?, self.compiled.results[number]))
    }

    /// A state after the last step of each sample.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state(&self, number: usize) -> Result<Cow<'_, [T]>> {
        let plane = self.compiled.states[number];
        Ok(states(
            self.memory()?,
            plane,
            self.is_late(number, End::Last),
        ))
    }

    /// Puts column `from[i]` of every state after the last step in the place of column i.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn reorder_states(&mut self, from: &[usize]) -> Result<()> {
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for &plane in &self.compiled.states {
            let Extent { time, batch } = memory.layout().extent();
            let rows = memory.shape(plane).rows;
            let last = &mut memory.plane_mut(plane)[time * rows * batch..];
            let before = last.to_vec();
            for (to, &column) in last.chunks_exact_mut(rows).zip(from) {
                to.copy_from_slice(&before[column * rows..][..rows]);
            }
        }
        Ok(())
    }

    /// A state before the first step.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn first_state(&self, number: usize) -> Result<Cow<'_, [T]>> {
        let plane = self.compiled.states[number];
        Ok(states(
            self.memory()?,
            plane,
            self.is_late(number, End::First),
        ))
    }

    /// Takes in the gradients that come into the backward pass.
    ///
    /// # Errors
    /// [`Error::Internal`] unless the run is for training.
    pub fn receive(&mut self, incoming: Incoming<'_, T>) -> Result<()> {
        for number in 0..self.compiled.result_grads.len() {
            if let Some(to) = self.result_grad(number)? {
                fill(to, incoming.results.get(number).copied().flatten());
            }
        }
        self.receive_states(incoming.states)
    }

    /// Where the gradient of a result comes in before the backward pass, in the columns of the input;
    /// `None` where the pass does not read it.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn result_grad(&mut self, number: usize) -> Result<Option<&mut [T]>> {
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        let plane = self.compiled.result_grads.get(number).copied().flatten();
        Ok(plane.map(|plane| memory.plane_mut(plane)))
    }

    /// Takes in the gradients of the states after the last step; `None` are zeros.
    ///
    /// # Errors
    /// [`Error::Internal`] unless the run is for training.
    pub fn receive_states(&mut self, grads: &[Option<&[T]>]) -> Result<()> {
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for (number, &plane) in self.compiled.state_grads.iter().enumerate() {
            let grad = grads.get(number).copied().flatten();
            let late = End::Last.is_late(self.compiled.reversed[number]);
            put(memory, plane, late, grad);
        }
        Ok(())
    }

    /// Runs the backward pass from the gradients received, up to those of the weights: they come from
    /// [`weight_gradients`](super::weight_gradients). It writes over the values of the forward pass; where they are gone, that
    /// runs again first.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the poll stopped it: receive the gradients again first.
    pub fn backward(&mut self, poll: Poll<'_>) -> Result<()> {
        if !self.fresh {
            self.forward(poll)?;
        }
        self.fresh = false;
        self.stages(
            self.compiled.forward..self.compiled.code.stages().len(),
            poll,
        )
    }

    /// The gradient of the input, in its columns, after [`Run::backward`]; `None` if nobody asked.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn input_grad(&self) -> Result<Option<Cow<'_, [T]>>> {
        let memory = self.memory()?;
        Ok(self.compiled.input_grad.map(|place| columns(memory, place)))
    }

    /// The gradient of a state before the first step, after [`Run::backward`].
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state_grad(&self, number: usize) -> Result<Cow<'_, [T]>> {
        let plane = self.compiled.state_grads[number];
        Ok(states(
            self.memory()?,
            plane,
            self.is_late(number, End::First),
        ))
    }
}

pub(super) fn weights<'a, T: Element>(
    program: &'a Program<T>,
    values: &'a [&'a [T]],
) -> Weights<'a, T> {
    Weights {
        values,
        shapes: &program.parts.weights,
        source: program.source,
        symbols: program.symbols(program.input_rows()),
    }
}

pub(super) fn ended() -> Error {
    Error::internal("program", "a run is used after it was used up")
}
