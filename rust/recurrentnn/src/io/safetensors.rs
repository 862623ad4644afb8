//! The safetensors format: an 8-byte length, a JSON header with names, shapes and offsets, then the
//! numbers. Ours has the configuration as JSON under `config`; the tensors are the parameters, each
//! a C-ordered (rows, cols) array, and, with a `/` in their names, whatever else is kept with them.
//!
//! Version 1 has no checksum and nothing beside the parameters; it is read for ever.
//!
//! The crate's own limits allow headers that take gigabytes to parse, so ours come first: a model's
//! header has a few kilobytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use super::checksum;
use super::tensor::{Kind, Tensor, Tensors};
use super::{Contents, Metadata};
use crate::config::Config;
use crate::element::{DType, Element};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::params::Spec;

/// The name in messages.
const FORMAT: &str = "safetensors";
/// Largest header that is parsed.
const MAX_HEADER: u64 = 1 << 20;
/// The version that is written.
const VERSION: &str = "2";
/// The versions that are read; all but the first have a checksum.
const KNOWN: [&str; 2] = ["1", VERSION];
/// The metadata that belong to this file, not to whoever saves.
const RESERVED: [&str; 4] = ["format", "version", "config", checksum::KEY];

/// A file's bytes with its header understood.
pub(super) struct Parsed<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

pub(super) fn write<T: Element>(model: &Model<T>, beside: &Contents) -> Result<Vec<u8>> {
    let metadata = &beside.metadata;
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
    let mut all: Metadata = metadata.clone().into_iter().chain(own).collect();
    // The crate would write the metadata in random order; here the same model is the same bytes.
    let mut header = Map::new();
    let mut data = Vec::new();
    for (name, matrix) in model.params().iter() {
        if let Some(bad) = matrix.value()?.iter().find(|x| !x.is_finite()) {
            return Err(Error::non_finite("save", format!("{name} holds {bad}")));
        }
        let start = data.len();
        matrix.with_array(|array| data.extend(array.iter().flat_map(|x| x.to_le_bytes())))?;
        let kind = if T::DTYPE == DType::Float32 {
            Kind::F32
        } else {
            Kind::F64
        };
        let shape = [matrix.rows(), matrix.cols()];
        header.insert(name.to_owned(), entry(kind, &shape, start, data.len()));
    }
    for (name, tensor) in &beside.tensors {
        if !is_beside(name) {
            let message = format!("a tensor's name must have a '/' but is {name:?}");
            return Err(Error::argument("save", message));
        }
        tensor.check(name)?;
        let start = data.len();
        data.extend(&tensor.bytes);
        let entry = entry(tensor.kind, &tensor.shape, start, data.len());
        header.insert(name.clone(), entry);
    }
    header.insert("__metadata__".to_owned(), json!(all));
    let sum = checksum::of(&header, &data).map_err(|e| refused(&e.to_string()))?;
    all.insert(checksum::KEY.to_owned(), sum);
    header.insert("__metadata__".to_owned(), json!(all));
    let mut header = serde_json::to_vec(&header).map_err(|e| refused(&e.to_string()))?;
    // Spaces, so that the numbers begin where a number may.
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = header.len() as u64;
    if length > MAX_HEADER {
        // What is written must be readable.
        let message = format!("metadata make a header of {length} bytes, more than {MAX_HEADER}");
        return Err(Error::argument("save", message));
    }
    Ok([&length.to_le_bytes()[..], &header, &data].concat())
}

/// A tensor's entry in the header.
fn entry(kind: Kind, shape: &[usize], start: usize, end: usize) -> Value {
    json!({ "dtype": kind.name(), "shape": shape, "data_offsets": [start, end] })
}

/// Whether a tensor is none of the parameters.
fn is_beside(name: &str) -> bool {
    name.contains('/')
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
    let header = header(&start[8..])?;
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

/// The header, any JSON object.
fn header(json: &[u8]) -> Result<Map<String, Value>> {
    serde_json::from_slice(json).map_err(|e| refused(&format!("header: {e}")))
}

/// Understands a whole file, and holds it against its checksum.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed<'_>> {
    let size = bytes.len() as u64;
    // It is at most MAX_HEADER.
    let data = 8 + usize::try_from(header_length(bytes, size)?).unwrap_or(usize::MAX - 8);
    expect_size(&bytes[..data], size)?;
    let (_, known) = SafeTensors::read_metadata(bytes).map_err(|e| refused(&e.to_string()))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| refused(&e.to_string()))?;
    let metadata = known.metadata().clone().unwrap_or_default();
    let parsed = Parsed { tensors, metadata };
    let version = parsed.version()?;
    let mut header = header(&bytes[8..data])?;
    let said = checksum::take(&mut header);
    if said.is_none() && version == KNOWN[0] {
        return Ok(parsed);
    }
    let sum = checksum::of(&header, &bytes[data..]).map_err(|e| refused(&e.to_string()))?;
    match said {
        Some(said) if said == sum => Ok(parsed),
        Some(_) => Err(refused("damaged: the checksum is not that of the contents")),
        None => Err(refused("the checksum is missing")),
    }
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

    fn entry(&self, key: &str) -> Result<&str> {
        let missing = || refused(&format!("no metadata {key:?}: not a recurrentnn model"));
        let found = self.metadata.get(key).map(String::as_str);
        found.ok_or_else(missing)
    }

    /// The version, one of those known.
    fn version(&self) -> Result<&str> {
        let (format, version) = (self.entry("format")?, self.entry("version")?);
        if format != "recurrentnn" {
            return Err(refused(&format!(
                "format must be \"recurrentnn\" but is {format:?}"
            )));
        }
        if KNOWN.contains(&version) {
            return Ok(version);
        }
        let known = KNOWN.join(" and ");
        Err(refused(&format!(
            "version {version:?} is not known; this reads {known}"
        )))
    }

    /// The configuration, checked.
    pub(super) fn config(&self) -> Result<Config> {
        let config: Config = serde_json::from_str(self.entry("config")?)
            .map_err(|e| refused(&format!("config: {e}")))?;
        config
            .check()
            .map_err(|e| refused(&format!("config: {e}")))?;
        Ok(config)
    }

    /// What stands beside the parameters.
    pub(super) fn tensors(&self) -> Result<Tensors> {
        let beside = self.tensors.iter().filter(|(name, _)| is_beside(name));
        let owned = beside.map(|(name, view)| {
            let kind = Kind::of(view.dtype());
            let unknown = || refused(&format!("{name} has elements of {:?}", view.dtype()));
            let tensor = Tensor {
                kind: kind.ok_or_else(unknown)?,
                shape: view.shape().to_vec(),
                bytes: view.data().to_vec(),
            };
            Ok((name.to_owned(), tensor))
        });
        owned.collect()
    }

    /// The element type of all parameters.
    pub(super) fn dtype(&self) -> Result<DType> {
        let parameters = self.tensors.iter().filter(|(name, _)| !is_beside(name));
        let mut types = parameters.map(|(_, view)| view.dtype());
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
        let parameters = self.tensors.iter().filter(|(name, _)| !is_beside(name));
        let (needs, has) = (specs.len(), parameters.count());
        if has != needs {
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
