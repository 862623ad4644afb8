//! Programs: expressions compiled on first use, and their runs over sequences.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::compile::{Compiled, Variant, compile, gathers, planes};
use super::expression::Expression;
use super::jobs::{Columns, Jobs};
use super::lower::{Parts, Prelude, lower};
use super::passes::Passes;
use super::prepare::{Source, Weights, empty_packs, prepare};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::kernels::machine::{self, Extent, Memory, Place, Span, Stopped};
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
    idle: Mutex<Vec<Workspace<T>>>,
}

/// Memory of a run, kept for the next.
struct Workspace<T> {
    memory: Memory<T>,
    packs: Vec<Packed<T>>,
    /// What it was made for: only there do the packs fit.
    variant: Variant,
    isa: Isa,
    /// Which values of the weights the packs and tables hold, and for how many symbols.
    prepared: Option<u64>,
}

/// Workspaces kept while idle: for training one, for inference one, for a stream one.
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

/// Looks now and then whether to stop.
pub type Poll<'a> = &'a mut dyn FnMut() -> bool;

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
        let compiled = Arc::new(compile(&self.parts, self.passes, variant)?);
        known.insert(variant, Arc::clone(&compiled));
        Ok(compiled)
    }

    fn workspace(
        &self,
        compiled: &Compiled<T>,
        variant: Variant,
        call: &Call<'_, T>,
    ) -> Result<Workspace<T>> {
        let symbols = self.symbols(self.input_rows());
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |w: &Workspace<T>| w.variant == variant && w.isa == call.isa;
            let same = |w: &Workspace<T>| fits(w) && w.memory.extent() == call.extent;
            let at = idle
                .iter()
                .position(same)
                .or_else(|| idle.iter().position(fits));
            at.map(|at| idle.swap_remove(at))
        };
        let no_memory = || {
            let columns = call.extent.columns();
            Error::memory(
                "forward",
                format!("not enough memory for {columns} steps and samples"),
            )
        };
        match idle {
            Some(workspace) if workspace.memory.extent() == call.extent => Ok(workspace),
            idle => {
                let planes = planes(compiled.code.planes(), &compiled.fills, symbols);
                let (memory, packs) = idle.map(|w| (w.memory, w.packs)).unzip();
                let packs = match packs {
                    Some(packs) => packs,
                    None => empty_packs(call.isa, compiled).ok_or_else(no_memory)?,
                };
                Ok(Workspace {
                    memory: Memory::new(&planes, call.extent, memory).ok_or_else(no_memory)?,
                    packs,
                    variant,
                    isa: call.isa,
                    prepared: None,
                })
            }
        }
    }

    /// Runs the step over a sequence.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Interrupted`] where the poll stopped it.
    pub fn forward(self: &Arc<Self>, call: &Call<'_, T>, poll: Poll<'_>) -> Result<Run<T>> {
        let variant = self.variant(call);
        let compiled = self.compiled(variant)?;
        let workspace = self.workspace(&compiled, variant, call)?;
        let mut run = Run {
            program: Arc::clone(self),
            compiled,
            workspace: Some(workspace),
            symbols: Vec::new(),
            fresh: false,
        };
        run.forward(call, poll)?;
        Ok(run)
    }

    fn give_back(&self, workspace: Workspace<T>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(workspace);
        if idle.len() > IDLE {
            idle.remove(0);
        }
    }
}

/// Symbols up to which an inference call makes the table of all of them, for itself and later ones.
const MOST_CACHED: usize = 1024;

/// A sequence that a program ran over, with everything the backward pass needs.
pub struct Run<T: Element> {
    program: Arc<Program<T>>,
    compiled: Arc<Compiled<T>>,
    /// Taken when the run ends.
    workspace: Option<Workspace<T>>,
    symbols: Vec<usize>,
    /// Whether the forward pass's values are still all there.
    fresh: bool,
}

impl<T: Element> Drop for Run<T> {
    fn drop(&mut self) {
        if let Some(workspace) = self.workspace.take() {
            self.program.give_back(workspace);
        }
    }
}

impl<T: Element> Run<T> {
    fn space(&self) -> Result<&Workspace<T>> {
        self.workspace.as_ref().ok_or_else(ended)
    }

    /// Runs the forward pass again, or for other numbers of the same extent.
    ///
    /// # Errors
    /// As [`Program::forward`].
    pub fn forward(&mut self, call: &Call<'_, T>, poll: Poll<'_>) -> Result<()> {
        let compiled = Arc::clone(&self.compiled);
        let workspace = self.workspace.as_mut().ok_or_else(ended)?;
        let weights = weights(&self.program, call.weights);
        if workspace.prepared.is_none() || workspace.prepared != call.version {
            let (packs, memory) = (&mut workspace.packs, &mut workspace.memory);
            prepare(call.isa, &compiled, weights, packs, memory);
            workspace.prepared = call.version;
        }
        self.symbols.clear();
        if let Input::Symbols(symbols) = call.input {
            self.symbols.extend_from_slice(symbols);
        }
        let memory = &mut workspace.memory;
        for (number, &plane) in compiled.states.iter().enumerate() {
            let first = memory.shape(plane).rows * call.extent.batch;
            let to = &mut memory.plane_mut(plane)[..first];
            match call.states.get(number).copied().flatten() {
                Some(state) => to.copy_from_slice(state),
                None => to.fill(T::ZERO),
            }
        }
        if let Some(plane) = compiled.input {
            fill_input(weights, call.input, memory.plane_mut(plane));
        }
        self.fresh = false;
        let threads = if compiled.passes.partition {
            call.threads
        } else {
            1
        };
        let stages = 0..compiled.forward;
        self.stages(call.isa, threads, stages, poll)?;
        self.fresh = true;
        Ok(())
    }

    fn stages(
        &mut self,
        isa: Isa,
        threads: usize,
        stages: std::ops::Range<usize>,
        poll: Poll<'_>,
    ) -> Result<()> {
        let workspace = self.workspace.as_mut().ok_or_else(ended)?;
        let run = machine::Run {
            isa,
            code: &self.compiled.code,
            packs: &workspace.packs,
            symbols: &self.symbols,
            threads,
        };
        run.stages(stages, &mut workspace.memory, poll)
            .map_err(|stopped| match stopped {
                Stopped::Poll => Error::Interrupted,
                Stopped::Memory => Error::memory("forward", "not enough memory for scratch"),
            })
    }

    /// Steps and samples.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn extent(&self) -> Result<Extent> {
        Ok(self.space()?.memory.extent())
    }

    /// A result, in the columns of the input.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn result(&self, number: usize) -> Result<&[T]> {
        Ok(columns(
            &self.space()?.memory,
            self.compiled.results[number],
        ))
    }

    /// A state after the last step.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state(&self, number: usize) -> Result<&[T]> {
        let memory = &self.space()?.memory;
        let plane = self.compiled.states[number];
        let one = memory.shape(plane).rows * memory.extent().batch;
        Ok(&memory.plane(plane)[memory.extent().time * one..])
    }

    /// Runs the backward pass, up to the gradients of weights: those come from [`weight_gradients`].
    /// It uses up the forward pass's values.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Internal`] unless a forward pass for training came before.
    pub fn backward(
        &mut self,
        isa: Isa,
        threads: usize,
        incoming: Incoming<'_, T>,
        poll: Poll<'_>,
    ) -> Result<()> {
        if !std::mem::take(&mut self.fresh) {
            return Err(ended());
        }
        let compiled = Arc::clone(&self.compiled);
        let memory = &mut self.workspace.as_mut().ok_or_else(ended)?.memory;
        for (number, plane) in compiled.result_grads.iter().enumerate() {
            if let Some(plane) = *plane {
                put(
                    memory.plane_mut(plane),
                    incoming.results.get(number).copied().flatten(),
                );
            }
        }
        let Extent { time, batch } = memory.extent();
        for (number, &plane) in compiled.state_grads.iter().enumerate() {
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
        let threads = if compiled.passes.partition {
            threads
        } else {
            1
        };
        let stages = compiled.forward..compiled.code.stages().len();
        self.stages(isa, threads, stages, poll)
    }

    /// The gradient of the input, in its columns, after [`Run::backward`]; `None` if nobody asked.
    ///
    /// # Errors
    /// None while the run lives.
    pub fn input_grad(&self) -> Result<Option<&[T]>> {
        let memory = &self.space()?.memory;
        Ok(self.compiled.input_grad.map(|place| columns(memory, place)))
    }

    /// The gradient of a state before the first step, after [`Run::backward`].
    ///
    /// # Errors
    /// None while the run lives.
    pub fn state_grad(&self, number: usize) -> Result<&[T]> {
        let memory = &self.space()?.memory;
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
    isa: Isa,
    runs: &[&Run<T>],
    values: &[&[T]],
    grads: &mut [&mut [T]],
) -> Result<()> {
    let Some(first) = runs.first() else {
        return Ok(());
    };
    let compiled = &first.compiled;
    if runs.iter().any(|run| !Arc::ptr_eq(&run.compiled, compiled)) {
        return Err(Error::internal("backward", "runs of different programs"));
    }
    let weights = weights(&first.program, values);
    let memories = runs.iter().map(|run| Ok(&run.space()?.memory));
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

/// Writes the columns of the input.
fn fill_input<T: Element>(weights: Weights<'_, T>, input: Input<'_, T>, to: &mut [T]) {
    match (input, weights.source) {
        (Input::Features(features), _) => to.copy_from_slice(features),
        (Input::Symbols(symbols), Source::Embedding(number)) => {
            let rows = to.len() / symbols.len().max(1);
            let values = weights.values[number];
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(symbols) {
                for (row, to) in to.iter_mut().enumerate() {
                    *to = values[row * weights.symbols + symbol];
                }
            }
        }
        (Input::Symbols(symbols), _) => {
            to.fill(T::ZERO);
            let rows = to.len() / symbols.len().max(1);
            for (to, &symbol) in to.chunks_exact_mut(rows.max(1)).zip(symbols) {
                to[symbol] = T::ONE;
            }
        }
    }
}

fn ended() -> Error {
    Error::internal("program", "a run is used after it was used up")
}
