//! The settings of an optimizer: those that every rule has, and the rule's own.

use super::settings::{Setting, Settings, Value};
use super::{Squares, UpdateRule};
use crate::error::{Error, Result};

/// How gradients are clipped: by the norm over all parameters first, then each element by value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clip {
    /// Largest magnitude of an element.
    pub value: Option<f64>,
    /// Largest norm over all parameters.
    pub norm: Option<f64>,
}

/// What a step goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options<R> {
    /// How far a step goes.
    pub learning_rate: f64,
    /// The rule's own settings.
    pub rule: R,
    /// Pull towards 0.
    pub weight_decay: f64,
    /// Clipping by norm, then by value.
    pub clip: Clip,
    /// Whether weight decay reaches biases, gains of norms and embeddings too.
    pub decay_all: bool,
}

impl<R: UpdateRule> Default for Options<R> {
    fn default() -> Self {
        Self {
            learning_rate: R::LEARNING_RATE,
            rule: R::default(),
            weight_decay: R::WEIGHT_DECAY,
            clip: Clip::default(),
            decay_all: false,
        }
    }
}

impl<R: UpdateRule> Options<R> {
    /// All settings by name.
    pub fn settings(&mut self) -> Settings<'_> {
        let mut all = vec![("learning_rate", Setting::positive(&mut self.learning_rate))];
        all.extend(self.rule.settings());
        all.extend([
            ("weight_decay", Setting::positive(&mut self.weight_decay)),
            ("clip_value", Setting::Limit(&mut self.clip.value)),
            ("clip_norm", Setting::Limit(&mut self.clip.norm)),
            ("decay_all", Setting::Switch(&mut self.decay_all)),
        ]);
        all
    }

    /// Names and values of all settings.
    pub fn values(&self) -> Vec<(&'static str, Value)> {
        let mut copy = *self;
        let all = copy.settings();
        all.iter().map(|(name, s)| (*name, s.value())).collect()
    }

    /// The value of the setting of that name.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is none.
    pub fn get(&self, name: &str) -> Result<Value> {
        let all = self.values();
        let found = all.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|(known, _)| *known).collect();
            let message = format!("there is no setting {name:?}, only {}", known.join(", "));
            Error::argument(R::CLASS, message)
        })
    }

    /// Changes the setting of that name.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is none, or if the value is not in its domain; nothing is changed.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let mut changed = *self;
        changed.put(name, value)?;
        changed.check()?;
        *self = changed;
        Ok(())
    }

    /// [`set`](Self::set), without a look at the domain: settings that go only with others are put one
    /// after another, then [checked](Self::check).
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such setting.
    pub fn put(&mut self, name: &str, value: Value) -> Result<()> {
        self.get(name)?;
        let found = self
            .settings()
            .into_iter()
            .find(|(known, _)| *known == name);
        found.map_or(Ok(()), |(_, setting)| setting.set(R::CLASS, name, value))
    }

    /// Fails unless every setting is in its domain.
    ///
    /// # Errors
    /// [`Error::Argument`] names the setting.
    pub fn check(&self) -> Result<()> {
        let mut copy = *self;
        for (name, setting) in copy.settings() {
            setting.check(R::CLASS, name)?;
        }
        self.rule.check()
    }

    /// Whether the square of every gradient must be finite.
    pub(super) fn squares_raw(&self) -> bool {
        let clips = self.clip.value.or(self.clip.norm).is_some();
        R::SQUARES == Squares::Raw || (R::SQUARES == Squares::Clipped && !clips)
    }
}
