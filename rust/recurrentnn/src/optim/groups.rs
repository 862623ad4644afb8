//! An optimizer: options, and other options for parameters whose names match a pattern.

use super::UpdateRule;
use super::options::Options;
use super::settings::Value;
use crate::error::{Error, Result};

/// What clipping goes by concerns all parameters together.
const SHARED: [&str; 2] = ["clip_value", "clip_norm"];

/// Other settings for some parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Of the names: `*` stands for any characters.
    pub pattern: String,
    /// The settings that differ, by name. A `weight_decay` holds for all of the group, biases too.
    pub settings: Vec<(String, Value)>,
}

/// A rule with its settings, for all parameters and for groups of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer<R> {
    options: Options<R>,
    groups: Vec<Group>,
    rate_factor: f64,
}

impl<R: UpdateRule> Default for Optimizer<R> {
    fn default() -> Self {
        Self::from(Options::default())
    }
}

impl<R: UpdateRule> From<Options<R>> for Optimizer<R> {
    fn from(options: Options<R>) -> Self {
        Self {
            options,
            groups: Vec::new(),
            rate_factor: 1.0,
        }
    }
}

impl<R: UpdateRule> Optimizer<R> {
    /// The settings of parameters in no group.
    pub fn options(&self) -> &Options<R> {
        &self.options
    }

    /// The groups, in the order in which a name looks for its own.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What multiplies every learning rate, as a schedule has it.
    pub fn rate_factor(&self) -> f64 {
        self.rate_factor
    }

    /// Changes a setting; groups with a value of their own keep it.
    ///
    /// # Errors
    /// [`Error::Argument`], and nothing is changed.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        self.change(|changed| changed.options.put(name, value))
    }

    /// Sets what multiplies every learning rate.
    ///
    /// # Errors
    /// [`Error::Argument`] unless it is in [0, 1e30).
    pub fn set_rate_factor(&mut self, factor: f64) -> Result<()> {
        self.change(|changed| {
            changed.rate_factor = factor;
            Ok(())
        })
    }

    /// Adds a group: a parameter belongs to the first whose pattern its name matches.
    ///
    /// # Errors
    /// [`Error::Argument`] for a setting that no group has or a value out of its domain.
    pub fn add_group(&mut self, group: Group) -> Result<()> {
        if let Some((name, _)) = group
            .settings
            .iter()
            .find(|(name, _)| SHARED.contains(&name.as_str()))
        {
            let message = format!(
                "groups: {name} concerns all parameters together, but {:?} has it",
                group.pattern
            );
            return Err(Error::argument(R::CLASS, message));
        }
        self.change(|changed| {
            changed.groups.push(group);
            Ok(())
        })
    }

    fn change(&mut self, change: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let mut changed = self.clone();
        change(&mut changed)?;
        changed.check()?;
        *self = changed;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let mut factor = self.rate_factor;
        super::Setting::positive(&mut factor).check(R::CLASS, "rate_factor")?;
        self.resolved().map(|_| ())
    }

    /// The options of parameters in no group, then those of each group.
    ///
    /// # Errors
    /// [`Error::Argument`] names a setting that is not in its domain.
    pub fn resolved(&self) -> Result<Vec<Options<R>>> {
        self.options.check()?;
        let mut all = vec![self.options];
        for group in &self.groups {
            let mut options = self.options;
            for (name, value) in &group.settings {
                options.put(name, *value)?;
                options.decay_all |= name == "weight_decay";
            }
            options.check()?;
            all.push(options);
        }
        Ok(all)
    }

    /// Which of [`resolved`](Self::resolved) a parameter goes by.
    pub fn place(&self, name: Option<&str>) -> usize {
        let matches = |name: &str| self.groups.iter().position(|g| fits(&g.pattern, name));
        name.and_then(matches).map_or(0, |group| group + 1)
    }
}

/// Whether a name is what a pattern says.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(start) else {
        return false;
    };
    let (mut name, mut rest) = (name, rest);
    // The leftmost place of each piece leaves most to those after it.
    while let Some((piece, after)) = rest.split_once('*') {
        let Some(at) = name.find(piece) else {
            return false;
        };
        (name, rest) = (&name[at + piece.len()..], after);
    }
    name.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("a.bias", "a.bias", true),
            ("a.bias", "a.bias_h", false),
            ("*", "", true),
            ("*.bias", "layers.0.input.bias", true),
            ("*.bias", "bias", false),
            ("*.bias*", "layers.0.input.bias_h", true),
            ("layers.*.weight_h", "layers.0.input.weight_h", true),
            ("layers.*.weight_h", "layers.0.input.weight_x", false),
            ("layers.*", "decoder.weight", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*c*", "abxxcx", true),
            ("*b*c*", "acxxbx", false),
            ("*ab*ab", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
