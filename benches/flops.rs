//! Wall time as arithmetic per second, and as percent of the FMA peak measured in the same run.
//! Shared by the benchmarks.

use std::time::{Duration, Instant};

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Wall time, shown as arithmetic per second beside the peak.
pub(crate) struct Flops(pub(crate) Peak);

/// The peak it is compared with.
pub(crate) struct Peak {
    pub(crate) per_nanosecond: f64,
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
