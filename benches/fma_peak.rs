//! `cargo run --release --example fma_peak [THREADS]`: GFLOP/s of one thread while that many compute.
//!
//! `benches/peers.py` runs it beside every row, so that a share of the peak is one of the same minute.
#![allow(clippy::inline_always, clippy::print_stdout)] // as in the kernels; it is what a program says

mod peak;

use std::sync::Barrier;
use std::thread;

use recurrentnn::element::Element;

/// The mean over the threads, all of them at it at once.
fn peak<T: Element>(threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let one = || {
        barrier.wait();
        peak::of_a_thread::<T>()
    };
    let all = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let finished = running.into_iter().map(thread::ScopedJoinHandle::join);
        finished.filter_map(Result::ok).collect::<Vec<_>>()
    });
    all.iter().sum::<f64>() / threads as f64
}

fn main() -> Result<(), std::num::ParseIntError> {
    let threads = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    println!("float32 {:.2}", peak::<f32>(threads));
    println!("float64 {:.2}", peak::<f64>(threads));
    Ok(())
}
