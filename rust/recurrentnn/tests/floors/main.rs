//! Holds the floors of ARCHITECTURE.md: which module may stand on which.
//!
//! Reads every file of `src/` and fails on a path that the table below does not allow.

use std::path::Path;
use std::{fs, io};

mod source;

use source::{Source, without_comments_and_strings};

/// Lowest first. A module may use every floor below its own, and what stands left of it on its own.
const FLOORS: &[&[&str]] = &[
    &["error", "element", "shape", "recording", "host"],
    &["kernels"],
    &["matrix", "random", "masks"],
    &["init", "params"],
    &["ops"],
    &["graph", "gradcheck"],
    &["program"],
    &["cells", "optim"],
    &[
        "regularise",
        "config",
        "plan",
        "zoneout",
        "layers",
        "model",
        "rows",
        "dropping",
        "unroll",
        "sequence",
        "stream",
        "activations",
    ],
    &["text", "sample", "io"],
];

/// What a module must not know although it stands below.
const MUST_NOT_KNOW: &[(&str, &[&str])] = &[
    // Kernels take slices and assert their lengths.
    ("kernels", &["error", "shape", "recording"]),
    // A step is recorded for matrices that are not there yet.
    ("program", &["gradcheck", "params", "init"]),
    // An op sees slices of operands, output and gradients.
    ("ops", &["matrix", "params", "init", "recording"]),
    // A rule sees names, values and gradients.
    ("optim", &["graph", "gradcheck", "ops", "cells"]),
    // How a model is trained is not its business, nor a sequence's.
    ("model", &["optim"]),
    ("unroll", &["optim"]),
    // Sampling yields symbols, not text.
    ("sample", &["text", "optim"]),
    // A file holds named parameters, whatever cells they belong to.
    ("io", &["cells", "text", "sample"]),
];

/// Modules that use a family through its table: they may not name a member of it.
const NAMES_NO_MEMBER: &[(&str, &str)] = &[
    ("graph", "ops"),
    ("gradcheck", "ops"),
    ("program", "ops"),
    ("plan", "cells"),
    ("layers", "cells"),
    ("model", "cells"),
    ("unroll", "cells"),
];

/// Families: a member uses none of its siblings but the shared ones listed here.
const FAMILIES: &[(&str, &[&str])] = &[
    // Sigmoid is the derivative of softplus, and of binary cross-entropy on logits.
    (
        "ops",
        &[
            "axis",
            "broadcast",
            "elementwise",
            "extremum",
            "form",
            "pointwise_loss",
            "sigmoid",
        ],
    ),
    // Parts of cells; the gated-feedback GRU ends in the equation of the plain one; a cell of the
    // user's own is none of the table.
    (
        "cells",
        &[
            "activation",
            "custom",
            "feedback",
            "gate",
            "gru",
            "memory",
            "sketch",
            "unit",
        ],
    ),
    (
        "optim",
        &["groups", "means", "moments", "options", "settings", "step"],
    ),
    ("io", &["checksum", "tensor"]),
];

const LONGEST_FILE: usize = 600;

/// All files of `src/`, or of a made-up one.
struct Tree(Vec<Source>);

impl Tree {
    fn read(root: &Path) -> io::Result<Self> {
        let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".rs") && name != "lib.rs" && !name.ends_with("tests.rs") {
                    let name = name.replace('\\', "/");
                    files.push(Source::new(&name, &fs::read_to_string(&path)?));
                }
            }
        }
        Ok(Self(files))
    }

    /// Whether `name`, a module or a type of that name, is a member of a family: a file of its own.
    fn is_member(&self, family: &str, name: &str) -> bool {
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let shared = FAMILIES
            .iter()
            .find(|(known, _)| *known == family)
            .map_or(&[] as &[&str], |(_, shared)| shared);
        self.0.iter().any(|source| match source.place()[..] {
            [module, member, ..] => {
                module == family && plain(member) == plain(name) && !shared.contains(&member)
            }
            _ => false,
        })
    }

    fn faults(&self) -> Vec<String> {
        let mut found = Vec::new();
        for source in &self.0 {
            let uses = source.uses();
            let uses = uses.iter().filter_map(|path| self.wrong_use(source, path));
            let all = uses.chain(wrong_place(source));
            found.extend(all.map(|what| format!("{}: {what}", source.name)));
        }
        found
    }

    /// What is wrong with `source` naming `path`.
    fn wrong_use(&self, source: &Source, path: &[String]) -> Option<String> {
        let place = source.place();
        let own = place[0];
        let module = path.first()?;
        let member = path.get(1).map_or("", String::as_str);
        if module == own {
            let family = FAMILIES.iter().any(|(name, _)| *name == own);
            let itself = place.get(1).is_none_or(|name| *name == member);
            return (family && !itself && self.is_member(own, member)).then(|| {
                format!("uses its sibling `{member}`: move what they share to a file of its own")
            });
        }
        let Some(there) = height(module) else {
            return Some(format!(
                "`crate::{module}` is no module: name the one it lives in"
            ));
        };
        if Some(there) > height(own) {
            return Some(format!("`{module}` does not stand below `{own}`"));
        }
        let must_not = |(name, banned): &(&str, &[&str])| {
            *name == own && banned.iter().any(|known| known == module)
        };
        if MUST_NOT_KNOW.iter().any(must_not) {
            return Some(format!("`{own}` must not know `{module}`"));
        }
        let by_table = NAMES_NO_MEMBER.contains(&(own, module.as_str()));
        (by_table && self.is_member(module, member))
            .then(|| format!("`{own}` must not name `{module}::{member}`: go by the table"))
    }
}

/// The floor of a module, and how far from the left it stands there.
fn height(module: &str) -> Option<(usize, usize)> {
    let on = |floor: &&[&str]| floor.iter().position(|name| *name == module);
    let mut floors = FLOORS.iter().enumerate();
    floors.find_map(|(number, floor)| on(floor).map(|column| (number, column)))
}

/// What is wrong with a file for itself.
fn wrong_place(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let own = source.place()[0];
    if height(own).is_none() {
        found.push("stands on no floor: add it to FLOORS and to ARCHITECTURE.md".to_owned());
    }
    let separator = |c: char| !c.is_alphanumeric() && c != '_';
    if own != "kernels" && source.code.split(separator).any(|word| word == "unsafe") {
        found.push("`unsafe` outside kernels/".to_owned());
    }
    let intrinsics = ["arch::x86_64", "arch::aarch64"];
    if !source.name.starts_with("kernels/arch/")
        && intrinsics.iter().any(|path| source.code.contains(path))
    {
        found.push("intrinsics outside kernels/arch/".to_owned());
    }
    if source.lines > LONGEST_FILE {
        found.push(format!("{} lines, more than {LONGEST_FILE}", source.lines));
    }
    found
}

#[test]
fn every_module_stands_only_on_the_floors_below() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    assert!(tree.0.len() > 3, "src/ was not found: nothing is proved");
    let found = tree.faults();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Only `kernels` may lift the ban on `unsafe` that the crate's root declares.
#[test]
fn the_crate_denies_unsafe_code() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let code = without_comments_and_strings(&fs::read_to_string(lib).unwrap());
    assert!(code.contains("#![deny(unsafe_code)]"));
    for item in code.split("#[allow(unsafe_code)]").skip(1) {
        let words: Vec<&str> = item.split_whitespace().take(3).collect();
        assert_eq!(words, ["pub", "mod", "kernels;"]);
    }
}

/// The faults of a file in a tree that has some ops besides it.
fn faults_of(name: &str, text: &str) -> Vec<String> {
    let beside = ["ops/relu.rs", "ops/hard_sigmoid.rs", "ops/axis.rs"];
    let mut tree = Tree(beside.map(|name| Source::new(name, "")).into());
    tree.0.push(Source::new(name, text));
    tree.faults()
}

#[test]
fn a_forbidden_path_is_caught_however_it_is_written() {
    for (name, text, words) in [
        ("matrix.rs", "use crate::graph::Graph;", "not stand below"),
        ("matrix.rs", "use crate::{a::{B, C}, graph::D};", "`graph`"),
        ("params.rs", "fn f(g: &crate::graph::Graph) {}", "`graph`"),
        ("ops/tanh.rs", "$crate::graph::Graph::new()", "`graph`"),
        ("element.rs", "use crate::shape::Shape;", "not stand below"),
        ("optim/rmsprop.rs", "use crate::graph::Graph;", "not know"),
        ("graph.rs", "use crate::ops::relu;", "must not name"),
        ("graph.rs", "use crate::ops::HardSigmoid;", "must not name"),
        ("ops/tanh.rs", "use crate::ops::relu::Relu;", "sibling"),
        ("ops/tanh.rs", "use super::{Op, relu};", "sibling"),
        ("ops/tanh.rs", "use super::super::graph::Graph;", "`graph`"),
        ("graph.rs", "use crate::Error;", "is no module"),
        ("clutter.rs", "", "no floor"),
        ("matrix.rs", "fn f() { unsafe { g() } }", "`unsafe`"),
        ("kernels/map.rs", "use std::arch::x86_64::*;", "intrinsics"),
        ("matrix.rs", &"\n".repeat(LONGEST_FILE + 1), "lines"),
    ] {
        let found = faults_of(name, text);
        let caught = found
            .iter()
            .any(|what| what.starts_with(name) && what.contains(words));
        assert!(caught, "{name}: {text}: found {found:?}");
    }
}

#[test]
fn what_the_table_allows_passes() {
    for (name, text) in [
        ("graph.rs", "use crate::{error::Error, ops::{Op, Axis}};"),
        ("ops/tanh.rs", "use super::axis::Axis; use super::expect;"),
        ("ops/tanh.rs", "use crate::kernels::map;"),
        ("ops/mod.rs", "mod relu; use self::relu::Relu;"),
        ("kernels/a/b.rs", "unsafe fn f() { super::super::isa() }"),
        ("matrix.rs", "//! See [`crate::graph`]."),
        ("matrix.rs", r#"const A: &str = "crate::graph // \" x";"#),
        (
            "matrix.rs",
            "#[cfg(test)] mod tests { use crate::graph::Graph; fn f() {} }",
        ),
    ] {
        assert_eq!(
            faults_of(name, text),
            Vec::<String>::new(),
            "{name}: {text}"
        );
    }
}
