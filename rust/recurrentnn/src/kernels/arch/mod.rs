//! The instruction sets: one file each, the only files with intrinsics in them.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
pub(super) mod portable;

#[cfg(test)]
mod tests;
