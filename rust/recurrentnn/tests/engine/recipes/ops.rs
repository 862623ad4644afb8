//! Steps of ops that are called, and of parameters in all places.

#![allow(clippy::too_many_lines)] // lists

use recurrentnn::ops::{Axis, Recorder};

use super::super::recipe::Recipe;
use super::{H, I, recipe};

/// Ops that a machine calls, and parameters in all their places.
pub(crate) fn ops() -> Vec<Recipe> {
    vec![
        recipe("columns", &[(H, I), (H, H), (H, 1)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let z = r.add(&[&a, &b])?;
            let soft = r.softmax(&z)?;
            let square = r.square(&z)?;
            let positive = r.shift(&square, 1.0)?;
            let ratio = r.div(&soft, &positive)?;
            let column = r.div(&ratio, &p.w[2])?;
            let more = r.maximum(&column, &a)?;
            let less = r.minimum(&more, &b)?;
            let c = r.where_(&p.s[0], &less, &soft)?;
            let logs = r.log_softmax(&c)?;
            Ok(vec![c, logs])
        }),
        recipe("rows of one", &[(H, I), (H, H)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let z = r.add(&[&a, &b])?;
            let most = r.max(&z, Axis::Rows)?;
            let centred = r.sub(&z, &most)?;
            let total = r.logsumexp(&centred)?;
            let mean = r.mean(&centred, Some(Axis::Rows))?;
            let sum = r.sum(&a, Some(Axis::Rows))?;
            let gate = r.sigmoid(&sum)?;
            let gated = r.mul(&gate, &centred)?;
            let h = r.add(&[&total, &gated, &mean])?;
            let h = r.tanh(&h)?;
            Ok(vec![h, total])
        }),
        recipe(
            "normalised",
            &[(H, I), (H, H), (H, 1), (H, 1)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let z = r.add(&[&a, &b])?;
                let z = r.layer_norm(&z, &p.w[2], &p.w[3], 1e-3)?;
                let h = r.tanh(&z)?;
                let y = r.layer_norm(p.x, &p.w[2], &p.w[3], 1e-3);
                assert!(y.is_err());
                Ok(vec![h, h])
            },
        ),
        recipe(
            "slices and stacks",
            &[(3 * H, I), (3 * H, H), (3 * H, 1)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let z = r.add(&[&a, &b, &p.w[2]])?;
                let gate = |r: &mut _, k: usize| Recorder::slice_rows(r, &z, k * H, (k + 1) * H);
                let f = gate(r, 0)?;
                let f = r.sigmoid(&f)?;
                let n = gate(r, 1)?;
                let n = r.tanh(&n)?;
                let o = gate(r, 2)?;
                let kept = r.mul(&f, &p.s[0])?;
                let new = r.mul(&o, &n)?;
                let h = r.add(&[&kept, &new])?;
                let both = r.concat(&[&h, p.x, &f])?;
                Ok(vec![h, both])
            },
        ),
        recipe(
            "stack multiplied and read",
            &[(H, I + H), (H, I + H)],
            &[H],
            I,
            |r, p| {
                let both = r.concat(&[p.x, &p.s[0]])?;
                let z = r.matmul(&p.w[0], &both)?;
                let bent = r.tanh(&both)?;
                let y = r.matmul(&p.w[1], &bent)?;
                let h = r.add(&[&z, &y])?;
                let h = r.tanh(&h)?;
                Ok(vec![h, both])
            },
        ),
        recipe(
            "prelude",
            &[(H, I), (1, 1), (H, 1), (H, H)],
            &[H],
            I,
            |r, p| {
                let scaled = r.mul(&p.w[0], &p.w[1])?;
                let turned = r.transpose(&p.w[3])?;
                let square = r.matmul(&turned, &p.w[3])?;
                let bent = r.tanh(&p.w[2])?;
                let a = r.matmul(&scaled, p.x)?;
                let b = r.matmul(&square, &p.s[0])?;
                let c = r.matmul(&p.w[3], &a)?;
                let z = r.add(&[&a, &b, &bent, &c])?;
                let z = r.mul(&z, &bent)?;
                let h = r.tanh(&z)?;
                Ok(vec![h, h])
            },
        ),
        recipe(
            "fixed factors",
            &[(H, I), (1, 1), (H, 1), (H, 1), (1, 1)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let a = r.mul(&a, &p.w[1])?;
                let b = r.mul(&p.w[2], &p.s[0])?;
                let c = r.mul(&p.s[0], &p.w[3])?;
                let z = r.sub(&p.w[3], &b)?;
                let y = r.sub(&c, &p.w[2])?;
                let z = r.add(&[&p.w[4], &z, &a, &y, &p.w[2]])?;
                let h = r.sigmoid(&z)?;
                Ok(vec![h, z])
            },
        ),
        recipe("weights reused", &[(H, H), (H, I)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[1], p.x)?;
            let b = r.matmul(&p.w[0], &p.s[0])?;
            let c = r.matmul(&p.w[0], &a)?;
            let d = r.matmul(&p.w[0], &p.s[0])?;
            let z = r.add(&[&a, &b, &c, &d])?;
            let h = r.tanh(&z)?;
            let y = r.matmul(&p.w[0], &h)?;
            Ok(vec![h, y])
        }),
        recipe(
            "terms of all kinds",
            &[(H, I), (H, H), (H, 1), (H, 1)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let product = r.mul(&a, &b)?;
                let other = r.mul(&p.s[0], &b)?;
                let third = r.mul(&a, &a)?;
                let minus = r.sub(&product, &other)?;
                let first = r.neg(&b)?;
                let left = r.sub(&first, &third)?;
                let bent = r.tanh(&a)?;
                let more = r.mul(&bent, &b)?;
                let nothing = r.sub(&b, &more)?;
                let all = r.add(&[&minus, &left, &p.w[2], &nothing, &a, &p.w[3], &minus])?;
                let from = r.neg(&all)?;
                let from = r.shift(&from, 1.0)?;
                let h = r.sigmoid(&from)?;
                let two = r.add(&[&h, &a])?;
                let of_sum = r.softplus(&two)?;
                Ok(vec![h, of_sum, all])
            },
        ),
        recipe(
            "negative product first",
            &[(H, I), (H, H)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let t = r.tanh(&a)?;
                let u = r.sigmoid(&b)?;
                let tu = r.mul(&t, &u)?;
                let ts = r.mul(&t, &p.s[0])?;
                let z = r.sub(&tu, &ts)?;
                let n = r.neg(&z)?;
                let h = r.add(&[&n, &u])?;
                Ok(vec![h, h])
            },
        ),
        recipe("maps", &[(H, I), (H, H)], &[H], I, |r, p| {
            let a = r.matmul(&p.w[0], p.x)?;
            let b = r.matmul(&p.w[1], &p.s[0])?;
            let z = r.add(&[&a, &b])?;
            let z = r.gelu(&z)?;
            let z = r.elu(&z, 0.7)?;
            let e = r.exp(&z)?;
            let l = r.log(&e)?;
            let q = r.sqrt(&e)?;
            let w = r.pow(&e, 0.3)?;
            let k = r.hard_sigmoid(&l)?;
            let m = r.leaky_relu(&a, 0.1)?;
            let c = r.clip(&b, -1.0, 1.0)?;
            let d = r.abs(&z)?;
            let half = r.scale(&q, 0.5)?;
            let s = r.add(&[&half, &w, &k, &m, &c, &d])?;
            let h = r.tanh(&s)?;
            Ok(vec![h, e])
        }),
        recipe(
            "several products in a row",
            &[(H, I), (H, H), (H, H), (H, H)],
            &[H],
            I,
            |r, p| {
                let a = r.matmul(&p.w[0], p.x)?;
                let b = r.matmul(&p.w[1], &p.s[0])?;
                let u = r.add(&[&a, &b])?;
                let u = r.tanh(&u)?;
                let c = r.matmul(&p.w[2], &u)?;
                let v = r.add(&[&b, &c, &u])?;
                let v = r.tanh(&v)?;
                let d = r.matmul(&p.w[3], &v)?;
                let e = r.matmul(&p.w[2], &p.s[0])?;
                let h = r.add(&[&d, &e, &a])?;
                let h = r.sigmoid(&h)?;
                Ok(vec![h, v])
            },
        ),
    ]
}
