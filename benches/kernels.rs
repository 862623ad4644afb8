//! Kernels against the peak of this CPU: `cargo bench --bench kernels [FILTER]`.
//!
//! For every instruction set and element type a loop of nothing but multiply-adds in registers is
//! timed first; every figure is given in GFLOP/s and in percent of that, so that figures of
//! different minutes and machines can be compared. One thread, except where the name says more.
#![allow(missing_docs, clippy::inline_always)] // the latter as in the kernels

mod peak;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput};
use rayon::ThreadPoolBuilder;
use recurrentnn::element::Element;
use recurrentnn::kernels::broadcast::{Operand, map_broadcast};
use recurrentnn::kernels::formula::map_formula;
use recurrentnn::kernels::update::Update;
use recurrentnn::kernels::{Cost, Isa, Product, gemm, map, reduce, softmax};
use recurrentnn::ops;
use recurrentnn::optim::RmsProp;

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
                rule: RmsProp::default(),
                scale: 0.5,
                limit: Some(5.0),
                decays: true,
            };
            bencher.iter(|| update.run(isa, &mut x, &mut y, &mut z));
        });
    }
}

/// Wall time, shown as arithmetic per second beside the peak.
struct Flops(Peak);

struct Peak {
    per_nanosecond: f64,
}

impl Measurement for Flops {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        WallTime.start()
    }
    fn end(&self, start: Instant) -> Duration {
        WallTime.end(start)
    }
    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        WallTime.add(a, b)
    }
    fn zero(&self) -> Duration {
        WallTime.zero()
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        &self.0
    }
}

impl ValueFormatter for Peak {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(&self, _: f64, work: &Throughput, values: &mut [f64]) -> &'static str {
        if let Throughput::Elements(flops) = work {
            for value in values {
                *value = *flops as f64 / *value;
            }
        }
        "GFLOP/s"
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }

    fn format_throughput(&self, work: &Throughput, nanoseconds: f64) -> String {
        let mut speed = [nanoseconds];
        let unit = self.scale_throughputs(nanoseconds, work, &mut speed);
        let percent = 100.0 * speed[0] / self.per_nanosecond;
        format!("{:.1} {unit} = {percent:.0} %", speed[0])
    }
}

fn all<T: Element>(isa: Isa, threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut criterion = Criterion::default()
            .with_measurement(Flops(Peak {
                per_nanosecond: peak::of_a_thread::<T>(isa) * threads as f64,
            }))
            .sample_size(20)
            .warm_up_time(Duration::from_millis(100))
            .measurement_time(Duration::from_millis(400))
            .configure_from_args();
        products::<T>(&mut criterion, isa, threads);
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
