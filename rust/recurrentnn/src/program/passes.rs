//! Which passes run: all, but for tests that compare with the run without one.

/// The passes of the compiler, each of which can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // one switch a pass
pub struct Passes {
    /// Products that read the same value become one.
    pub stack: bool,
    /// What does not depend on the state leaves the time loop; an embedding becomes a table.
    pub hoist: bool,
    /// Sums of sums become one sum, computed in place.
    pub accumulate: bool,
    /// Arithmetic runs chunk by chunk, and what is often done in a row becomes one instruction.
    pub fuse: bool,
    /// Weight gradients wait for the end, where they are one product over all steps.
    pub defer: bool,
    /// What is no longer read gives its memory to what comes.
    pub plan: bool,
    /// Weights are copied into the order in which the product's innermost loop reads them.
    pub pack: bool,
    /// Threads share the work.
    pub partition: bool,
}

impl Passes {
    /// All of them.
    pub const ALL: Self = Self {
        stack: true,
        hoist: true,
        accumulate: true,
        fuse: true,
        defer: true,
        plan: true,
        pack: true,
        partition: true,
    };

    /// None of them.
    pub const NONE: Self = Self {
        stack: false,
        hoist: false,
        accumulate: false,
        fuse: false,
        defer: false,
        plan: false,
        pack: false,
        partition: false,
    };
}

impl Default for Passes {
    fn default() -> Self {
        Self::ALL
    }
}
