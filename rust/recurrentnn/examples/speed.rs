//! scratch
use recurrentnn::cells::{CellKind, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::kernels::Isa;
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::program::*;
use recurrentnn::shape::Shape;
use std::sync::Arc;
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n = |k: usize| a[k].parse::<usize>().unwrap();
    let cell = CellKind::by_name(&a[1]).unwrap();
    let (inputs, hidden, layers, batch, time, reps, threads) =
        (n(2), n(3), n(4), n(5), n(6), n(7), n(8));
    let symbols = a.get(9).is_some();
    let config = Config {
        cell: cell.clone(),
        input_size: inputs,
        hidden_sizes: vec![hidden; layers],
        output_size: None,
        embedding_size: None,
        options: Options::default(),
        input_to_all: false,
        all_to_output: false,
        init: InitKind::Normal,
        std: 0.08,
        forget_bias: if matches!(cell, CellKind::Lstm | CellKind::GfLstm) {
            1.0
        } else {
            1.0
        },
        seed: 5,
    };
    let model = Model::<f32>::new(config).unwrap();
    let shapes: Vec<Shape> = model
        .params()
        .matrices()
        .iter()
        .map(Matrix::shape)
        .collect();
    let vectors = cell.states().len();
    let rows = vec![hidden; layers * vectors];
    let t0 = Instant::now();
    let program = Arc::new(
        Program::<f32>::new(
            &model.trace().unwrap(),
            &shapes,
            &rows,
            if symbols {
                Source::OneHot
            } else {
                Source::Features
            },
            Passes::ALL,
        )
        .unwrap(),
    );
    println!("new {:?}", t0.elapsed());
    let values: Vec<_> = model
        .params()
        .matrices()
        .iter()
        .map(|m| m.value().unwrap())
        .collect();
    let values: Vec<&[f32]> = values.iter().map(|v| &**v).collect();
    let columns = batch * time;
    let x: Vec<f32> = (0..inputs * columns)
        .map(|i| ((i * 7919) % 1000) as f32 / 1000.0 - 0.5)
        .collect();
    let s: Vec<usize> = (0..columns).map(|i| (i * 7919) % inputs).collect();
    let states = vec![None; rows.len()];
    let isa = Isa::best();
    let call = Call {
        isa,
        threads,
        extent: Extent { time, batch },
        input: if symbols {
            Input::Symbols(&s)
        } else {
            Input::Features(&x)
        },
        states: &states,
        weights: &values,
        version: None,
        differentiate: true,
        input_grad: false,
    };
    let g = vec![0.01f32; hidden * columns];
    let mut grads: Vec<Vec<f32>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
    let flops: f64 = shapes
        .iter()
        .filter(|s| s.cols > 1)
        .map(|s| 6.0 * s.len() as f64)
        .sum::<f64>()
        * columns as f64;
    let mut best = [f64::MAX; 4];
    let mut all = vec![];
    for r in 0..reps {
        let mut poll = || false;
        let t0 = Instant::now();
        let mut run = program.begin(&call).unwrap();
        run.forward(&mut poll).unwrap();
        let t1 = Instant::now();
        run.receive(Incoming {
            results: &[Some(&g)],
            states: &states,
        })
        .unwrap();
        run.backward(&mut poll).unwrap();
        let t2 = Instant::now();
        let mut into: Vec<&mut [f32]> = grads.iter_mut().map(|p| &mut p[..]).collect();
        weight_gradients(&[&run], &values, &mut into).unwrap();
        let t3 = Instant::now();
        if r == 0 {
            println!("first {:?} {:?} {:?}", t1 - t0, t2 - t1, t3 - t2);
        }
        let parts = [t1 - t0, t2 - t1, t3 - t2, t3 - t0];
        for (b, p) in best.iter_mut().zip(parts) {
            *b = b.min(p.as_secs_f64());
        }
        all.push((t3 - t0).as_secs_f64());
    }
    all.sort_by(f64::total_cmp);
    let us = |s: f64| s * 1e6 / columns as f64;
    println!(
        "{} I{inputs} H{hidden}x{layers} B{batch} T{time}: fwd {:.3} bwd {:.3} dw {:.3} total {:.3} us/char  {:.1} GFLOP/s best {:.1} median",
        a[1],
        us(best[0]),
        us(best[1]),
        us(best[2]),
        us(best[3]),
        flops / best[3] / 1e9,
        flops / all[all.len() / 2] / 1e9
    );
}
