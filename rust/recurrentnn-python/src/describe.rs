//! What a model says of itself.

use std::fmt::Write as _;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use recurrentnn::model::Model;

use crate::config;
use crate::dtype::Number;

/// A table of the parameters: name, shape, number of elements.
pub(crate) fn table<T: Number>(model: &Model<T>, dtype: &str) -> String {
    let config = model.config();
    let rows = || model.params().iter().map(|(name, m)| (name, m.shape()));
    let width = rows().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!(
        "{} {:?}, {dtype}\n",
        config.cell.name(),
        config.hidden_sizes
    );
    for (name, shape) in rows() {
        let (count, shape) = (shape.len(), shape.to_string());
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:width$}  {shape:>12}  {count:>10}");
    }
    let total: usize = rows().map(|(_, shape)| shape.len()).sum();
    text + &format!("  {:width$}  {:>12}  {total:>10}", "total", "")
}

/// The call of the class of that name which makes a model with this configuration, its usual settings
/// left out.
pub(crate) fn call(name: &str, config: &Bound<'_, PyDict>) -> PyResult<String> {
    let usual = config::usual(config.py())?;
    let mut arguments = Vec::new();
    for (key, value) in config {
        let (key, text) = (key.str()?.to_string(), value.repr()?.to_string());
        match (key.as_str(), usual.get_item(&key)?) {
            ("cell", _) if name != "Model" => {}
            ("cell", _) if value.is_instance_of::<PyType>() => {
                arguments.push(value.getattr("__name__")?.extract()?);
            }
            (_, None) => arguments.push(text),
            (_, Some(usual)) if value.eq(&usual)? => {}
            _ => arguments.push(format!("{key}={text}")),
        }
    }
    Ok(format!("{name}({})", arguments.join(", ")))
}
