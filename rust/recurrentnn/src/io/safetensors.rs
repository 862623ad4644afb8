//! The safetensors format: an 8-byte length, a JSON header with names, shapes and offsets, then the
//! numbers. Ours has the configuration as JSON under `config`; the tensors are the parameters, each
//! a C-ordered (rows, cols) array.
//!
//! The crate's own limits allow headers that take gigabytes to parse, so ours come first: a model's
//! header has a few kilobytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::json;

use super::Metadata;
use crate::config::Config;
use crate::element::{DType, Element};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::params::Spec;

/// The name in messages.
const FORMAT: &str = "safetensors";
/// Largest header that is parsed.
const MAX_HEADER: u64 = 1 << 20;
/// The version of what this file describes.
const VERSION: &str = "1";
/// The metadata that belong to this file, not to whoever saves.
const RESERVED: [&str; 3] = ["format", "version", "config"];

/// A file's bytes with its header understood.
pub(super) struct Parsed<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

pub(super) fn write<T: Element>(model: &Model<T>, metadata: &Metadata) -> Result<Vec<u8>> {
    if let Some(key) = metadata.keys().find(|key| RESERVED.contains(&key.as_str())) {
        return Err(Error::argument(
            "save",
            format!("metadata key {key:?} is reserved"),
        ));
    }
    let config = serde_json::to_string(model.config()).map_err(|e| refused(&e.to_string()))?;
    let own = [
        ("format", "recurrentnn"),
        ("version", VERSION),
        ("config", &config),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let all: Metadata = metadata.clone().into_iter().chain(own).collect();
    // The crate would write the metadata in random order; here the same model is the same bytes.
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".to_owned(), json!(all));
    let mut data = Vec::new();
    for (name, matrix) in model.params().iter() {
        if let Some(bad) = matrix.value()?.iter().find(|x| !x.is_finite()) {
            return Err(Error::non_finite("save", format!("{name} holds {bad}")));
        }
        let start = data.len();
        matrix.with_array(|array| data.extend(array.iter().flat_map(|x| x.to_le_bytes())))?;
        let entry = json!({
            "dtype": if T::DTYPE == DType::Float32 { "F32" } else { "F64" },
            "shape": [matrix.rows(), matrix.cols()],
            "data_offsets": [start, data.len()],
        });
        header.insert(name.to_owned(), entry);
    }
    let mut header = serde_json::to_vec(&header).map_err(|e| refused(&e.to_string()))?;
    // Spaces, so that the numbers begin where a number may.
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Ok([&length[..], &header, &data].concat())
}

/// Length of the header that the first 8 bytes claim, if a file of `size` bytes can have it.
pub(super) fn header_length(start: &[u8], size: u64) -> Result<u64> {
    let Some((length, _)) = start.split_first_chunk::<8>() else {
        let message = format!("expected an 8-byte length but the file has {size} bytes");
        return Err(refused(&message));
    };
    let length = u64::from_le_bytes(*length);
    if length > size - 8 {
        return Err(refused(
            "not a safetensors file: no header where it should be",
        ));
    }
    if length > MAX_HEADER {
        let message =
            format!("expected a header of at most {MAX_HEADER} bytes but it claims {length}");
        return Err(refused(&message));
    }
    Ok(length)
}

/// Fails unless a file of `size` bytes, whose length and header are given, ends where the last tensor
/// of the header does.
pub(super) fn expect_size(start: &[u8], size: u64) -> Result<()> {
    let header: HashMap<String, serde_json::Value> =
        serde_json::from_slice(&start[8..]).map_err(|e| refused(&format!("header: {e}")))?;
    let ends = header
        .values()
        .filter_map(|entry| entry["data_offsets"][1].as_u64());
    let described = (start.len() as u64).saturating_add(ends.max().unwrap_or(0));
    if described == size {
        return Ok(());
    }
    let message = format!("the offsets end at byte {described} but the file has {size}");
    Err(refused(&message))
}

pub(super) fn parse(bytes: &[u8]) -> Result<Parsed<'_>> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| refused(&e.to_string()))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| refused(&e.to_string()))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok(Parsed { tensors, metadata })
}

impl Parsed<'_> {
    /// The metadata of whoever saved.
    pub(super) fn metadata(&self) -> Metadata {
        let theirs = self
            .metadata
            .iter()
            .filter(|(key, _)| !RESERVED.contains(&key.as_str()));
        theirs
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The configuration, checked.
    pub(super) fn config(&self) -> Result<Config> {
        let entry = |key: &str| {
            let missing = || refused(&format!("no metadata {key:?}: not a recurrentnn model"));
            self.metadata
                .get(key)
                .map(String::as_str)
                .ok_or_else(missing)
        };
        let (format, version) = (entry("format")?, entry("version")?);
        if format != "recurrentnn" {
            return Err(refused(&format!(
                "format must be \"recurrentnn\" but is {format:?}"
            )));
        }
        if version != VERSION {
            return Err(refused(&format!(
                "version {version:?} is not known; this reads {VERSION}"
            )));
        }
        let config: Config =
            serde_json::from_str(entry("config")?).map_err(|e| refused(&format!("config: {e}")))?;
        config
            .check()
            .map_err(|e| refused(&format!("config: {e}")))?;
        Ok(config)
    }

    /// The element type of all tensors.
    pub(super) fn dtype(&self) -> Result<DType> {
        let mut types = self.tensors.iter().map(|(_, view)| view.dtype());
        let first = types.next().ok_or_else(|| refused("no tensors"))?;
        if types.any(|other| other != first) {
            return Err(refused("tensors of several element types"));
        }
        match first {
            Dtype::F32 => Ok(DType::Float32),
            Dtype::F64 => Ok(DType::Float64),
            other => Err(refused(&format!(
                "tensors must be F32 or F64 but are {other:?}"
            ))),
        }
    }

    /// The values of exactly these parameters, each column by column.
    pub(super) fn values<T: Element>(&self, specs: &[Spec]) -> Result<Vec<Vec<T>>> {
        if self.tensors.len() != specs.len() {
            let (needs, has) = (specs.len(), self.tensors.len());
            return Err(refused(&format!(
                "the model has {needs} parameters but the file {has}"
            )));
        }
        specs.iter().map(|spec| self.value(spec)).collect()
    }

    fn value<T: Element>(&self, spec: &Spec) -> Result<Vec<T>> {
        let name = &spec.name;
        let missing = |_| refused(&format!("parameter {name} is missing"));
        let view = self.tensors.tensor(name).map_err(missing)?;
        let (rows, cols) = (spec.shape.rows, spec.shape.cols);
        if view.shape() != [rows, cols] {
            let found = view.shape();
            return Err(refused(&format!(
                "{name} must be {:?} but is {found:?}",
                [rows, cols]
            )));
        }
        let by_rows: Vec<T> = numbers(view.data());
        if let Some(bad) = by_rows.iter().find(|x| !x.is_finite()) {
            return Err(refused(&format!("{name} holds {bad}")));
        }
        let element = |k: usize| by_rows[(k % rows) * cols + k / rows];
        Ok((0..by_rows.len()).map(element).collect())
    }
}

/// Numbers of little-endian bytes.
fn numbers<T: Element>(bytes: &[u8]) -> Vec<T> {
    bytes
        .chunks_exact(size_of::<T>())
        .map(T::from_le_bytes)
        .collect()
}

fn refused(message: &str) -> Error {
    Error::format(FORMAT, message)
}
