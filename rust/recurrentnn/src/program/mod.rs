//! A step recorded once, as an expression over symbols, then compiled and run over sequences.
//!
//! ```text
//! Trace      records ops on symbols                                      trace, expression
//! lower      parameters apart; products, sums and formulas in one form   lower, step
//! accumulate sums of sums become one, computed in place                  accumulate
//! reverse    appends the gradients                                       reverse
//! hoist      what needs no state leaves the time loop                    order, hoist
//! emit       phases: products of one operand stacked, arithmetic fused   emit, lanes
//! place      planes, windows, slots; memory is taken over                place
//! compile    code for `kernels::machine`                                 compile, callback
//! gates      which values are a cell's gates, for who asks to see them   gates
//! run        packs weights, runs forward and backward                    cache, prepare, run, ends
//! jobs       weight gradients, deferred to one product over all steps    jobs, outers, gradients
//! ```
//!
//! [`Passes`] switches each optimisation off, so that tests can compare.

mod accumulate;
mod cache;
mod callback;
mod compile;
mod emit;
mod ends;
mod expression;
mod gates;
mod gradients;
mod hoist;
mod jobs;
mod lanes;
mod lower;
mod order;
mod outers;
mod passes;
mod place;
mod prepare;
mod reverse;
mod run;
mod step;
mod trace;

pub use crate::kernels::machine::Extent;
pub use expression::{Columns, Expression, Node, Term};
pub use gradients::weight_gradients;
pub use lower::Prelude;
pub use passes::Passes;
pub use prepare::Source;
pub use run::{Call, Incoming, Input, Program, Run};
pub use trace::{Symbol, Trace};
