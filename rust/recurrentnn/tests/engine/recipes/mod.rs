//! Steps that ask for every road through the compiler.

use super::recipe::{Recipe, Write};

mod looked_up;
mod ops;
mod states;

pub(crate) use looked_up::looked_up;
pub(crate) use ops::ops;
pub(crate) use states::states;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Recipe> {
    looked_up().into_iter().chain(states()).chain(ops())
}

/// Rows of the state of every recipe; their inputs have I.
const H: usize = 5;
const I: usize = 3;

fn recipe(
    name: &'static str,
    params: &[(usize, usize)],
    states: &[usize],
    input: usize,
    write: Write,
) -> Recipe {
    let (params, states) = (params.to_vec(), states.to_vec());
    Recipe {
        name,
        params,
        states,
        input,
        write,
    }
}
