//! Kernels against the peak of this CPU: `cargo bench --bench kernels [FILTER]`.
//!
//! For every instruction set and element type a loop of nothing but multiply-adds in registers is
//! timed first; every figure is given in GFLOP/s and in percent of that, so that figures of
//! different minutes and machines can be compared. One thread, except where the name says more.
#![allow(missing_docs, clippy::inline_always)] // the latter as in the kernels

mod flops;
mod peak;

use flops::{Flops, Peak};

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use rayon::ThreadPoolBuilder;
use recurrentnn::element::Element;
use recurrentnn::kernels::broadcast::{Operand, map_broadcast};
use recurrentnn::kernels::formula::map_formula;
use recurrentnn::kernels::panel::{self, Packed};
use recurrentnn::kernels::update::Update;
use recurrentnn::kernels::{Cost, Isa, Outer, Product, gemm, map, outer, reduce, softmax};
use recurrentnn::ops;
use recurrentnn::optim::{Past, RmsProp, UpdateRule};

/// (m, n, k): the products of cells of 20 to 512 units, for one sample and for many; squares.
const PRODUCTS: [(usize, usize, usize); 12] = [
    (20, 1, 20),
    (80, 1, 20),
    (512, 1, 128),
    (1024, 1, 1024),
    (1, 50, 128),
    (20, 8, 20),
    (128, 8, 128),
    (512, 8, 128),
    (512, 50, 128),
    (512, 128, 2500),
    (256, 256, 256),
    (1024, 1024, 1024),
];

type Group<'a> = criterion::BenchmarkGroup<'a, Flops>;

/// Elements of a map: one small state, one batch of gates, more than the level-2 cache.
const LENGTHS: [usize; 3] = [20, 25_600, 1_000_000];

fn products<T: Element>(criterion: &mut Criterion<Flops>, isa: Isa, threads: usize) {
    let name = format!("gemm/{}/{}/{threads}", isa.name(), T::DTYPE.name());
    let mut group = criterion.benchmark_group(name);
    for (m, n, k) in PRODUCTS {
        let (a, b) = (
            vec![T::from_f64(0.5); m * k],
            vec![T::from_f64(0.25); k * n],
        );
        let mut c = vec![T::ZERO; m * n];
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        for product in [
            Product::Plain,
            Product::TransposedLeft,
            Product::TransposedRight,
        ] {
            let id = BenchmarkId::new(format!("{product:?}"), format!("{m}x{n}x{k}"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| gemm(isa, product, m, n, k, black_box(&a), &b, &mut c));
            });
        }
    }
}

/// The functions that nets are made of; throughput counts elements.
fn formulas<T: Element>(group: &mut Group<'_>, isa: Isa, a: &[T], out: &mut [T]) {
    let mut row = |name: &str, run: &mut dyn FnMut(&[T], &mut [T])| {
        group.bench_function(BenchmarkId::new(name, a.len()), |bencher| {
            bencher.iter(|| run(black_box(a), out));
        });
    };
    row("tanh", &mut |a, out| {
        map_formula(isa, &ops::Tanh {}, a, out);
    });
    row("sigmoid", &mut |a, out| {
        map_formula(isa, &ops::Sigmoid {}, a, out);
    });
    row("exp", &mut |a, out| {
        map_formula(isa, &ops::Exp {}, a, out);
    });
    row("log", &mut |a, out| {
        map_formula(isa, &ops::Log {}, a, out);
    });
}

/// (units, batch): one step of four gates; a gradient of their weights takes 50 steps.
const GATES: [(usize, usize); 10] = [
    (20, 1),
    (64, 1),
    (128, 1),
    (512, 1),
    (32, 8),
    (128, 2),
    (128, 8),
    (128, 50),
    (256, 100),
    (512, 64),
];

fn gates<T: Element>(criterion: &mut Criterion<Flops>, isa: Isa, threads: usize) {
    let name = format!("gates/{}/{}/{threads}", isa.name(), T::DTYPE.name());
    let mut group = criterion.benchmark_group(name);
    for (units, batch) in GATES {
        let Some(mut packed) = Packed::new(isa, &[units; 4], units) else {
            continue;
        };
        let mut weights = [(); 4].map(|()| vec![T::from_f64(0.5); units * units]);
        let cols = 50 * batch;
        let operand = vec![T::from_f64(0.25); units * cols];
        let mut gates = [(); 4].map(|()| vec![T::ZERO; units * cols]);
        let shape = format!("{units}x{batch}");
        group.throughput(Throughput::Elements(4 * (units * units) as u64));
        group.bench_function(BenchmarkId::new("pack", &shape), |bencher| {
            bencher.iter(|| {
                for (target, weight) in weights.iter().enumerate() {
                    packed.pack(target, 0, black_box(weight), units, units);
                }
            });
        });
        group.bench_function(BenchmarkId::new("pack transposed", &shape), |bencher| {
            bencher.iter(|| {
                for (target, weight) in weights.iter().enumerate() {
                    packed.pack_transposed(target, 0, black_box(weight), units, units);
                }
            });
        });
        group.throughput(Throughput::Elements((8 * units * units * batch) as u64));
        group.bench_function(BenchmarkId::new("step", &shape), |bencher| {
            let mut outputs = gates.each_mut().map(|gate| &mut gate[..units * batch]);
            let x = &operand[..units * batch];
            bencher.iter(|| panel::accumulate(&packed, black_box(x), &mut outputs, batch));
        });
        group.throughput(Throughput::Elements((8 * units * units * cols) as u64));
        group.bench_function(BenchmarkId::new("outer", &shape), |bencher| {
            let pairs = gates.iter().zip(&mut weights);
            let mut targets: Vec<_> = pairs
                .map(|(dz, dw)| Outer {
                    rows: units,
                    dz,
                    weights: vec![(0, dw)],
                    bias: None,
                })
                .collect();
            bencher.iter(|| outer(isa, &mut targets, black_box(&[(&operand, units)]), cols));
        });
    }
}

fn loops<T: Element>(criterion: &mut Criterion<Flops>, isa: Isa, threads: usize) {
    let name = format!("map/{}/{}/{threads}", isa.name(), T::DTYPE.name());
    let mut group = criterion.benchmark_group(name);
    for len in LENGTHS {
        let (a, b) = (vec![T::from_f64(0.5); len], vec![T::from_f64(0.25); len]);
        let (mut x, mut y, mut z) = (a.clone(), a.clone(), a.clone());
        let flops = |group: &mut Group<'_>, each: usize| {
            group.throughput(Throughput::Elements((each * len) as u64));
        };
        let whole = (len / 20, 20);
        let bias = Operand::new(&b[..whole.0], (whole.0, 1), whole);
        let full = Operand::new(&a, whole, whole);
        flops(&mut group, 1);
        group.bench_function(BenchmarkId::new("mul", len), |bencher| {
            let mul = |[a, b]: [T; 2]| a * b;
            bencher.iter(|| map::map(isa, Cost::Cheap, [black_box(&a), &b], &mut x, mul));
        });
        group.bench_function(BenchmarkId::new("add a column", len), |bencher| {
            let add = |[a, b]: [T; 2]| a + b;
            bencher.iter(|| map_broadcast(isa, Cost::Cheap, whole, [full, bias], &mut x, add));
        });
        formulas(&mut group, isa, &a, &mut x);
        group.bench_function(BenchmarkId::new("softmax", len), |bencher| {
            bencher.iter(|| softmax::softmax(isa, whole, black_box(&a), &mut x));
        });
        group.bench_function(BenchmarkId::new("sum", len), |bencher| {
            bencher.iter(|| reduce::sum(isa, black_box(&a)));
        });
        if len > 512 {
            // The gradient of a bias of 512 rows.
            let (whole, a) = ((512, len / 512), &a[..len / 512 * 512]);
            group.bench_function(BenchmarkId::new("sum of rows", len), |bencher| {
                bencher.iter(|| reduce::sum_per_row(isa, whole, black_box(a), &mut x[..512]));
            });
        }
        flops(&mut group, 2);
        group.bench_function(BenchmarkId::new("sum of squares", len), |bencher| {
            bencher.iter(|| reduce::sum_of_squares(isa, black_box(&a)));
        });
        flops(&mut group, 4);
        group.bench_function(BenchmarkId::new("accumulate a(1 - b^2)", len), |bencher| {
            let f = |[a, b]: [T; 2]| a * (T::ONE - b * b);
            bencher.iter(|| map::accumulate(isa, Cost::Cheap, [black_box(&a), &b], &mut x, f));
        });
        flops(&mut group, 11);
        group.bench_function(BenchmarkId::new("rmsprop", len), |bencher| {
            let update = Update {
                rule: RmsProp::default().kernel(1e-3, 1e-3, &mut Past::default()),
                scale: 0.5,
                limit: Some(5.0),
            };
            let mut memory = [std::mem::take(&mut z)];
            bencher.iter(|| update.run(isa, &mut x, &mut y, &mut memory));
        });
    }
}

fn all<T: Element>(isa: Isa, threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default()
            .with_measurement(Flops(Peak {
                per_nanosecond: peak::of_a_thread::<T>() * threads as f64,
            }))
            .sample_size(20)
            .warm_up_time(Duration::from_millis(100))
            .measurement_time(Duration::from_millis(400))
            .configure_from_args();
        products::<T>(&mut criterion, isa, threads);
        gates::<T>(&mut criterion, isa, threads);
        loops::<T>(&mut criterion, isa, threads);
    });
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::thread::available_parallelism()?.get();
    for isa in Isa::available().into_iter().rev() {
        all::<f32>(isa, 1)?;
        all::<f64>(isa, 1)?;
    }
    if threads > 1 {
        all::<f32>(Isa::best(), threads)?;
    }
    Ok(())
}
