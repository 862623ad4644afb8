//! A machine for steps that repeat: it runs flat code over planes of numbers, for every step and
//! sample of a sequence, without allocating.
//!
//! [`Code`] is a list of stages. A stage runs its instructions either for all columns of the sequence
//! together, block by block, or step by step, forward or backward in time. Threads split the samples,
//! with nothing to wait for within a stage; where the samples are too few and the net is large they
//! split rows, and meet after each instruction. In either case every number is computed by the same
//! operations in the same order, so its bits depend on neither.
//!
//! Code is checked when it is made; addresses are checked when they are taken. Two threads never write
//! the same number, nor read what another writes in between two meetings: an instruction of some
//! columns touches those columns alone, of all its operands.

mod barrier;
mod code;
mod function;
mod lanes;
mod layout;
mod memory;
mod run;
mod team;
#[cfg(test)]
mod tests;

pub use code::{
    Call, Callback, Code, Gather, Instruction, LaneStep, Multiply, Operand, Order, Segment, Stage,
    Start,
};
pub use function::{Function, Use};
pub use lanes::Lanes;
pub use layout::{Extent, Layout};
pub use memory::{Constants, Memory, Place, Plane, Span};
pub use team::{Run, Stopped};
