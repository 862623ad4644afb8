//! The one list of a model's parameters: named where a cell registers them, and nowhere else.

use rayon::prelude::*;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::init::Init;
use crate::kernels::parallel;
use crate::matrix::Matrix;
use crate::shape::Shape;

/// The position of a parameter in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamId(usize);

impl ParamId {
    /// Its place in the order of registration.
    pub fn number(self) -> usize {
        self.0
    }
}

/// What a parameter is for: it decides the default initialiser and whether weights decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads an input: a layer's or the decoder's.
    Input,
    /// Reads the state.
    Recurrent,
    /// One row a symbol.
    Embedding,
    /// Added to a sum.
    Bias,
    /// Multiplies what was normalised.
    Gain,
    /// Multiplies the memory cell for a gate.
    Peephole,
}

impl Role {
    /// Whether weight decay pulls such a parameter towards 0, if nobody says otherwise.
    pub fn decays(self) -> bool {
        match self {
            Self::Input | Self::Recurrent | Self::Peephole => true,
            Self::Embedding | Self::Bias | Self::Gain => false,
        }
    }
}

/// A parameter before it has numbers.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Dotted name.
    pub name: String,
    /// rows x cols.
    pub shape: Shape,
    /// What it is for.
    pub role: Role,
    /// How it begins, where that is not for the model to say.
    pub init: Option<Init>,
}

/// Collects the parameters of a model, in order, under dotted names.
#[derive(Debug, Default)]
pub struct Registry {
    prefix: String,
    specs: Vec<Spec>,
}

impl Registry {
    /// Registers a parameter under the current scope.
    pub fn add(&mut self, name: &str, rows: usize, cols: usize, role: Role) -> ParamId {
        self.push(Spec {
            name: name.to_owned(),
            shape: Shape::new(rows, cols),
            role,
            init: None,
        })
    }

    /// Registers what was specified elsewhere under the current scope.
    pub fn push(&mut self, mut spec: Spec) -> ParamId {
        spec.name.insert_str(0, &self.prefix);
        self.specs.push(spec);
        ParamId(self.specs.len() - 1)
    }

    /// Runs `f` with `name` in front of all names.
    pub fn scope<R>(&mut self, name: &str, f: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.prefix.len();
        self.prefix.push_str(name);
        self.prefix.push('.');
        let result = f(self);
        self.prefix.truncate(outer);
        result
    }

    /// What was registered.
    pub fn into_specs(self) -> Vec<Spec> {
        self.specs
    }
}

/// Named matrices in the order of registration.
pub struct Params<T: Element> {
    names: Vec<String>,
    matrices: Vec<Matrix<T>>,
}

impl<T: Element> Params<T> {
    /// Fills every registered parameter as `init` says, each from its own stream.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is not that much.
    pub fn new(specs: Vec<Spec>, seed: u64, init: impl Fn(&Spec) -> Init + Sync) -> Result<Self> {
        let fill = |(number, spec): (usize, &Spec)| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let values = init(spec).values(spec.shape, seed, number)?;
            let matrix = Matrix::from_vec(spec.shape, values)?;
            if !spec.role.decays() {
                matrix.spare();
            }
            Ok(matrix)
        };
        let matrices = if parallel::threads() > 1 {
            specs
                .par_iter()
                .enumerate()
                .map(fill)
                .collect::<Result<_>>()?
        } else {
            specs.iter().enumerate().map(fill).collect::<Result<_>>()?
        };
        let names = specs.into_iter().map(|spec| spec.name).collect();
        Ok(Self { names, matrices })
    }

    /// Number of matrices.
    pub fn len(&self) -> usize {
        self.matrices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.matrices.is_empty()
    }

    /// Names and matrices in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Matrix<T>)> {
        self.names.iter().map(String::as_str).zip(&self.matrices)
    }

    /// The matrices in order, as a cell reads them.
    pub fn matrices(&self) -> &[Matrix<T>] {
        &self.matrices
    }

    /// The matrix of that name.
    pub fn get(&self, name: &str) -> Option<&Matrix<T>> {
        self.iter().find(|(n, _)| *n == name).map(|(_, m)| m)
    }

    /// Sets all gradients to zero.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call uses one of them.
    pub fn zero_grad(&self) -> Result<()> {
        self.matrices.iter().try_for_each(Matrix::zero_grad)
    }

    /// Replaces all values, given in order, after all shapes are checked.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of values, [`Error::Busy`].
    pub fn assign(&self, values: &[Vec<T>]) -> Result<()> {
        let fits = values.len() == self.len()
            && values
                .iter()
                .zip(&self.matrices)
                .all(|(v, m)| v.len() == m.shape().len());
        if !fits {
            return Err(Error::shape(
                "assign",
                "the values do not have the parameters' shapes",
            ));
        }
        for (matrix, values) in self.matrices.iter().zip(values) {
            matrix.value_mut()?.copy_from_slice(values);
        }
        Ok(())
    }
}

/// The parameters of a model as a recorder sees them: matrices, or symbols for them.
pub struct Vars<'a, V>(pub &'a [V]);

impl<V> Clone for Vars<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

// Derived, it would ask that V be Copy.
impl<V> Copy for Vars<'_, V> {}

impl<V> std::ops::Index<ParamId> for Vars<'_, V> {
    type Output = V;
    fn index(&self, id: ParamId) -> &V {
        &self.0[id.0]
    }
}

/// Whether a parameter of this name is a bias: the last part of the name begins with `bias`.
pub fn is_bias(name: &str) -> bool {
    name.rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with("bias"))
}
