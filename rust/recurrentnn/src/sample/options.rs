//! How the next symbol is chosen.

use crate::error::{Error, Result};

/// How the next symbol is chosen; what each option does, and when, stands in [`crate::sample`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The most probable instead of a draw.
    pub greedy: bool,
    /// Divides the logits; finite and above 0.
    pub temperature: f64,
    /// How many of the most probable may be drawn; at least 1.
    pub top_k: Option<usize>,
    /// The share of the probability that may be drawn; in (0, 1].
    pub top_p: Option<f64>,
    /// The least share of the largest probability; in [0, 1].
    pub min_p: Option<f64>,
    /// Above 1 symbols seen before are rarer; finite and above 0.
    pub repetition_penalty: f64,
    /// How many of the last symbols count as seen; None: all.
    pub repetition_window: Option<usize>,
    /// The symbols that may be chosen; None: all.
    pub allowed: Option<Vec<usize>>,
    /// Symbols that may not.
    pub banned: Vec<usize>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            greedy: false,
            temperature: 1.0,
            top_k: None,
            top_p: None,
            min_p: None,
            repetition_penalty: 1.0,
            repetition_window: None,
            allowed: None,
            banned: Vec::new(),
        }
    }
}

impl Sampling {
    /// The most probable, always.
    pub fn greedy() -> Self {
        Self {
            greedy: true,
            ..Self::default()
        }
    }

    /// Draws from softmax(logits / temperature).
    pub fn at(temperature: f64) -> Self {
        Self {
            temperature,
            ..Self::default()
        }
    }

    /// Fails unless every option is in its domain.
    ///
    /// # Errors
    /// [`Error::Argument`] names the option, its domain and its value.
    pub fn check(&self) -> Result<()> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let refuse = |name: &str, rule: &str, given: &dyn std::fmt::Display| {
            let message = format!("{name} must be {rule} but is {given}");
            Err(Error::argument("sample", message))
        };
        if !positive(self.temperature) {
            return refuse("temperature", "finite and above 0", &self.temperature);
        }
        if let Some(k) = self.top_k
            && k == 0
        {
            return refuse("top_k", "at least 1", &k);
        }
        if let Some(p) = self.top_p
            && !(p > 0.0 && p <= 1.0)
        {
            return refuse("top_p", "above 0 and at most 1", &p);
        }
        if let Some(p) = self.min_p
            && !(0.0..=1.0).contains(&p)
        {
            return refuse("min_p", "from 0 to 1", &p);
        }
        if !positive(self.repetition_penalty) {
            let penalty = self.repetition_penalty;
            return refuse("repetition_penalty", "finite and above 0", &penalty);
        }
        if self.repetition_window == Some(0) {
            return refuse("repetition_window", "at least 1", &0);
        }
        Ok(())
    }

    /// Whether the symbols before matter.
    #[allow(clippy::float_cmp)] // 1 divides nothing
    pub fn penalises(&self) -> bool {
        self.repetition_penalty != 1.0
    }

    /// Which of so many symbols may be chosen.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a symbol that is none, [`Error::Argument`] where none is left.
    pub fn open(&self, symbols: usize) -> Result<Vec<bool>> {
        let mut open = vec![self.allowed.is_none(); symbols];
        let allowed = self.allowed.as_deref().unwrap_or_default();
        super::check_symbols("allowed", allowed, symbols)?;
        super::check_symbols("banned", &self.banned, symbols)?;
        for &symbol in allowed {
            open[symbol] = true;
        }
        for &symbol in &self.banned {
            open[symbol] = false;
        }
        if open.contains(&true) {
            return Ok(open);
        }
        let message = format!("allowed and banned must leave a symbol but leave none of {symbols}");
        Err(Error::argument("sample", message))
    }
}
