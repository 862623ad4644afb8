//! Settings by name, each with its domain, so that groups, files and Python need no list of their own.

use std::ops::Range;

use crate::error::{Error, Result};

/// Settings end here: beyond, float32 has no numbers.
pub(super) const LARGEST: f64 = 1e30;

/// The settings of a rule or of an optimizer, in the order in which they are told.
pub type Settings<'a> = Vec<(&'static str, Setting<'a>)>;

/// Where a setting is kept.
#[derive(Debug)]
pub enum Setting<'a> {
    /// A number in a range.
    Number(&'a mut f64, Range<f64>),
    /// A number above 0, or nothing.
    Limit(&'a mut Option<f64>),
    /// Yes or no.
    Switch(&'a mut bool),
}

/// What a setting is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of [`Setting::Number`].
    Number(f64),
    /// Of [`Setting::Limit`].
    Limit(Option<f64>),
    /// Of [`Setting::Switch`].
    Switch(bool),
}

impl<'a> Setting<'a> {
    /// A number that is not negative.
    pub(super) fn positive(number: &'a mut f64) -> Self {
        Self::Number(number, 0.0..LARGEST)
    }

    /// A share, below 1.
    pub(super) fn share(number: &'a mut f64) -> Self {
        Self::Number(number, 0.0..1.0)
    }

    /// What it is set to.
    pub fn value(&self) -> Value {
        match self {
            Self::Number(number, _) => Value::Number(**number),
            Self::Limit(limit) => Value::Limit(**limit),
            Self::Switch(switch) => Value::Switch(**switch),
        }
    }

    /// Sets it; whether it is in its domain is another question.
    pub(super) fn set(self, op: &'static str, name: &str, value: Value) -> Result<()> {
        match (self, value) {
            (Self::Number(to, _), Value::Number(number)) => *to = number,
            (Self::Limit(to), Value::Limit(limit)) => *to = limit,
            (Self::Limit(to), Value::Number(number)) => *to = Some(number),
            (Self::Switch(to), Value::Switch(switch)) => *to = switch,
            _ => return Err(Error::argument(op, format!("{name} is of another type"))),
        }
        Ok(())
    }

    /// Fails unless the value is in its domain; NaN never is.
    pub(super) fn check(&self, op: &'static str, name: &str) -> Result<()> {
        let (rule, value) = match self {
            Self::Number(number, range) if !range.contains(number) => {
                let rule = format!("in [{}, {})", range.start, range.end);
                (rule, **number)
            }
            Self::Limit(Some(limit)) if !(*limit > 0.0 && limit.is_finite()) => {
                ("finite and above 0".to_owned(), *limit)
            }
            _ => return Ok(()),
        };
        let message = format!("{name} must be {rule} but is {value}");
        Err(Error::argument(op, message))
    }
}
