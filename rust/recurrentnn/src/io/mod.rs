//! Files: bytes from strangers, hostile until parsed. No cell and no parameter is known by name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::element::{DType, Element};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::plan::Plan;

mod checksum;
mod safetensors;
mod tensor;

pub use tensor::{Kind, Tensor, Tensors};

/// Text beside the tensors: what the file is for, in the words of who saved it.
pub type Metadata = BTreeMap<String, String>;

/// What stands beside a model in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Text.
    pub metadata: Metadata,
    /// Numbers.
    pub tensors: Tensors,
}

/// What [`load`] found: a model of the file's own element type.
pub enum Loaded {
    /// Of `f32`.
    Float32(Model<f32>),
    /// Of `f64`.
    Float64(Model<f64>),
}

/// Writes a model and `metadata` to a safetensors file: either all of it stands there afterwards, or
/// what stood there before.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written; [`Error::Argument`] for a reserved key.
pub fn save<T: Element>(path: &Path, model: &Model<T>, metadata: &Metadata) -> Result<()> {
    let metadata = metadata.clone();
    let tensors = Tensors::new();
    let bytes = to_bytes(model, &Contents { metadata, tensors })?;
    write(path, &bytes)
}

/// A file's bytes: a model and what stands beside it.
///
/// # Errors
/// [`Error::Argument`] for a reserved key or a tensor that does not fit its shape;
/// [`Error::NonFinite`] for parameters that are infinite or NaN.
pub fn to_bytes<T: Element>(model: &Model<T>, beside: &Contents) -> Result<Vec<u8>> {
    safetensors::write(model, beside)
}

/// Writes a whole file: either these bytes stand there afterwards, on the disk, or what stood there
/// before.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|source| Error::io(path, source))
}

/// Reads what [`save`] wrote. Names, shapes and sizes are checked before the numbers are read;
/// nothing in the file is run.
///
/// # Errors
/// [`Error::Io`], or [`Error::Format`] with what is wrong.
pub fn load(path: &Path) -> Result<(Loaded, Metadata)> {
    load_with(path, |config| config.define(&[]))
}

/// As [`load`]; `define` completes what a file cannot hold of its configuration.
///
/// # Errors
/// Those of [`load`] and of `define`.
pub fn load_with(
    path: &Path,
    define: impl FnOnce(&mut Config) -> Result<()>,
) -> Result<(Loaded, Metadata)> {
    let (loaded, beside) = from_bytes(&read(path)?, define)?;
    Ok((loaded, beside.metadata))
}

/// The bytes of a model's file, whose header and size are checked before memory is taken for it.
///
/// # Errors
/// [`Error::Io`], or [`Error::Format`] for what can be no such file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let io = |source| Error::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let about = file.metadata().map_err(io)?;
    let mut bytes = Vec::new();
    if about.is_dir() {
        // The system says it best.
        file.read_to_end(&mut bytes).map_err(io)?;
    }
    if !about.is_file() {
        return Err(Error::format("safetensors", "not a regular file"));
    }
    (&file).take(8).read_to_end(&mut bytes).map_err(io)?;
    let header = safetensors::header_length(&bytes, about.len())?;
    (&file).take(header).read_to_end(&mut bytes).map_err(io)?;
    safetensors::expect_size(&bytes, about.len())?;
    file.read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// A model and what stands beside it, of a file's bytes.
///
/// # Errors
/// [`Error::Format`] with what is wrong, and those of `define`.
pub fn from_bytes(
    bytes: &[u8],
    define: impl FnOnce(&mut Config) -> Result<()>,
) -> Result<(Loaded, Contents)> {
    let file = safetensors::parse(bytes)?;
    let mut config = file.config()?;
    let dtype = file.dtype()?;
    define(&mut config)?;
    let plan = Plan::new(config)?;
    let model = match dtype {
        DType::Float32 => Loaded::Float32(restore(&file, plan)?),
        DType::Float64 => Loaded::Float64(restore(&file, plan)?),
    };
    let (metadata, tensors) = (file.metadata(), file.tensors()?);
    Ok((model, Contents { metadata, tensors }))
}

fn restore<T: Element>(file: &safetensors::Parsed<'_>, plan: Plan) -> Result<Model<T>> {
    let values = file.values(plan.specs())?;
    let model = Model::blank(plan)?;
    model.params().assign(&values)?;
    Ok(model)
}

/// Writes to a new file beside `path`, flushes it to the disk, and renames it: a crash at any moment
/// leaves the old file or the new one. A link is followed, and the old file's permissions are kept.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        let message = "not a regular file, which alone can be replaced";
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            message,
        ));
    }
    let (temporary, mut file) = create_beside(path)?;
    let written = old
        .map_or(Ok(()), |old| file.set_permissions(old.permissions()))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    sync_folder(path)
}

/// A file that nobody else has, in the folder of `path`.
fn create_beside(path: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(std::io::ErrorKind::InvalidInput)?;
    let process = std::process::id();
    for attempt in 0..u32::MAX {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{process}-{attempt}.tmp"));
        let temporary = path.with_file_name(temporary);
        match File::create_new(&temporary) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (temporary, file)),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Makes the renaming durable, where a folder can be opened for it.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}
