//! Recurrent neural networks on CPUs: matrices, recorded expressions with reverse-mode
//! differentiation, recurrent cells stacked into models, and what trains and saves them.
//!
//! Floors, each standing on those before it: [`error`], [`element`], [`shape`], [`host`] → [`kernels`]
//! → [`matrix`], [`random`] → [`init`], [`params`] → [`ops`] → [`graph`], [`gradcheck`] → [`program`] →
//! [`cells`], [`optim`] → [`regularise`], [`config`], [`plan`], [`model`], [`sequence`] with its rows, [`unroll`],
//! [`stream`], [`activations`] →
//! [`text`], [`sample`], [`io`].
//!
//! ```
//! use recurrentnn::{graph::Graph, kernels::Isa, matrix::Matrix, ops::Recorder, shape::Shape};
//!
//! let w = Matrix::from_vec(Shape::new(1, 2), vec![3.0f64, -1.0])?;
//! let x = Matrix::constant(Shape::new(2, 1), vec![0.5, 2.0])?;
//! let mut graph = Graph::new(Isa::best());
//! let product = graph.matmul(&w, &x)?;
//! let loss = graph.square(&product)?;
//! graph.backward_from(&loss, false)?;
//! assert_eq!(loss.to_vec()?, [0.25]);
//! // d (w x)^2 / d w = 2 (w x) x'
//! assert_eq!(w.grad()?.to_vec(), [-0.5, -2.0]);
//! # Ok::<(), recurrentnn::error::Error>(())
//! ```
#![deny(unsafe_code)]

pub mod activations;
pub mod cells;
pub mod config;
mod dropping;
pub mod element;
pub mod error;
pub mod gradcheck;
pub mod graph;
pub mod host;
pub mod init;
pub mod io;
#[allow(unsafe_code)]
pub mod kernels;
mod layers;
mod masks;
pub mod matrix;
pub mod model;
pub mod ops;
pub mod optim;
pub mod params;
pub mod plan;
pub mod program;
pub mod random;
mod recording;
pub mod regularise;
mod rows;
pub mod sample;
pub mod sequence;
pub mod shape;
pub mod stream;
pub mod text;
pub mod unroll;
mod zoneout;
