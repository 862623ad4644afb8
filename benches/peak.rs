//! The FMA peak: a loop of nothing but multiply-adds in registers, which no kernel can exceed.
//! Shared by the benchmark of the kernels and by `fma_peak`.

use std::hint::black_box;
use std::time::Instant;

use recurrentnn::element::Element;
use recurrentnn::element::simd::Simd;
use recurrentnn::kernels::Isa;
use recurrentnn::kernels::isa::Task;

/// Operations per nanosecond of one thread: the best of many short runs, for other programs only
/// ever slow it down, on the instruction set that does most, for compilers do not make the best of each.
pub(crate) fn of_a_thread<T: Element>() -> f64 {
    let all = Isa::available();
    (0..50)
        .flat_map(|_| all.iter())
        .map(|isa| isa.run(MultiplyAdds::<T>([T::ONE; 2])))
        .fold(0.0, f64::max)
}

/// Independent chains of multiply-adds, two for each register of latency and throughput.
struct MultiplyAdds<T>([T; 2]);

impl<T: Element> Task for MultiplyAdds<T> {
    /// Operations per nanosecond.
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        match S::REGISTER_BYTES / size_of::<T>() {
            8 => self.chains::<S, 8>(),
            4 => self.chains::<S, 4>(),
            _ => self.chains::<S, 2>(),
        }
    }
}

impl<T: Element> MultiplyAdds<T> {
    #[inline(always)]
    fn chains<S: Simd, const LANES: usize>(self) -> f64 {
        const CHAINS: usize = 12;
        const STEPS: usize = 20_000;
        let [x, y] = black_box(self.0).map(|x| [x; LANES]);
        let mut acc = [[T::ZERO; LANES]; CHAINS];
        let start = Instant::now();
        for _ in 0..STEPS {
            for acc in &mut acc {
                for ((acc, x), y) in acc.iter_mut().zip(x).zip(y) {
                    *acc = S::mul_add(*acc, x, y);
                }
            }
        }
        black_box(acc);
        let flops = 2 * LANES * CHAINS * STEPS;
        flops as f64 / start.elapsed().as_nanos() as f64
    }
}
