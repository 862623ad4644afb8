//! Instruction sets: which one runs a kernel is a value, and only a CPU that has it can make it.

use std::sync::OnceLock;

use super::arch;
use crate::element::Element;
use crate::element::simd::Simd;

/// The environment variable that overrides [`Isa::best`] with a name of [`Isa::available`].
pub const ISA_VARIABLE: &str = "RECURRENTNN_ISA";

/// A kernel with its arguments, ready to be run by [`Isa::run`].
///
/// Write `run`, and everything hot below it, `#[inline(always)]`: the body must end up inside the
/// function that enables the instruction set, or it is compiled for the oldest CPU of the target.
pub trait Task {
    /// What the kernel returns.
    type Output;
    /// Does the work with the registers of one instruction set.
    fn run<S: Simd>(self) -> Self::Output;
}

/// An instruction set that this CPU has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What the target of the compilation has everywhere.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// All that this CPU has, the widest registers last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            all.push(Self(Kind::Avx2));
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                all.push(Self(Kind::Avx512));
            }
        }
        all
    }

    /// The one of this name, if it is known and this CPU has it.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|isa| isa.name() == name)
    }

    /// The one to use: named by [`ISA_VARIABLE`] when the process first asks, else the widest that
    /// does not slow this CPU down: before Ice Lake, AVX-512 lowers the frequency.
    ///
    /// A name that [`Isa::by_name`] does not know is passed over here; who reads the variable for a
    /// user reports it.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let named = std::env::var(ISA_VARIABLE).ok();
            let named = named.and_then(|name| Self::by_name(&name));
            named.unwrap_or_else(Self::unasked)
        })
    }

    /// The last one that is used without being named.
    fn unasked() -> Self {
        let mut all = Self::available().into_iter();
        let widest = all.rfind(|isa| !isa.slows_down());
        widest.unwrap_or(Self::PORTABLE)
    }

    /// Whether its use lowers the CPU's frequency so much that narrower registers may be faster.
    fn slows_down(self) -> bool {
        match self.0 {
            Kind::Portable => false,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => false,
            // VBMI2 came with Ice Lake and Zen 4, whose frequency stays; here it only tells them.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => !is_x86_feature_detected!("avx512vbmi2"),
        }
    }

    /// `portable`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// How many numbers a register holds.
    pub fn lanes<T: Element>(self) -> usize {
        struct RegisterBytes;
        impl Task for RegisterBytes {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd>(self) -> usize {
                S::REGISTER_BYTES
            }
        }
        self.run(RegisterBytes) / size_of::<T>()
    }

    /// Runs `task`, compiled for this instruction set.
    #[inline]
    pub fn run<K: Task>(self, task: K) -> K::Output {
        match self.0 {
            Kind::Portable => task.run::<arch::portable::Portable>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` alone makes this kind, after asking the CPU for both features.
            Kind::Avx2 => unsafe { run_avx2(task) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above, for all of these features.
            Kind::Avx512 => unsafe { run_avx512(task) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Task>(task: K) -> K::Output {
    task.run::<arch::avx2::Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512<K: Task>(task: K) -> K::Output {
    task.run::<arch::avx512::Avx512>()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OneRounding;

    impl Task for OneRounding {
        type Output = bool;
        #[inline(always)]
        fn run<S: Simd>(self) -> bool {
            // (1 + e)(1 - e) - 1 = -e^2, which the product's own rounding loses.
            let e = f64::EPSILON;
            S::mul_add(1.0 + e, 1.0 - e, -1.0).to_bits() == (-e * e).to_bits()
        }
    }

    #[test]
    fn every_instruction_set_has_its_name_and_its_arithmetic() {
        for isa in Isa::available() {
            assert_eq!(Isa::by_name(isa.name()), Some(isa));
            assert_eq!(isa.run(OneRounding), isa != Isa::PORTABLE);
        }
        assert_eq!(Isa::by_name("abacus"), None);
        assert_eq!(Isa::by_name(""), None);
    }

    #[test]
    fn the_best_is_the_named_one_or_the_widest_that_does_not_slow_down() {
        let named = std::env::var(ISA_VARIABLE).ok();
        let named = named.and_then(|name| Isa::by_name(&name));
        assert_eq!(Isa::best(), named.unwrap_or_else(Isa::unasked));
        let all = Isa::available();
        let widest = all[all.len() - 1];
        let unasked = if widest.slows_down() {
            all[all.len() - 2]
        } else {
            widest
        };
        assert_eq!(Isa::unasked(), unasked);
        assert_eq!(
            all.iter().filter(|isa| isa.slows_down()).count(),
            usize::from(unasked != widest)
        );
    }
}
