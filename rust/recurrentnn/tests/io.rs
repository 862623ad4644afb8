//! Model files: what was saved comes back bit for bit, what was damaged is refused or read as it
//! stands, and a save that fails leaves what was there.
#![allow(clippy::unwrap_used)] // a helper of tests, too, should stop where it stands

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use recurrentnn::cells::{CellKind, Custom, Options};
use recurrentnn::config::{Config, InitKind};
use recurrentnn::element::Element;
use recurrentnn::error::Error;
use recurrentnn::io::{
    Contents, Kind, Loaded, Metadata, Tensor, from_bytes, load, load_with, save, to_bytes,
};
use recurrentnn::model::Model;
use recurrentnn::ops::Recorder;
use recurrentnn::params::Role;
use recurrentnn::random::{Purpose, Stream};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

/// An empty folder of one test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("io").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn config(cell: CellKind) -> Config {
    Config {
        cell,
        input_size: 3,
        hidden_sizes: vec![2, 1],
        output_size: Some(3),
        embedding_size: Some(2),
        options: Options::default(),
        input_to_all: false,
        all_to_output: false,
        init: InitKind::Glorot,
        std: 0.08,
        forget_bias: 1.0,
        seed: 5,
        ..Config::default()
    }
}

fn metadata() -> Metadata {
    Metadata::from([("kind".to_owned(), "naïve \"model\"\n".to_owned())])
}

/// Every parameter's name, shape and exact numbers, one for each element.
fn contents<T: Element>(model: &Model<T>) -> Vec<(String, u64)> {
    let all = model.params().iter().flat_map(|(name, m)| {
        let label = format!("{name} {}", m.shape());
        let bits = m
            .to_vec()
            .unwrap()
            .into_iter()
            .map(|x| x.to_f64().to_bits());
        bits.map(move |bits| (label.clone(), bits))
            .collect::<Vec<_>>()
    });
    all.collect()
}

fn loaded_contents(loaded: &Loaded) -> Vec<(String, u64)> {
    match loaded {
        Loaded::Float32(model) => contents(model),
        Loaded::Float64(model) => contents(model),
    }
}

/// A file's bytes, and the elements of its model.
fn small_file(path: &Path) -> (Vec<u8>, Vec<(String, u64)>) {
    let model = Model::<f32>::new(config(CellKind::Gru)).unwrap();
    save(path, &model, &metadata()).unwrap();
    (fs::read(path).unwrap(), contents(&model))
}

fn round_trip<T: Element>(folder: &Path) {
    for cell in CellKind::ALL {
        let path = folder.join(cell.name());
        let model = Model::<T>::new(config(cell.clone())).unwrap();
        // Numbers that text, or the other element type, would lose.
        let (_, first) = model.params().iter().next().unwrap();
        first.value_mut().unwrap()[0] = T::from_f64(-0.0);
        first.value_mut().unwrap()[1] = T::from_f64(1e-300);
        first.value_mut().unwrap()[2] = T::from_f64(1.0 / 3.0);
        save(&path, &model, &metadata()).unwrap();
        let (loaded, words) = load(&path).unwrap();
        assert_eq!(words, metadata());
        assert_eq!(loaded_contents(&loaded), contents(&model));
        let (found, dtype) = match &loaded {
            Loaded::Float32(model) => (model.config(), "float32"),
            Loaded::Float64(model) => (model.config(), "float64"),
        };
        assert_eq!((found, dtype), (model.config(), T::DTYPE.name()));
    }
}

#[test]
fn what_was_saved_comes_back_bit_for_bit() {
    let folder = folder("round_trip");
    round_trip::<f32>(&folder);
    round_trip::<f64>(&folder);
}

/// A cell whose new hidden vector is `factor` times the old.
fn fading(name: &str, states: &[&str], factor: f64) -> Custom {
    let count = states.len();
    let cell = Custom::new(name, states, move |cell, layer| {
        cell.param("weight", layer.size, 1, Role::Bias);
        let h = cell.state("hidden")?;
        Ok(vec![cell.scale(&h, factor)?; count])
    });
    cell.unwrap()
}

/// The file holds name and states, never the step: that is what the reader brings.
#[test]
fn a_cell_of_one_s_own_needs_its_definition_again() {
    let path = folder("own_cell").join("model");
    let cell = fading("Fading", &["hidden"], 0.5);
    let model = Model::<f64>::new(config(CellKind::Custom(cell.clone()))).unwrap();
    save(&path, &model, &metadata()).unwrap();

    let with = |cells: &[Custom]| load_with(&path, |config| config.define(cells));
    let others = [fading("Other", &["hidden"], 0.5), cell];
    let (loaded, words) = with(&others).unwrap();
    assert_eq!(words, metadata());
    assert_eq!(loaded_contents(&loaded), contents(&model));

    let refusal = |cells: &[Custom]| with(cells).err().unwrap().to_string();
    let unknown = "Model: cell \"Fading\" is no cell of this library: load it with its definition";
    assert!(load(&path).err().unwrap().to_string().starts_with(unknown));
    assert!(refusal(&others[..1]).starts_with(unknown));
    let states = refusal(&[fading("Fading", &["hidden", "cell"], 0.5)]);
    assert!(
        states.contains("carries [\"hidden\"] in the file"),
        "{states}"
    );
    let told = |options: &str| others[1].clone().with_options(options.to_owned());
    let options = refusal(&[told("factor=2"), told("factor=3")]);
    assert!(
        options.contains("options () in the file but (factor=2)"),
        "{options}"
    );
    assert!(with(&[told("factor=2"), told("")]).is_ok());
    let grown = Custom::new("Fading", &["hidden"], |cell, layer| {
        cell.param("weight", layer.size + 1, 1, Role::Bias);
        Ok(vec![cell.state("hidden")?])
    });
    let shape = refusal(&[grown.unwrap()]);
    assert!(
        shape.contains("layers.0.weight must be [3, 1] but is [2, 1]"),
        "{shape}"
    );
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused() {
    let path = folder("cut").join("model");
    let (bytes, _) = small_file(&path);
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = load(&path).err().map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("{length} of {} bytes loaded", bytes.len()));
        assert!(error.starts_with("safetensors: "), "{error}");
    }
}

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing() {
    let path = folder("flipped").join("model");
    let (bytes, elements) = small_file(&path);
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &damaged).unwrap();
        match load(&path) {
            Err(error) => assert!(error.to_string().starts_with("safetensors: "), "{error}"),
            Ok((loaded, words)) => {
                assert_eq!(loaded_contents(&loaded), elements, "bit {bit}");
                assert_eq!(words, metadata(), "bit {bit}");
            }
        }
    }
}

#[test]
fn numbers_that_another_sum_belongs_to_are_refused() {
    let path = folder("sum").join("model");
    let (mut bytes, _) = small_file(&path);
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = load(&path).err().unwrap().to_string();
    assert!(error.contains("checksum"), "{error}");
}

#[test]
fn tensors_beside_the_parameters_come_back_and_must_fit_their_shape() {
    let model = Model::<f64>::new(config(CellKind::Lstm)).unwrap();
    let tensor = |kind: Kind, shape: &[usize], bytes: usize| Tensor {
        kind,
        shape: shape.to_vec(),
        bytes: (0..bytes).map(|k| u8::try_from(k % 251).unwrap()).collect(),
    };
    let mut beside = Contents {
        metadata: metadata(),
        ..Contents::default()
    };
    for (number, kind) in Kind::ALL.iter().enumerate() {
        let tensor = tensor(*kind, &[3, number], 3 * number * kind.size());
        beside.tensors.insert(format!("a/{}", kind.name()), tensor);
    }
    let bytes = to_bytes(&model, &beside).unwrap();
    let (loaded, found) = from_bytes(&bytes, |config| config.define(&[])).unwrap();
    assert_eq!(found, beside);
    assert_eq!(loaded_contents(&loaded), contents(&model));
    for (name, tensor, words) in [
        ("plain", tensor(Kind::U8, &[1], 1), "must have a '/'"),
        ("a/b", tensor(Kind::F64, &[2], 8), "but has 8 bytes"),
        (
            "a/b",
            tensor(Kind::F64, &[usize::MAX, 2], 8),
            "but has 8 bytes",
        ),
    ] {
        let mut wrong = beside.clone();
        wrong.tensors.insert(name.to_owned(), tensor);
        let error = to_bytes(&model, &wrong).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    beside
        .metadata
        .insert("long".to_owned(), "x".repeat(1 << 20));
    let error = to_bytes(&model, &beside).err().unwrap().to_string();
    assert!(error.contains("header"), "{error}");
}

/// Files of version 1 have no checksum: damaged numbers are numbers. Nothing else may have changed.
#[test]
fn damaged_bytes_of_version_1_are_refused_or_read_as_they_stand() {
    let path = folder("damaged").join("model");
    let (bytes, elements) = small_file(&path);
    let bytes = File::read(&bytes).bytes();
    let (length, _) = bytes.split_first_chunk::<8>().unwrap();
    let data = 8 + usize::try_from(u64::from_le_bytes(*length)).unwrap();
    let stream = Stream::new(7, Purpose::Shuffle, 0);
    let mut draws = 0_u64..;
    let mut below = |n: usize| stream.below(draws.next().unwrap(), n);
    let (mut refused, mut read) = (0, 0);
    for round in 0..3000 {
        let mut damaged = bytes.clone();
        let mut numbers_hit = 0;
        // The header has most of the bytes and refuses almost everything.
        let header = round % 2 == 0;
        for _ in 0..=below(3) {
            let at = if header {
                below(data)
            } else {
                data + below(bytes.len() - data)
            };
            damaged[at] ^= 1 << below(8);
            numbers_hit += usize::from(at >= data);
        }
        fs::write(&path, &damaged).unwrap();
        match load(&path) {
            Err(error) => {
                assert!(error.to_string().starts_with("safetensors: "), "{error}");
                refused += 1;
            }
            Ok((loaded, _)) => {
                let found = loaded_contents(&loaded);
                assert_eq!(found.len(), elements.len());
                let changed = found.iter().zip(&elements).filter(|(a, b)| a != b).count();
                assert!(
                    changed <= numbers_hit,
                    "{changed} changed, {numbers_hit} hit"
                );
                read += 1;
            }
        }
    }
    assert!(
        refused > 1000 && read > 1000,
        "{refused} refused, {read} read"
    );
}

/// What is done to a file.
type Damage = fn(&mut File);

/// A file taken apart.
struct File {
    metadata: HashMap<String, String>,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl File {
    fn read(bytes: &[u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let all = SafeTensors::deserialize(bytes).unwrap();
        let own = |(name, view): (&str, TensorView<'_>)| {
            (
                name.to_owned(),
                view.dtype(),
                view.shape().to_vec(),
                view.data().to_vec(),
            )
        };
        let tensors = all.iter().map(own).collect();
        let mut metadata = header.metadata().clone().unwrap();
        // As version 1: without a checksum, so that what is wrong is the rest.
        metadata.remove("sha256").unwrap();
        metadata.insert("version".to_owned(), "1".to_owned());
        Self { metadata, tensors }
    }

    fn bytes(&self) -> Vec<u8> {
        let view = |(name, dtype, shape, data): &'_ (String, Dtype, Vec<usize>, Vec<u8>)| {
            (name.clone(), *dtype, shape.clone(), data.clone())
        };
        let owned: Vec<_> = self.tensors.iter().map(view).collect();
        let views = owned.iter().map(|(name, dtype, shape, data)| {
            (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
        });
        serialize(views, Some(self.metadata.clone())).unwrap()
    }

    fn config(&mut self, from: &str, to: &str) {
        let config = self.metadata.get_mut("config").unwrap();
        assert!(config.contains(from), "{config}");
        *config = config.replace(from, to);
    }

    /// The tensor of the embedding, 3x2.
    fn embedding(&mut self) -> &mut (String, Dtype, Vec<usize>, Vec<u8>) {
        let mut all = self.tensors.iter_mut();
        all.find(|tensor| tensor.0 == "embedding.weight").unwrap()
    }
}

#[test]
fn what_is_no_model_is_refused_with_the_reason() {
    let path = folder("foreign").join("model");
    let (bytes, _) = small_file(&path);
    let table: [(Damage, &str); 15] = [
        (|f| f.metadata.clear(), "not a recurrentnn model"),
        (
            |f| drop(f.metadata.insert("format".into(), "pt".into())),
            "format must be",
        ),
        (
            |f| drop(f.metadata.insert("version".into(), "9".into())),
            "version \"9\" is not known",
        ),
        (
            |f| drop(f.metadata.insert("version".into(), "2".into())),
            "the checksum is missing",
        ),
        (
            |f| drop(f.metadata.insert("config".into(), "{}".into())),
            "config: missing field",
        ),
        (|f| f.config("\"gru\"", "\"gnu\""), "unknown variant `gnu`"),
        (|f| f.config("[2,1]", "[]"), "from 1 to 64 layers"),
        (
            |f| f.config("[2,1]", "[16777216,16777216]"),
            "must be [16777216, 2] but is [2, 2]",
        ),
        (
            |f| f.config("[2,1]", "[18446744073709551615,1]"),
            "hidden_sizes must be from 1",
        ),
        (
            |f| f.config("\"seed\"", "\"more\":1,\"seed\""),
            "unknown field `more`",
        ),
        (|f| f.tensors.clear(), "no tensors"),
        (|f| drop(f.tensors.pop()), "parameters but the file"),
        (|f| f.embedding().0.push('x'), "embedding.weight is missing"),
        (
            |f| f.embedding().2.reverse(),
            "must be [3, 2] but is [2, 3]",
        ),
        (
            |f| f.embedding().3[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
            "holds NaN",
        ),
    ];
    for (damage, reason) in table {
        let mut file = File::read(&bytes);
        damage(&mut file);
        fs::write(&path, file.bytes()).unwrap();
        let message = load(&path)
            .err()
            .map_or(String::new(), |error| error.to_string());
        assert!(
            message.starts_with("safetensors: ") && message.contains(reason),
            "{message:?} does not say {reason:?}"
        );
    }
    for (dtype, reason) in [
        (Dtype::F64, "several element types"),
        (Dtype::F16, "several"),
    ] {
        let mut file = File::read(&bytes);
        let (_, own, shape, data) = file.embedding();
        *own = dtype;
        let size = if dtype == Dtype::F64 { 8 } else { 2 };
        *data = vec![0; shape.iter().product::<usize>() * size];
        fs::write(&path, file.bytes()).unwrap();
        assert!(load(&path).err().unwrap().to_string().contains(reason));
    }
    let claims = [
        (u64::MAX, 10, "no header where it should be"),
        (5 << 20, 6 << 20, "a header of at most"),
    ];
    for (header, size, reason) in claims {
        fs::write(&path, header.to_le_bytes()).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len(size).unwrap();
        let message = load(&path).err().unwrap().to_string();
        assert!(message.contains(reason), "{message}");
    }
    let missing = load(&path.with_file_name("nothing")).err().unwrap();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

#[test]
fn a_save_takes_the_place_of_the_old_file_and_does_not_write_into_it() {
    let folder = folder("replace");
    let (path, kept) = (folder.join("model"), folder.join("kept"));
    fs::write(&path, "something old").unwrap();
    fs::hard_link(&path, &kept).unwrap();
    let (bytes, _) = small_file(&path);
    assert!(bytes.len() > 1000);
    assert_eq!(fs::read(&kept).unwrap(), b"something old");
    let again = folder.join("again");
    assert_eq!(small_file(&again).0, bytes, "the same model, other bytes");
    fs::remove_file(&again).unwrap();
    let mut left = names_in(&folder);
    left.sort();
    assert_eq!(left, ["kept", "model"], "a temporary file was left");
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let folder = folder("failing");
    let path = folder.join("model");
    let (bytes, _) = small_file(&path);
    let model = Model::<f64>::new(config(CellKind::Lstm)).unwrap();

    let reserved = Metadata::from([("config".to_owned(), String::new())]);
    let error = save(&path, &model, &reserved).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error}");
    {
        let (_, last) = model.params().iter().last().unwrap();
        let _held = last.value_mut().unwrap();
        let error = save(&path, &model, &metadata()).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);

    // Written in full, then refused by the renaming: a folder stands there.
    let occupied = folder.join("occupied");
    fs::create_dir_all(occupied.join("inside")).unwrap();
    let nowhere = folder.join("no such folder").join("model");
    for path in [&occupied, &nowhere, Path::new("/"), Path::new("")] {
        let error = save(path, &model, &metadata()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
    let mut left = names_in(&folder);
    left.sort();
    assert_eq!(left, ["model", "occupied"]);
    assert_eq!(names_in(&occupied), ["inside"]);
}
