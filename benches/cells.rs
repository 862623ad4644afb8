//! Sequences through cells: forward, backward and the gradients of the weights, by size.
//!
//! Throughput counts six operations a weight, step and sample, as is usual: two in each of forward,
//! gradient of the operand and gradient of the weight. The lowest layer's input has no gradient here,
//! so that a sixth to a fourth of what is counted is not done.

#![allow(missing_docs, clippy::inline_always)] // the latter as in the kernels

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use recurrentnn::cells::{CellKind, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::element::Element;
use recurrentnn::kernels::{Isa, parallel};
use recurrentnn::matrix::Matrix;
use recurrentnn::model::Model;
use recurrentnn::program::{Call, Extent, Incoming, Input, weight_gradients};
use recurrentnn::regularise::Phase;

mod flops;
mod peak;

use flops::{Flops, Peak};

/// Units, layers, batch, time; as many features as units.
const SIZES: [(usize, usize, usize, usize); 6] = [
    (20, 2, 1, 62),
    (100, 2, 1, 62),
    (32, 1, 32, 64),
    (128, 2, 50, 50),
    (256, 1, 100, 50),
    (512, 1, 64, 20),
];

fn sequences<T: Element>(
    criterion: &mut Criterion<Flops>,
    isa: Isa,
    threads: usize,
) -> Result<(), Box<dyn Error>> {
    for cell in CellKind::ALL {
        let name = format!(
            "{} {} {} {threads}",
            cell.name(),
            T::DTYPE.name(),
            isa.name()
        );
        let mut group = criterion.benchmark_group(name);
        for (units, layers, batch, time) in SIZES {
            let model = Model::<T>::new(Config {
                cell: cell.clone(),
                input_size: units,
                hidden_sizes: vec![units; layers],
                output_size: None,
                embedding_size: None,
                options: Options::default(),
                input_to_all: false,
                all_to_output: false,
                init: InitKind::Normal,
                std: 0.08,
                forget_bias: 1.0,
                seed: 1,
                ..Config::default()
            })?;
            let program = Arc::clone(model.program(false, Phase::Evaluation)?);
            let values = model.params().matrices().iter().map(Matrix::value);
            let values = values.collect::<Result<Vec<_>, _>>()?;
            let values: Vec<&[T]> = values.iter().map(|value| &**value).collect();
            let mut grads: Vec<Vec<T>> = values.iter().map(|v| vec![T::ZERO; v.len()]).collect();
            let columns = time * batch;
            let features = vec![T::from_f64(0.5); units * columns];
            let states = vec![None; program.states().len()];
            let call = Call {
                isa,
                threads,
                extent: Extent { time, batch },
                lengths: None,
                input: Input::Features(&features),
                states: &states,
                weights: &values,
                version: None,
                differentiate: true,
                input_grad: false,
            };
            let weights = model.params().matrices().iter().filter(|m| m.cols() > 1);
            let weights: usize = weights.map(|m| m.shape().len()).sum();
            group.throughput(Throughput::Elements((6 * weights * columns) as u64));
            let size = format!("{units}x{layers} B={batch} T={time}");
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    let mut pass = || {
                        let mut run = program.begin(&call)?;
                        run.forward(&mut || false)?;
                        run.receive(Incoming {
                            results: &[Some(&features)],
                            states: &states,
                        })?;
                        run.backward(&mut || false)?;
                        let mut into: Vec<_> = grads.iter_mut().map(|g| &mut g[..]).collect();
                        weight_gradients(&[&run], &values, &mut into)
                    };
                    pass().map_err(|error| error.to_string())
                });
            });
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let isa = Isa::best();
    for threads in [1, 2] {
        parallel::set_threads(threads);
        let mut criterion = Criterion::default()
            .with_measurement(Flops(Peak {
                per_nanosecond: peak::of_a_thread::<f32>() * threads as f64,
            }))
            .sample_size(10)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(300))
            .configure_from_args();
        sequences::<f32>(&mut criterion, isa, threads)?;
    }
    Ok(())
}
