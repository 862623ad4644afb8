//! Programs: expressions compiled on first use, and their runs over sequences.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::compile::{Compiled, Variant, compile, gathers, planes};
use super::expression::Expression;
use super::jobs::{Columns, Jobs};
use super::lower::{Parts, Prelude, lower};
use super::passes::Passes;
use super::prepare::{Source, Weights, empty_packs, prepare};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host::Poll;
use crate::kernels::Isa;
use crate::kernels::machine::{self, Constants, Extent, Memory, Place, Span, Stopped};
use crate::kernels::panel::Packed;
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
    prepared: Mutex<Vec<Arc<Prepared<T>>>>,
    idle: Mutex<Vec<(Variant, Memory<T>)>>,
}

/// Everything derived from the weights. Runs of the same values share it.
struct Prepared<T> {
    variant: Variant,
    isa: Isa,
    batch: usize,
    /// Which values of the weights it holds.
    version: Option<u64>,
    packs: Vec<Packed<T>>,
    constants: Arc<Constants<T>>,
}

/// Memories kept while idle, and preparations: for training one, for inference one, for a stream one.
const IDLE: usize = 3;

/// The columns of a sequence, time-major: column t * batch + b.
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
        Ok(Self {
            gathers: gathers(&parts, passes),
            parts,
            source,
            passes,
            compiled: Mutex::new(HashMap::new()),
            prepared: Mutex::new(Vec::new()),
            idle: Mutex::new(Vec::new()),
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

    fn input_rows(&self) -> usize {
        let input = |node: &&super::step::Node| matches!(node.kind, super::step::Kind::Input);
        self.parts
            .step
            .nodes
            .iter()
            .find(input)
            .map_or(0, |node| node.rows)
    }

    /// Which variant serves a call best.
    fn variant(&self, call: &Call<'_, T>) -> Variant {
        let symbols = self.symbols(self.input_rows());
        // A table of all symbols costs as much as so many columns; it is kept while weights stay.
        let looks_up = match (self.source, call.input) {
            (Source::OneHot, Input::Symbols(_)) => true,
            (Source::Embedding(_), Input::Symbols(_)) if call.differentiate => {
                symbols <= call.extent.columns()
            }
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

    /// What is derived from the weights, for runs of one variant and batch.
    fn prepared(
        &self,
        compiled: &Compiled<T>,
        (variant, isa, batch): (Variant, Isa, usize),
        values: &[&[T]],
        version: Option<u64>,
    ) -> Result<Arc<Prepared<T>>> {
        let mut all = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &Arc<Prepared<T>>| (p.variant, p.isa, p.batch) == (variant, isa, batch);
        let known = all.iter().position(same).map(|at| all.remove(at));
        let mut prepared = match known {
            Some(known) if version.is_some() && known.version == version => {
                all.push(Arc::clone(&known));
                return Ok(known);
            }
            Some(known) => Arc::into_inner(known),
            None => None,
        };
        // A memory that lies idle may still hold on to the constants.
        if let Some(old) = &prepared
            && Arc::strong_count(&old.constants) > 1
        {
            self.idle()
                .retain(|(_, memory)| !memory.has(&old.constants));
            prepared = prepared.filter(|old| Arc::strong_count(&old.constants) == 1);
        }
        let mut prepared = match prepared {
            Some(prepared) => prepared,
            None => {
                let no_memory = || Error::memory("forward", "not enough memory for the weights");
                let symbols = self.symbols(self.input_rows());
                let planes = planes(compiled.code.planes(), &compiled.fills, symbols);
                let constants = Constants::new(&planes, Extent { time: 1, batch });
                Prepared {
                    variant,
                    isa,
                    batch,
                    version: None,
                    packs: empty_packs(isa, compiled).ok_or_else(no_memory)?,
                    constants: Arc::new(constants.ok_or_else(no_memory)?),
                }
            }
        };
        if let Some(constants) = Arc::get_mut(&mut prepared.constants) {
            let weights = weights(self, values);
            prepare(isa, compiled, weights, &mut prepared.packs, constants);
        }
        prepared.version = version;
        let prepared = Arc::new(prepared);
        all.push(Arc::clone(&prepared));
        if all.len() > IDLE {
            all.remove(0);
        }
        Ok(prepared)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Variant, Memory<T>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for a run, that of an earlier one where it fits.
    fn memory(
        &self,
        compiled: &Compiled<T>,
        variant: Variant,
        extent: Extent,
        constants: &Arc<Constants<T>>,
    ) -> Result<Memory<T>> {
        let mut idle = self.idle();
        let fits = |(v, _): &(Variant, Memory<T>)| *v == variant;
        let same = |(v, m): &(Variant, Memory<T>)| *v == variant && m.extent() == extent;
        let at = idle
            .iter()
            .position(same)
            .or_else(|| idle.iter().position(fits));
        let found = at.map(|at| idle.swap_remove(at).1);
        drop(idle);
        match found {
            Some(mut memory) if memory.extent() == extent => {
                memory.set_constants(Arc::clone(constants));
                Ok(memory)
            }
            found => {
                let symbols = self.symbols(self.input_rows());
                let planes = planes(compiled.code.planes(), &compiled.fills, symbols);
                let memory = Memory::new(&planes, extent, Arc::clone(constants), found);
                memory.ok_or_else(|| {
                    let columns = extent.columns();
                    let message = format!("not enough memory for {columns} steps and samples");
                    Error::memory("forward", message)
                })
            }
        }
    }

    /// Makes a sequence ready to be run: everything is copied that the run reads.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn begin(self: &Arc<Self>, call: &Call<'_, T>) -> Result<Run<T>> {
        let variant = self.variant(call);
        let compiled = self.compiled(variant)?;
        let key = (variant, call.isa, call.extent.batch);
        let prepared = self.prepared(&compiled, key, call.weights, call.version)?;
        let memory = self.memory(&compiled, variant, call.extent, &prepared.constants)?;
        let shares = compiled.passes.partition && compiled.work * call.extent.columns() >= SHARED;
        let threads = if shares { call.threads } else { 1 };
        let mut run = Run {
            program: Arc::clone(self),
            compiled,
            variant,
            prepared,
            memory: Some(memory),
            symbols: Vec::new(),
            isa: call.isa,
            threads,
            fresh: false,
        };
        run.load(call.input, call.states)?;
        Ok(run)
    }

    fn give_back(&self, variant: Variant, memory: Memory<T>) {
        let mut idle = self.idle();
        idle.push((variant, memory));
        if idle.len() > IDLE {
            idle.remove(0);
        }
    }
}

/// Work, in multiply-adds, from which a second thread repays being started.
const SHARED: usize = 1 << 23;
/// Symbols up to which an inference call makes the table of all of them, for itself and later ones.
const MOST_CACHED: usize = 1024;

/// A sequence that a program ran over, with everything the backward pass needs.
pub struct Run<T: Element> {
    program: Arc<Program<T>>,
    compiled: Arc<Compiled<T>>,
    variant: Variant,
    prepared: Arc<Prepared<T>>,
    /// Taken when the run ends.
    memory: Option<Memory<T>>,
    symbols: Vec<usize>,
    isa: Isa,
    threads: usize,
    /// Whether the forward pass's values are still all there.
    fresh: bool,
}

impl<T: Element> Drop for Run<T> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.program.give_back(self.variant, memory);
        }
    }
}

impl<T: Element> Run<T> {
    fn memory(&self) -> Result<&Memory<T>> {
        self.memory.as_ref().ok_or_else(ended)
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
    /// None while the run lives.
    pub fn load_weights(&mut self, values: &[&[T]], version: Option<u64>) -> Result<()> {
        if self.has_version(version) {
            return Ok(());
        }
        let batch = self.memory()?.extent().batch;
        let key = (self.variant, self.isa, batch);
        self.prepared = self
            .program
            .prepared(&self.compiled, key, values, version)?;
        let constants = Arc::clone(&self.prepared.constants);
        self.memory_mut()?.set_constants(constants);
        Ok(())
    }

    /// Takes in a sequence of the run's extent, and the states before it.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn load(&mut self, input: Input<'_, T>, states: &[Option<&[T]>]) -> Result<()> {
        self.load_input(input)?;
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for (number, &plane) in self.compiled.states.iter().enumerate() {
            let first = memory.shape(plane).rows * memory.extent().batch;
            let to = &mut memory.plane_mut(plane)[..first];
            put(to, states.get(number).copied().flatten());
        }
        Ok(())
    }

    /// Whether it has taken in the weights of this version.
    pub fn has_version(&self, version: Option<u64>) -> bool {
        version.is_some() && self.prepared.version == version
    }

    /// Takes in a sequence that goes on from where the last one ended.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn load_next(&mut self, input: Input<'_, T>) -> Result<()> {
        self.load_input(input)?;
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for &plane in &self.compiled.states {
            let Extent { time, batch } = memory.extent();
            let one = memory.shape(plane).rows * batch;
            memory.plane_mut(plane).copy_within(time * one.., 0);
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

    /// Multiply-adds, or as much work, of the forward pass.
    pub fn work(&self) -> usize {
        let columns = self.memory.as_ref().map_or(0, |m| m.extent().columns());
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
        let run = machine::Run {
            isa: self.isa,
            code: &self.compiled.code,
            packs: &self.prepared.packs,
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
        Ok(self.memory()?.extent())
    }

    /// A result, in the columns of the input.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn result(&self, number: usize) -> Result<&[T]> {
        Ok(columns(self.memory()?, self.compiled.results[number]))
    }

    /// A state after the last step.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state(&self, number: usize) -> Result<&[T]> {
        let memory = self.memory()?;
        let plane = self.compiled.states[number];
        let one = memory.shape(plane).rows * memory.extent().batch;
        Ok(&memory.plane(plane)[memory.extent().time * one..])
    }

    /// A state before the first step.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn first_state(&self, number: usize) -> Result<&[T]> {
        let memory = self.memory()?;
        let plane = self.compiled.states[number];
        Ok(&memory.plane(plane)[..memory.shape(plane).rows * memory.extent().batch])
    }

    /// Takes in the gradients that come into the backward pass.
    ///
    /// # Errors
    /// [`Error::Internal`] unless the run is for training.
    pub fn receive(&mut self, incoming: Incoming<'_, T>) -> Result<()> {
        let memory = self.memory.as_mut().ok_or_else(ended)?;
        for (number, plane) in self.compiled.result_grads.iter().enumerate() {
            if let Some(plane) = *plane {
                put(
                    memory.plane_mut(plane),
                    incoming.results.get(number).copied().flatten(),
                );
            }
        }
        let Extent { time, batch } = memory.extent();
        for (number, &plane) in self.compiled.state_grads.iter().enumerate() {
            let shape = memory.shape(plane);
            let one = shape.rows * batch;
            // After the last step.
            let at = if shape.span == Span::Carry {
                time & 1
            } else {
                time
            };
            let to = &mut memory.plane_mut(plane)[at * one..][..one];
            put(to, incoming.states.get(number).copied().flatten());
        }
        Ok(())
    }

    /// Runs the backward pass from the gradients received, up to those of the weights: they come from
    /// [`weight_gradients`]. It writes over the values of the forward pass; where they are gone, that
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
    pub fn input_grad(&self) -> Result<Option<&[T]>> {
        let memory = self.memory()?;
        Ok(self.compiled.input_grad.map(|place| columns(memory, place)))
    }

    /// The gradient of a state before the first step, after [`Run::backward`].
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state_grad(&self, number: usize) -> Result<&[T]> {
        let memory = self.memory()?;
        let plane = self.compiled.state_grads[number];
        Ok(&memory.plane(plane)[..memory.shape(plane).rows * memory.extent().batch])
    }
}

/// Adds to the gradients of the weights what the backward passes of some runs of one program found:
/// one product over all their steps.
///
/// # Errors
/// [`Error::Internal`] unless the runs are of one variant of one program.
pub fn weight_gradients<T: Element>(
    runs: &[&Run<T>],
    values: &[&[T]],
    grads: &mut [&mut [T]],
) -> Result<()> {
    let Some(first) = runs.first() else {
        return Ok(());
    };
    let (isa, compiled) = (first.isa, &first.compiled);
    if runs.iter().any(|run| !Arc::ptr_eq(&run.compiled, compiled)) {
        return Err(Error::internal("backward", "runs of different programs"));
    }
    let weights = weights(&first.program, values);
    let memories = runs.iter().map(|run| run.memory());
    let memories = memories.collect::<Result<Vec<_>>>()?;
    let symbols: Vec<usize> = runs
        .iter()
        .flat_map(|run| run.symbols.iter().copied())
        .collect();
    let jobs = |symbols| Jobs {
        isa,
        compiled,
        weights,
        symbols,
    };
    if compiled.passes.defer {
        let mut all = Columns::new(memories, None);
        jobs(&symbols).run(&mut all, grads);
    } else {
        let batch = memories.first().map_or(0, |memory| memory.extent().batch);
        for (memory, run) in memories.into_iter().zip(runs) {
            for step in (0..memory.extent().time).rev() {
                let symbols = run.symbols.get(step * batch..).unwrap_or(&[]);
                let symbols = &symbols[..batch.min(symbols.len())];
                let mut one = Columns::new(vec![memory], Some(step));
                jobs(symbols).run(&mut one, grads);
            }
        }
    }
    embedding_gradients(runs, weights, grads)
}

/// What reaches the embedding through the input itself.
fn embedding_gradients<T: Element>(
    runs: &[&Run<T>],
    weights: Weights<'_, T>,
    grads: &mut [&mut [T]],
) -> Result<()> {
    let Source::Embedding(number) = weights.source else {
        return Ok(());
    };
    for run in runs {
        let Some(grad) = run.input_grad()? else {
            continue;
        };
        let rows = run.program.input_rows();
        let into = &mut *grads[number];
        for (column, &symbol) in grad.chunks_exact(rows.max(1)).zip(&run.symbols) {
            for (row, g) in column.iter().enumerate() {
                into[row * weights.symbols + symbol] += *g;
            }
        }
    }
    Ok(())
}

fn weights<'a, T: Element>(program: &'a Program<T>, values: &'a [&'a [T]]) -> Weights<'a, T> {
    Weights {
        values,
        shapes: &program.parts.weights,
        source: program.source,
        symbols: program.symbols(program.input_rows()),
    }
}

/// The columns of a place over the whole sequence.
fn columns<T: Element>(memory: &Memory<T>, place: Place) -> &[T] {
    let shape = memory.shape(place.plane);
    let extent = memory.extent();
    let after = if shape.span == Span::States {
        place.after
    } else {
        0
    };
    let first = after * extent.batch * shape.rows;
    &memory.plane(place.plane)[first..][..extent.columns() * shape.rows]
}

fn put<T: Element>(to: &mut [T], from: Option<&[T]>) {
    match from {
        Some(from) => to.copy_from_slice(from),
        None => to.fill(T::ZERO),
    }
}

/// Writes the columns of the input; symbols are columns of a table, or one-hot where there is none.
fn fill_input<T: Element>(
    input: Input<'_, T>,
    table: Option<usize>,
    symbols: usize,
    memory: &mut Memory<T>,
    plane: usize,
) {
    let rows = memory.shape(plane).rows;
    match (input, table) {
        (Input::Features(features), _) => memory.plane_mut(plane).copy_from_slice(features),
        (Input::Symbols(chosen), Some(table)) => {
            let (to, table) = memory.beside_constant(plane, table);
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(chosen) {
                for (row, to) in to.iter_mut().enumerate() {
                    *to = table[row * symbols + symbol];
                }
            }
        }
        (Input::Symbols(chosen), None) => {
            let to = memory.plane_mut(plane);
            to.fill(T::ZERO);
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(chosen) {
                to[symbol] = T::ONE;
            }
        }
    }
}

fn ended() -> Error {
    Error::internal("program", "a run is used after it was used up")
}
