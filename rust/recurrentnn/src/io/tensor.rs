//! Numbers beside the parameters: what a training run needs to go on.

use std::collections::BTreeMap;

use safetensors::tensor::Dtype;

use crate::error::{Error, Result};

/// Tensors by name. A name has a `/`, which the name of a parameter never has.
pub type Tensors = BTreeMap<String, Tensor>;

/// An array of numbers as a file holds it: C-ordered, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Type of the elements.
    pub kind: Kind,
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The elements.
    pub bytes: Vec<u8>,
}

macro_rules! kinds {
    ($($name:ident $label:literal $size:literal,)*) => {
        /// Types of elements that may stand beside the parameters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // the names say it
        pub enum Kind { $($name),* }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The format's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// Bytes of an element.
            #[must_use]
            pub fn size(self) -> usize {
                match self { $(Self::$name => $size),* }
            }

            pub(super) fn of(dtype: Dtype) -> Option<Self> {
                match dtype { $(Dtype::$name => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    BOOL "BOOL" 1,
    U8 "U8" 1,
    U16 "U16" 2,
    U32 "U32" 4,
    U64 "U64" 8,
    I32 "I32" 4,
    I64 "I64" 8,
    F32 "F32" 4,
    F64 "F64" 8,
}

impl Kind {
    /// The type with one of the format's names.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl Tensor {
    /// Fails unless the bytes are those of the shape.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let mut sizes = self.shape.iter().copied().chain([self.kind.size()]);
        let size = sizes.try_fold(1_usize, usize::checked_mul);
        if size == Some(self.bytes.len()) {
            return Ok(());
        }
        let (kind, shape, bytes) = (self.kind.name(), &self.shape, self.bytes.len());
        let message = format!("tensor {name} is {kind} {shape:?} but has {bytes} bytes");
        Err(Error::argument("save", message))
    }
}
