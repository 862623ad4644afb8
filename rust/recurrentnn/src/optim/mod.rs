//! Optimizers: a rule for one number, its gradient and what is remembered of it; walking parameters,
//! clipping, weight decay, groups and statistics are written once, here. No parameter is known by
//! name.
//!
//! What all rules have in common, with L the learning rate and D the weight decay of a parameter:
//!
//! ```text
//! g = clip(gradient)            by the norm of all gradients together, then each element by value
//! ```
//!
//! What D means is the rule's: "L2" adds `D w` to g, "decoupled" takes `L D w` from w. Biases, gains
//! of norms and embeddings have D = 0, unless [`Options::decay_all`] or their group says otherwise.

use crate::error::Result;
use crate::kernels::update::Rule;

mod adagrad;
mod adam;
mod adamw;
mod average;
mod groups;
mod lion;
mod means;
mod moments;
mod nadam;
mod options;
mod rmsprop;
mod settings;
mod sgd;
mod solver;
mod step;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use average::Average;
pub use groups::{Group, Optimizer};
pub use lion::Lion;
pub use means::Means;
pub use moments::{Moment, Moments, Past};
pub use nadam::NAdam;
pub use options::{Clip, Options};
pub use rmsprop::RmsProp;
pub use settings::{Setting, Settings, Value};
pub use sgd::Sgd;
pub use solver::Solver;
pub use step::{Named, StepStats, step};

/// How an optimizer changes weights: its own settings, and what they make of a step.
pub trait UpdateRule: Copy + Default + Send + Sync {
    /// What one step computes with.
    type Kernel: Rule;
    /// The name in tables.
    const NAME: &'static str;
    /// The name of the class, in messages.
    const CLASS: &'static str;
    /// What it remembers of each weight, by name, in the order in which settings ask for it.
    const MEMORY: &'static [&'static str];
    /// Whether it keeps [`Past::product`].
    const PRODUCT: bool = false;
    /// Which gradients it squares: their squares must be finite.
    const SQUARES: Squares;
    /// The usual learning rate.
    const LEARNING_RATE: f64;
    /// The usual weight decay.
    const WEIGHT_DECAY: f64 = 0.0;

    /// Its own settings, by name.
    fn settings(&mut self) -> Settings<'_>;

    /// Fails if its settings, each in its domain, do not go together.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::error::Error::Argument) names the setting.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// How many of [`MEMORY`](Self::MEMORY) these settings need, from the first.
    fn remembers(&self) -> usize {
        Self::MEMORY.len()
    }

    /// What stands in the memory before the first step.
    fn begins(&self) -> f64 {
        0.0
    }

    /// The step of one parameter, given its learning rate, its weight decay and how many steps it has
    /// made, this one counted.
    fn kernel(&self, rate: f64, decay: f64, past: &mut Past) -> Self::Kernel;
}

/// Which gradients a rule squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Squares {
    /// None.
    None,
    /// Those that have been clipped, if there is clipping: these squares are finite.
    Clipped,
    /// As they come.
    Raw,
}

// One row a rule. `Solver` has none: its learning rate and its decay come with each step.
macro_rules! table {
    ($($rule:ident)*) => {
        /// The names of all rules.
        pub const NAMES: &[&str] = &[$($rule::NAME,)* Solver::NAME];

        /// An optimizer whose rule is chosen when it runs. See `with_optimizer!`.
        #[derive(Clone, Debug)]
        pub enum AnyOptimizer {
            $(#[doc = concat!("By the rule [`", stringify!($rule), "`].")]
            $rule(Optimizer<$rule>),)*
        }

        impl AnyOptimizer {
            /// The optimizer of that name with the usual settings.
            pub fn by_name(name: &str) -> Option<Self> {
                $(if name == $rule::NAME {
                    return Some(Self::$rule(Optimizer::default()));
                })*
                None
            }
        }

        /// Runs the same code for the rule at hand: `with_optimizer!(any, |optimizer| ...)`.
        #[macro_export]
        macro_rules! with_optimizer {
            ($value:expr, |$optimizer:ident| $body:expr) => {
                match $value {
                    $($crate::optim::AnyOptimizer::$rule($optimizer) => $body,)*
                }
            };
        }
    };
}

table! { Sgd RmsProp Adagrad Adam AdamW NAdam Lion }
