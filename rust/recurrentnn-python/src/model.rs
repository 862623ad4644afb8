//! The class `Model`: configuration, parameters, one tick, whole sequences, generation, files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use recurrentnn::cells::CellKind;
use recurrentnn::config::Config;
use recurrentnn::element::DType;
use recurrentnn::io;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;

use crate::activations;
use crate::argument::{self, Given};
use crate::call;
use crate::cell::OwnCell;
use crate::config::options;
use crate::describe;
use crate::dtype::{with, with_type};
use crate::error::{guard, raise, wrong_type};
use crate::files;
use crate::generate::{self, PyGenerator};
use crate::graph::{PyGraph, Recorded};
use crate::matrix::PyMatrix;
use crate::rows::Cuts;
use crate::state;
use crate::stream::PyStream;
use crate::training::Training;

/// A model of either element type.
pub(crate) enum AnyModel {
    Float32(Model<f32>),
    Float64(Model<f64>),
}

/// An element type with its kind of model.
pub(crate) trait Modelled: Recorded {
    fn wrap_model(model: Model<Self>) -> AnyModel;
}

impl Modelled for f32 {
    fn wrap_model(model: Model<Self>) -> AnyModel {
        AnyModel::Float32(model)
    }
}

impl Modelled for f64 {
    fn wrap_model(model: Model<Self>) -> AnyModel {
        AnyModel::Float64(model)
    }
}

/// Embedding, stacked cells, decoder. Use the subclasses in `recurrentnn`: RNN, LSTM, GRU, GFRNN,
/// GFGRU, GFLSTM.
///
/// A model is called with a whole sequence, `output, state = net(x, state=None, time_major=False)`:
/// x is features (batch, time, features) or (time, features), or symbols, integers (batch, time) or
/// (time,). Outside any graph output is an array (batch, time, outputs) and state a `State` of arrays
/// (batch, size); inside `with Graph():` output is a Matrix, outputs x (batch*time), whose column
/// b*time + t is tick t of sample b, and state a `State` of matrices (size, batch). `forward` goes one
/// tick; `generate` goes on from symbols.
#[pyclass(frozen, subclass, name = "Model", module = "recurrentnn")]
pub(crate) struct PyModel {
    pub(crate) inner: Arc<AnyModel>,
    parameters: Arc<Vec<(String, Py<PyMatrix>)>>,
    /// The cell that the user gave, if it is none of ours.
    own: Option<Arc<OwnCell>>,
    training: Arc<Training>,
}

impl PyModel {
    pub(crate) fn wrap<T: Modelled>(
        py: Python<'_>,
        model: Model<T>,
        own: Option<Arc<OwnCell>>,
    ) -> PyResult<Self> {
        let wrap = |(name, matrix): (&str, &Matrix<T>)| {
            Ok((name.to_owned(), Py::new(py, PyMatrix::new(matrix.clone()))?))
        };
        let parameters = model
            .params()
            .iter()
            .map(wrap)
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self {
            inner: Arc::new(T::wrap_model(model)),
            parameters: Arc::new(parameters),
            own,
            training: Arc::new(Training::new()),
        })
    }

    fn core_config(&self) -> &Config {
        with!(&*self.inner, AnyModel, |model| model.config())
    }

    fn element(&self) -> DType {
        match &*self.inner {
            AnyModel::Float32(_) => DType::Float32,
            AnyModel::Float64(_) => DType::Float64,
        }
    }

    /// Names and matrices in order.
    pub(crate) fn named(&self) -> &[(String, Py<PyMatrix>)] {
        &self.parameters
    }
}

#[pymethods]
impl PyModel {
    #[new]
    #[pyo3(
        signature = (
            cell, input_size = None, hidden_sizes = None, output_size = None, **keywords
        ),
        text_signature = "(cell, input_size, hidden_sizes, output_size, *, embedding_size=None, \
            seed=0, dtype='float32', init='glorot', std=0.08, forget_bias=1.0, activation='tanh', \
            slope_at_zero=0.0, reset='after', gate='scalar', input_to_all=False, \
            all_to_output=False, all_to_gates=False, paper=False, activations=None, \
            layer_norm=False, peepholes=False, coupled_gates=False, projection_size=None, \
            cell_clip=None, hidden_clip=None, residual=False, tied_embedding=False, dropout=0.0, \
            variational=False, recurrent_dropout=0.0, zoneout_hidden=0.0, zoneout_cell=0.0, \
            weight_drop=0.0, embedding_dropout=0.0, bidirectional=False, merge='concat', \
            learned_state=False)"
    )]
    fn py_new(
        cell: &Bound<'_, PyAny>,
        input_size: Option<&Bound<'_, PyAny>>,
        hidden_sizes: Option<&Bound<'_, PyAny>>,
        output_size: Option<&Bound<'_, PyAny>>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = cell.py();
        if let Ok(model) = cell.cast::<Self>() {
            let model = model.get();
            if input_size.is_some() || hidden_sizes.is_some() || keywords.is_some() {
                let message = "Model: a model is taken as it is, without further arguments";
                return Err(raise("ArgumentError", message.into()));
            }
            return Ok(Self {
                inner: Arc::clone(&model.inner),
                parameters: Arc::clone(&model.parameters),
                own: model.own.clone(),
                training: Arc::clone(&model.training),
            });
        }
        let (cell, own) = if let Ok(name) = cell.cast::<PyString>() {
            let name = name.to_cow()?;
            (guard(|| CellKind::by_name(&name))?, None)
        } else {
            let own = OwnCell::new(cell)?;
            (CellKind::Custom(own.custom.clone()), Some(Arc::new(own)))
        };
        let none = py.None().into_bound(py);
        let (input_size, hidden_sizes) =
            (input_size.unwrap_or(&none), hidden_sizes.unwrap_or(&none));
        let (config, dtype) = options(cell, input_size, hidden_sizes, output_size, keywords)?;
        with_type!(dtype, T => {
            let model = guard(|| Model::<T>::new(config));
            let model = own.iter().fold(model, |model, own| own.or(model))?;
            Self::wrap(py, model, own)
        })
    }

    /// The name of its cell.
    #[getter]
    fn cell(&self) -> &str {
        self.core_config().cell.name()
    }

    /// Features of the input, or number of symbols.
    #[getter]
    fn input_size(&self) -> usize {
        self.core_config().input_size
    }

    /// Units of each layer, the lowest first.
    #[getter]
    fn hidden_sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.core_config().hidden_sizes)
    }

    /// Rows of the output; None without a decoder.
    #[getter]
    fn output_size(&self) -> Option<usize> {
        self.core_config().output_size
    }

    /// Length of a symbol's vector; None without an embedding.
    #[getter]
    fn embedding_size(&self) -> Option<usize> {
        self.core_config().embedding_size
    }

    /// Whether calls inside a recording graph drop what the options say; True to begin with.
    #[getter]
    fn training(&self) -> bool {
        self.training.is_on()
    }

    /// From now on calls inside a recording graph drop what the options say, or with mode=False do not.
    /// Outside of graphs nothing is ever dropped.
    #[pyo3(signature = (mode = Given::Default(true)), text_signature = "($self, mode=True)")]
    fn train<'py>(slf: Bound<'py, Self>, mode: Given<'py, bool>) -> PyResult<Bound<'py, Self>> {
        let mode = mode.get("train", "mode", argument::boolean)?;
        slf.get().training.set(mode);
        Ok(slf)
    }

    /// From now on calls drop nothing, and zoneout takes its expectation: train(False).
    fn eval(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf.get().training.set(false);
        slf
    }

    /// Number of the next call that drops. Masks follow from the seed and this number, which every such
    /// call raises by one: set it to repeat one, or to go on where another process stopped.
    #[getter]
    fn dropout_step(&self) -> u64 {
        self.training.step()
    }

    #[setter]
    fn set_dropout_step(&self, step: &Bound<'_, PyAny>) -> PyResult<()> {
        let step = argument::seed("Model", "dropout_step", step)?;
        self.training.set_step(step);
        Ok(())
    }

    /// float32 or float64.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> Bound<'py, numpy::PyArrayDescr> {
        with_type!(self.element(), T => numpy::dtype::<T>(py))
    }

    /// The arguments that make a model like this one.
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = crate::config::to_dict(py, self.core_config(), self.element())?;
        if let Some(own) = &self.own {
            dict.set_item("cell", &own.given)?;
        }
        Ok(dict)
    }

    /// Name and matrix of every parameter, in one order everywhere; the same objects each time.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, matrix) in self.named() {
            dict.set_item(name, matrix)?;
        }
        Ok(dict)
    }

    /// The parameter of that name.
    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyMatrix>> {
        let found = self.named().iter().find(|(known, _)| known == name);
        found
            .map(|(_, matrix)| matrix.clone_ref(py))
            .ok_or_else(|| {
                let message =
                    format!("model has no parameter {name:?}; summary() lists those it has");
                pyo3::exceptions::PyKeyError::new_err(message)
            })
    }

    /// A table of the parameters: name, shape, number of elements.
    fn summary(&self) -> String {
        let dtype = self.element().name();
        with!(&*self.inner, AnyModel, |model| describe::table(
            model, dtype
        ))
    }

    /// Sets all gradients to zero.
    fn zero_grad(&self) -> PyResult<()> {
        with!(&*self.inner, AnyModel, |model| guard(|| model
            .params()
            .zero_grad()))
    }

    /// The call that makes a net like this one, its usual settings left out.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?.to_string();
        describe::call(&name, &slf.get().config(slf.py())?)
    }

    /// One tick, recorded in `graph`.
    ///
    /// Parameters
    /// ----------
    /// graph
    ///     The graph that records, or only computes.
    /// x
    ///     (features, batch), or symbols: an integer, or one per column.
    /// prev
    ///     What the last tick gave; None begins with zeros. A `State` is taken too.
    ///
    /// Returns
    /// -------
    /// Step
    ///     Named tuple (hidden, cell, output); prev[-1] is the output.
    #[pyo3(signature = (graph, x, prev = None))]
    fn forward(
        &self,
        graph: &Bound<'_, PyAny>,
        x: &Bound<'_, PyAny>,
        prev: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let Ok(recorder) = graph.cast::<PyGraph>() else {
            return Err(wrong_type("forward", "graph", "a Graph", graph));
        };
        with!(&*self.inner, AnyModel, |model| {
            call::tick(graph.py(), model, recorder.get(), x, prev, &self.training)
        })
    }

    /// A whole sequence.
    ///
    /// Parameters
    /// ----------
    /// x
    ///     Features (batch, time, features) or (time, features); or symbols, integers (batch, time)
    ///     or (time,). Or a list of arrays of any lengths, one a row: (time, features), or symbols
    ///     (time,).
    /// state
    ///     What an earlier call gave; None begins with the initial state, zeros.
    /// lengths
    ///     Steps of each row, integers (batch,), in any order: a row ends there. The output beyond is
    ///     0, and the row's state is that after its last step; a row of length 0 keeps its state.
    /// mask
    ///     Booleans (batch, time): steps that are False are left out. The state passes them unchanged,
    ///     the output there is 0, and x may be anything.
    /// reset
    ///     Booleans (batch, time): before steps that are True the row's state is set to the initial
    ///     state, at one that is masked, too, but none beyond a row's length. No gradient passes.
    /// time_major
    ///     Time comes before batch, in x, mask, reset and in the output array.
    ///
    /// Returns
    /// -------
    /// output, state
    ///     Outside any graph arrays: (batch, time, outputs), and a `State` of (batch, size); where x is
    ///     a list of arrays, a list of arrays (time, outputs). Inside `with Graph():` a Matrix outputs x
    ///     (batch*time), column b*time + t, and a `State` of matrices.
    ///
    /// Notes
    /// -----
    /// The time it takes is that of the steps that are taken. Each row has the same bits as alone.
    #[pyo3(signature = (
        x, state = None, *, lengths = None, mask = None, reset = None,
        time_major = Given::Default(false)
    ))]
    fn __call__(
        &self,
        x: &Bound<'_, PyAny>,
        state: Option<&Bound<'_, PyAny>>,
        lengths: Option<&Bound<'_, PyAny>>,
        mask: Option<&Bound<'_, PyAny>>,
        reset: Option<&Bound<'_, PyAny>>,
        time_major: Given<'_, bool>,
    ) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let time_major = time_major.get("forward", "time_major", argument::boolean)?;
        let cuts = Cuts {
            lengths,
            mask,
            reset,
        };
        with!(&*self.inner, AnyModel, |model| call::sequence(
            x.py(),
            model,
            x,
            state,
            time_major,
            cuts,
            &self.training
        ))
    }

    /// The state that rows begin with which are given none: zeros, or what was learned.
    ///
    /// Parameters
    /// ----------
    /// batch
    ///     Number of rows.
    ///
    /// Returns
    /// -------
    /// State
    ///     Arrays (batch, size).
    #[pyo3(
        signature = (batch = Given::Default(1)),
        text_signature = "($self, batch=1)"
    )]
    fn initial_state(&self, py: Python<'_>, batch: Given<'_, usize>) -> PyResult<Py<PyAny>> {
        let batch = batch.get("initial_state", "batch", argument::count)?;
        with!(&*self.inner, AnyModel, |model| {
            let states = guard(|| model.first_states(batch))?;
            state::arrays(py, &model.config().cell.states(), &states)
        })
    }

    /// A stream of `batch` samples, fed one step at a time: `y = stream(x)`.
    ///
    /// Parameters
    /// ----------
    /// batch
    ///     Number of samples.
    /// state
    ///     What an earlier call or stream gave; None begins with zeros.
    #[pyo3(
        signature = (batch = Given::Default(1), *, state = None),
        text_signature = "($self, batch=1, *, state=None)"
    )]
    fn stream(
        &self,
        batch: Given<'_, usize>,
        state: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyStream> {
        let batch = batch.get("stream", "batch", argument::count)?;
        PyStream::make(Arc::clone(&self.inner), batch, state)
    }

    /// All hidden states, gates and cells of every tick of a sequence, outside any graph.
    ///
    /// Parameters
    /// ----------
    /// x
    ///     Features (batch, time, features) or (time, features); or symbols, integers (batch, time)
    ///     or (time,).
    /// state
    ///     What an earlier call gave; None begins with zeros.
    /// time_major
    ///     Time comes before batch, in x and in the arrays.
    ///
    /// Returns
    /// -------
    /// dict of str to array
    ///     Arrays (batch, time, size), or (time, size) for one sequence. Layer by layer, the state
    ///     after every tick: `layers.0.hidden`, `layers.0.cell`; and the gates by the name of their
    ///     parameters: what `layers.0.forget.weight_x` helps to compute is `layers.0.forget`, after
    ///     its nonlinearity; feedback gates are `layers.0.feedback.1.gate`, of size 1 or that of the
    ///     layer. Last `output`.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, OutOfRangeError, ArgumentError
    ///     As a call of the model.
    ///
    /// Notes
    /// -----
    /// The gate of a cell of your own is the first value that a function of one number, such as tanh,
    /// makes of a sum with a product of one of its weights. A gate with the name of a state vector is
    /// not among them.
    #[pyo3(
        signature = (x, state = None, *, time_major = Given::Default(false)),
        text_signature = "($self, x, state=None, *, time_major=False)"
    )]
    fn activations(
        &self,
        x: &Bound<'_, PyAny>,
        state: Option<&Bound<'_, PyAny>>,
        time_major: Given<'_, bool>,
    ) -> PyResult<Py<PyDict>> {
        let time_major = time_major.get("activations", "time_major", argument::boolean)?;
        with!(&*self.inner, AnyModel, |model| activations::dictionary(
            x.py(),
            model,
            x,
            state,
            time_major
        ))
    }

    /// Goes on from symbols, one at a time.
    ///
    /// Parameters
    /// ----------
    /// prime
    ///     The symbols to begin with, at least one.
    /// length
    ///     How many to choose at most.
    /// temperature, greedy
    ///     Short for a `Sampling` with these.
    /// seed
    ///     Seed of the draws.
    /// stop
    ///     The symbol that ends, or a list of symbols and of sequences of symbols any of which does; it
    ///     is not among the returned.
    /// state
    ///     The state before the prime.
    /// sampling
    ///     How each symbol is chosen.
    ///
    /// Returns
    /// -------
    /// symbols, state
    ///     The state has read all but the last symbol that was chosen, be it a stop.
    #[pyo3(
        signature = (
            prime, length, *, temperature = None, greedy = None,
            seed = Given::Default(0), stop = None, state = None, sampling = None
        ),
        text_signature = "($self, prime, length, *, temperature=None, greedy=None, seed=0, \
            stop=None, state=None, sampling=None)"
    )]
    fn generate(
        &self,
        prime: &Bound<'_, PyAny>,
        length: &Bound<'_, PyAny>,
        temperature: Option<&Bound<'_, PyAny>>,
        greedy: Option<&Bound<'_, PyAny>>,
        seed: Given<'_, u64>,
        stop: Option<&Bound<'_, PyAny>>,
        state: Option<&Bound<'_, PyAny>>,
        sampling: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Vec<usize>, Py<PyAny>)> {
        let py = prime.py();
        if sampling.is_some() && (temperature.is_some() || greedy.is_some()) {
            let message = "generate: temperature and greedy are options of the sampling given";
            return Err(raise("ArgumentError", message.into()));
        }
        let mut chosen = generate::sampling(sampling)?;
        if let Some(temperature) = temperature {
            chosen.temperature = argument::number("generate", "temperature", temperature)?;
        }
        if let Some(greedy) = greedy {
            chosen.greedy = argument::boolean("generate", "greedy", greedy)?;
        }
        let plan = generate::Plan::alone(
            argument::indices("generate", "prime", prime)?.0,
            chosen,
            generate::stops("generate", stop)?,
            seed.get("generate", "seed", argument::seed)?,
        );
        let generator = PyGenerator::make(py, Arc::clone(&self.inner), &plan, state)?;
        let mut symbols = generator.advance(py, length)?.pop().unwrap_or_default();
        symbols.extend(generator.rest()?.pop().unwrap_or_default());
        Ok((symbols, generator.state(py)?))
    }

    /// Writes configuration, parameters and metadata (text) to a safetensors file; a crash leaves
    /// the old file or the new one.
    #[pyo3(signature = (path, metadata = None))]
    fn save(&self, path: PathBuf, metadata: Option<io::Metadata>) -> PyResult<()> {
        let metadata = metadata.unwrap_or_default();
        with!(&*self.inner, AnyModel, |model| guard(|| io::save(
            &path, model, &metadata
        )))
    }

    /// The bytes that `save` writes, with further tensors: element type, shape and bytes by name.
    #[pyo3(signature = (metadata = None, tensors = None))]
    fn to_bytes<'py>(
        &self,
        py: Python<'py>,
        metadata: Option<io::Metadata>,
        tensors: Option<BTreeMap<String, files::Parts<'py>>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let beside = files::contents(metadata.unwrap_or_default(), tensors.unwrap_or_default())?;
        let bytes = with!(&*self.inner, AnyModel, |model| guard(|| io::to_bytes(
            model, &beside
        )))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Copies and pickles go through the bytes of a file, and what reads them checks them.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let this = slf.get();
        let bytes = this.to_bytes(py, None, None)?;
        let cells = this.own.iter().map(|own| own.given.clone_ref(py));
        let cells = PyList::new(py, cells)?;
        let read = py.import("recurrentnn.models")?.getattr("from_bytes")?;
        let class = slf.get_type();
        let own = slf
            .getattr_opt("__dict__")?
            .filter(|own| own.is_truthy().unwrap_or(false));
        (read, (bytes, cells, class), own).into_pyobject(py)
    }

    fn __copy__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let copy = slf.py().import("copy")?.getattr("deepcopy")?;
        Ok(copy.call1((slf,))?.unbind())
    }
}
