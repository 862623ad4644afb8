//! Cells of the user's own through programs: what no cell of the library does.

use recurrentnn::cells::{Custom, Sketch};
use recurrentnn::error::Result;
use recurrentnn::init::Init;
use recurrentnn::ops::{Axis, Recorder};
use recurrentnn::params::Role;
use recurrentnn::program::Symbol;

use super::*;

/// Sums of gates, each made by `f`, with a state more than the library's cells have.
fn cell(f: fn(&mut Sketch, &Symbol, &Symbol) -> Result<Symbol>) -> CellKind {
    let cell = Custom::new("Own", &["hidden", "slow", "ticks"], move |cell, layer| {
        let gate = cell.gate("gate", layer.inputs, layer.size);
        let decay = cell.param_from("decay", (layer.size, 1), Role::Bias, Init::Constant(0.5));
        let (x, h) = (cell.x(), cell.state("hidden")?);
        let (slow, ticks) = (cell.state("slow")?, cell.state("ticks")?);
        let sum = gate.sum(cell, &x, &h)?;
        let new = f(cell, &sum, &slow)?;
        // Of parameters alone.
        let rate = cell.sigmoid(&decay)?;
        let kept = cell.mul(&rate, &slow)?;
        let slow = cell.add(&[&kept, &new])?;
        Ok(vec![cell.tanh(&slow)?, slow, cell.shift(&ticks, 1.0)?])
    });
    CellKind::Custom(cell.unwrap())
}

/// A function of a gate's sum and of a state.
type Step = fn(&mut Sketch, &Symbol, &Symbol) -> Result<Symbol>;

/// Every kind of op that keeps samples apart.
const STEPS: [(&str, Step); 13] = [
    ("layer_norm", |c, z, s| {
        let ones = c.param_from("gain", (z.rows(), 1), Role::Bias, Init::Constant(1.0));
        let bias = c.param("bias", z.rows(), 1, Role::Bias);
        let z = c.add(&[z, s])?;
        c.layer_norm(&z, &ones, &bias, 1e-5)
    }),
    ("softmax", |c, z, _| c.softmax(z)),
    ("log_softmax", |c, z, _| c.log_softmax(z)),
    ("logsumexp", |c, z, s| {
        let row = c.logsumexp(z)?;
        c.sub(s, &row)
    }),
    ("max", |c, z, s| {
        let row = c.max(z, Axis::Rows)?;
        c.mul(s, &row)
    }),
    ("mean", |c, z, _| {
        let row = c.mean(z, Some(Axis::Rows))?;
        c.sub(z, &row)
    }),
    ("concat", |c, z, s| {
        let tall = c.concat(&[z, s, z])?;
        c.slice_rows(&tall, 1, 1 + z.rows())
    }),
    ("where", |c, z, s| {
        let zero = c.relu(z, 0.0)?;
        c.where_(&zero, z, s)
    }),
    ("maximum", |c, z, s| {
        let larger = c.maximum(z, s)?;
        let smaller = c.minimum(&larger, z)?;
        c.sub(&larger, &smaller)
    }),
    ("div", |c, z, s| {
        let square = c.square(z)?;
        let below = c.shift(&square, 1.5)?;
        c.div(s, &below)
    }),
    ("pow", |c, z, _| {
        let positive = c.softplus(z)?;
        let power = c.pow(&positive, -1.0)?;
        c.scale(&power, 0.5)
    }),
    ("gelu", |c, z, s| {
        let (z, s) = (c.gelu(z)?, c.hard_sigmoid(s)?);
        c.mul(&z, &s)
    }),
    ("one result twice", |_, z, _| Ok(*z)),
];

#[test]
fn every_op_that_keeps_samples_apart_runs_in_a_program() {
    for (name, step) in STEPS {
        for passes in [Passes::ALL, Passes::NONE] {
            let config = config(cell(step), 3, &[5, 4], false);
            let case = Case::<f64>::new(&config, 4, 3, false);
            let far = distance(&case.run(Isa::best(), passes, 1), &case.graph());
            assert!(far < 1e-12, "{name}, {passes:?}: {far}");
        }
    }
}
