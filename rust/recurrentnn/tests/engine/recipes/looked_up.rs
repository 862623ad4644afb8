//! Steps that multiply their input.

#![allow(clippy::too_many_lines)] // a list

use recurrentnn::ops::Recorder;

use super::super::recipe::Recipe;
use super::{H, I, recipe};

/// Steps whose input is only ever multiplied, so that symbols can look the products up: but for
/// those in the second half, which also do something else with it.
pub(crate) fn looked_up() -> Vec<Recipe> {
    vec![
        recipe("product alone", &[(H, I)], &[], I, |r, p| {
            Ok(vec![r.matmul(&p.w[0], p.x)?])
        }),
        recipe("bias second", &[(H, I), (H, H), (H, 1)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let sum = r.add(&[&a, &b, &p.w[2]])?;
            let h = r.tanh(&sum)?;
            Ok(vec![h, h])
        }),
        recipe(
            "one weight on input and value",
            &[(I, I)],
            &[],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let t = r.tanh(&a)?;
                let b = r.matmul(&p.w[0], &t)?;
                let c = r.matmul(&p.w[0], p.x)?;
                Ok(vec![r.add(&[&c, &b])?])
            },
        ),
        recipe(
            "one weight on input and state",
            &[(I, I)],
            &[I],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[0], &p.s[0])?;
                let sum = r.add(&[&a, &b])?;
                let h = r.tanh(&sum)?;
                Ok(vec![h, h])
            },
        ),
        recipe(
            "one weight twice on the input",
            &[(H, I)],
            &[],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[0], p.x)?;
                Ok(vec![r.add(&[&a, &b])?])
            },
        ),
        recipe(
            "two weights on the input",
            &[(H, I), (H, I)],
            &[],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], p.x)?;
                Ok(vec![r.sub(&a, &b)?, r.add(&[&b, &a])?])
            },
        ),
        recipe(
            "two weights of one sum on the input",
            &[(H, I), (H, I)],
            &[],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], p.x)?;
                Ok(vec![r.add(&[&a, &b])?])
            },
        ),
        recipe(
            "input stacked on the state",
            &[(H, I + H)],
            &[H],
            I,
            |r, p| {
                let both = r.concat(&[p.x, &p.s[0]])?;
                let z = r.matmul(&p.w[0], &both)?;
                let h = r.tanh(&z)?;
                Ok(vec![h])
            },
        ),
        recipe("delayed product", &[(H, I), (H, H)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let y = r.add(&[&a, &b])?;
            Ok(vec![a, y])
        }),
        recipe("input added to its product", &[(I, I)], &[], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            Ok(vec![r.add(&[&a, p.x])?])
        }),
        recipe("input given on", &[(H, I), (H, H)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let sum = r.add(&[&a, &b])?;
            let h = r.sigmoid(&sum)?;
            Ok(vec![h, *p.x])
        }),
        recipe("input mapped too", &[(I, I), (I, I)], &[I], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let t = r.tanh(p.x)?;
            let h = r.add(&[&t, &a, &b])?;
            Ok(vec![h, h])
        }),
    ]
}
