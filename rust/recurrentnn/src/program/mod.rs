//! A step recorded once, as an expression over symbols: what a cell is before it runs.

mod expression;
mod trace;

pub use expression::{Columns, Expression, Node, Term};
pub use trace::{Symbol, Trace};
