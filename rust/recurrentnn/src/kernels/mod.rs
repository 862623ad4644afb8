//! Loops over slices: the only floor with `unsafe` in it. No matrices, no shapes, no errors as values.
//!
//! Matrices are column-major and contiguous. A caller has checked shapes and reported what is wrong
//! with them; here lengths are asserted, and a failing assertion is our bug. Every kernel gives the
//! same bits for any number of threads, and an elementwise result the same wherever it stands. Across
//! instruction sets results agree to rounding: some fuse a product and a sum, some cannot.
#![allow(clippy::inline_always)] // see `isa::Task`: what is not inlined misses the instruction set

mod arch;
pub mod blend;
pub mod broadcast;
pub mod buffer;
pub mod formula;
pub mod gemm;
mod helpers;
pub mod isa;
pub mod layer_norm;
pub mod machine;
pub mod map;
pub mod masks;
pub mod math;
mod memory;
pub mod panel;
pub mod parallel;
pub mod reduce;
pub mod softmax;
pub mod update;

#[cfg(test)]
mod naive;

pub use formula::{Formula, Saved};
pub use gemm::{Outer, Product, gemm, outer};
pub use isa::Isa;
pub use parallel::Cost;
