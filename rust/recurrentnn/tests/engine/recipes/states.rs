//! Steps that hand their states on in odd ways.

#![allow(clippy::too_many_lines)] // a list

use recurrentnn::ops::Recorder;

use super::super::recipe::Recipe;
use super::{H, I, recipe};

/// States that are handed on in odd ways.
pub(crate) fn states() -> Vec<Recipe> {
    vec![
        recipe("given on unchanged", &[(H, H)], &[H], I, |r, p| {
            let y = r.matmul(&p.w[0], &p.s[0])?;
            Ok(vec![p.s[0], y])
        }),
        recipe("delay line", &[(H, I)], &[I], I, |r, p| {
            let y = r.matmul(&p.w[0], &p.s[0])?;
            Ok(vec![*p.x, y])
        }),
        recipe("long delay line", &[(H, I)], &[I, I, I], I, |r, p| {
            let sum = r.add(&[&p.s[2], p.x])?;
            let y = r.matmul(&p.w[0], &sum)?;
            Ok(vec![*p.x, p.s[0], p.s[1], y])
        }),
        recipe(
            "delay into a loop",
            &[(H, I), (H, H)],
            &[I, H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], &p.s[0])?;
                let b = r.matmul(&p.w[1], &p.s[1])?;
                let sum = r.add(&[&a, &b])?;
                let h = r.tanh(&sum)?;
                Ok(vec![*p.x, h, h])
            },
        ),
        recipe(
            "delay behind a loop",
            &[(H, I), (H, H)],
            &[H, H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let sum = r.add(&[&a, &b])?;
                let h = r.tanh(&sum)?;
                let y = r.mul(&p.s[1], &h)?;
                Ok(vec![h, h, y])
            },
        ),
        recipe("swapped", &[(H, I)], &[H, H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let sum = r.add(&[&a, &p.s[0]])?;
            Ok(vec![p.s[1], sum, p.s[0]])
        }),
        recipe("never read", &[(H, I)], &[H, 2], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let top = r.slice_rows(&a, 0, 2)?;
            Ok(vec![a, top, a])
        }),
        recipe(
            "one value for two",
            &[(H, I), (H, H)],
            &[H, H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let sum = r.add(&[&a, &b, &p.s[1]])?;
                let h = r.tanh(&sum)?;
                Ok(vec![h, h, h, h])
            },
        ),
        recipe("linear", &[(H, I), (H, H)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let h = r.add(&[&a, &b])?;
            Ok(vec![h, h])
        }),
        recipe(
            "output before the state",
            &[(H, I), (H, H), (2, H)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let sum = r.add(&[&a, &b])?;
                let h = r.tanh(&sum)?;
                let y = r.matmul(&p.w[2], &p.s[0])?;
                Ok(vec![h, y])
            },
        ),
        recipe("states through calls", &[(H, H)], &[H, H], I, |r, p| {
            let soft = r.softmax(&p.s[0])?;
            let a = r.matmul(&p.w[0], &soft)?;
            let most = r.maximum(&p.s[1], &a)?;
            Ok(vec![soft, most, most])
        }),
        recipe("no rows", &[(H, I), (H, 0)], &[H, 0], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let none = r.slice_rows(&a, 2, 2)?;
            let bent = r.tanh(&none)?;
            let zero = r.matmul(&p.w[1], &p.s[1])?;
            let h = r.add(&[&a, &zero, &p.s[0]])?;
            let h = r.tanh(&h)?;
            Ok(vec![h, bent, h])
        }),
        recipe("running sum", &[], &[I], I, |r, p| {
            let s = r.add(&[&p.s[0], p.x])?;
            Ok(vec![s, s])
        }),
        recipe("no state", &[(H, I)], &[], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            Ok(vec![r.relu(&a, 0.0)?, *p.x])
        }),
        recipe(
            "a leaky sum of two",
            &[(1, 1), (H, I)],
            &[H, H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[1], p.x)?;
                let kept = r.scale(&p.s[0], 0.5)?;
                let s = r.add(&[&kept, &a])?;
                let slow = r.mul(&p.w[0], &p.s[1])?;
                let t = r.add(&[&slow, &s])?;
                Ok(vec![s, t, t])
            },
        ),
    ]
}
