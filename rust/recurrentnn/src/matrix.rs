//! Matrices: a shape, a value, and a gradient that comes into being when first touched.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use ndarray::{ArrayView2, ShapeBuilder};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernels::buffer::{Buffer, Read, Write, zeros};
use crate::recording::Recording;
use crate::shape::Shape;

/// Where a matrix comes from, which decides whether gradients flow into it.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Made by a user: gradients end here and accumulate.
    Leaf,
    /// Data: no gradient.
    Constant,
    /// Made by an operation of this recording.
    Node(Recording),
}

/// A rows x cols matrix in column-major storage; a column is one sample.
///
/// A handle: cloning shares the numbers. Storage never moves, so a view into it stays valid.
pub struct Matrix<T: Element>(Arc<Inner<T>>);

struct Inner<T: Element> {
    id: u64,
    shape: Shape,
    value: Buffer<T>,
    grad: OnceLock<Buffer<T>>,
    origin: Origin,
    wants_grad: bool,
    /// Whether weight decay leaves it alone.
    spared: AtomicBool,
    /// Uses as a leaf in recordings whose backward pass has not come yet.
    pending: AtomicUsize,
    /// How often Rust borrowed the value for writing.
    version: AtomicU64,
    /// How often a view of the value was handed out.
    views: AtomicU64,
}

/// Tells whether a matrix is still there, without keeping it.
pub struct WeakMatrix<T: Element>(Weak<Inner<T>>);

impl<T: Element> WeakMatrix<T> {
    /// Whether anybody still has the matrix.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl<T: Element> Clone for Matrix<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl<T: Element> Matrix<T> {
    fn make(shape: Shape, value: Buffer<T>, origin: Origin, wants_grad: bool) -> Self {
        Self(Arc::new(Inner {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            shape,
            value,
            grad: OnceLock::new(),
            origin,
            wants_grad,
            spared: AtomicBool::new(false),
            pending: AtomicUsize::new(0),
            version: AtomicU64::new(0),
            views: AtomicU64::new(0),
        }))
    }

    fn checked(shape: Shape, data: Vec<T>) -> Result<Buffer<T>> {
        if data.len() == shape.len() {
            return Ok(data.into());
        }
        let message = format!(
            "{shape} needs {} numbers but {} came",
            shape.len(),
            data.len()
        );
        Err(Error::shape("Matrix", message))
    }

    /// Zeros for a matrix of this shape, column by column.
    ///
    /// # Errors
    /// [`Error::Memory`] if there is not that much.
    pub(crate) fn try_zeros(op: &'static str, shape: Shape) -> Result<Vec<T>> {
        zeros(shape.len()).ok_or_else(|| {
            let message = format!(
                "not enough memory for {shape} numbers of {}",
                T::DTYPE.name()
            );
            Error::memory(op, message)
        })
    }

    /// A leaf of the numbers given column by column.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are rows x cols numbers.
    pub fn from_vec(shape: Shape, data: Vec<T>) -> Result<Self> {
        Ok(Self::make(
            shape,
            Self::checked(shape, data)?,
            Origin::Leaf,
            true,
        ))
    }

    /// A constant of the numbers given column by column: no gradient flows into it.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are rows x cols numbers.
    pub fn constant(shape: Shape, data: Vec<T>) -> Result<Self> {
        Ok(Self::make(
            shape,
            Self::checked(shape, data)?,
            Origin::Constant,
            false,
        ))
    }

    /// What an operation of a recording computed.
    pub(crate) fn node(shape: Shape, value: Buffer<T>, recording: &Recording, wants: bool) -> Self {
        Self::make(shape, value, Origin::Node(recording.clone()), wants)
    }

    /// The same numbers, shared, as a leaf that no recording made.
    #[must_use]
    pub fn to_leaf(&self) -> Self {
        Self::make(self.shape(), self.0.value.clone(), Origin::Leaf, true)
    }

    /// A leaf with every element equal to `x`.
    pub fn full(shape: Shape, x: T) -> Self {
        Self::make(shape, vec![x; shape.len()].into(), Origin::Leaf, true)
    }

    /// A leaf of zeros.
    pub fn zeros(shape: Shape) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// A leaf that copies an `ndarray` view of any layout.
    pub fn from_array(array: &ArrayView2<'_, T>) -> Self {
        let shape = Shape::new(array.nrows(), array.ncols());
        // Iterating the transpose in logical order visits column after column.
        let data: Vec<T> = array.t().iter().copied().collect();
        Self::make(shape, data.into(), Origin::Leaf, true)
    }

    /// A number that no other matrix of this process has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// A handle that does not keep the matrix.
    pub fn downgrade(&self) -> WeakMatrix<T> {
        WeakMatrix(Arc::downgrade(&self.0))
    }

    /// rows x cols.
    pub fn shape(&self) -> Shape {
        self.0.shape
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.shape.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.0.shape.cols
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Whether a backward pass computes its gradient.
    pub fn wants_grad(&self) -> bool {
        self.0.wants_grad
    }

    /// Whether weight decay leaves it alone, as what is added or looked up.
    pub fn is_spared(&self) -> bool {
        self.0.spared.load(Ordering::Relaxed)
    }

    /// From now on weight decay leaves it alone.
    pub(crate) fn spare(&self) {
        self.0.spared.store(true, Ordering::Relaxed);
    }

    /// The memory of the value, for a view that may write.
    pub fn value_buffer(&self) -> &Buffer<T> {
        self.0.views.fetch_add(1, Ordering::Relaxed);
        &self.0.value
    }

    /// A number that is another for other values, for what is derived from them; `None` while somebody
    /// holds a view, who may write at any time.
    pub(crate) fn value_number(&self) -> Option<u64> {
        let (version, views) = (&self.0.version, &self.0.views);
        let number = version.load(Ordering::Relaxed) << 32 ^ views.load(Ordering::Relaxed);
        (!self.0.value.is_shared()).then_some(number)
    }

    /// Whether somebody holds a view of the value or of the gradient.
    pub(crate) fn is_viewed(&self) -> bool {
        self.0.value.is_shared() || self.grad_if_any().is_some_and(Buffer::is_shared)
    }

    /// The memory of the gradient, made of zeros at the first call.
    pub fn grad_buffer(&self) -> &Buffer<T> {
        self.0
            .grad
            .get_or_init(|| Buffer::zeros(self.shape().len()))
    }

    /// The memory of the gradient if anybody touched it.
    pub fn grad_if_any(&self) -> Option<&Buffer<T>> {
        self.0.grad.get()
    }

    /// Borrows the value.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call writes it.
    pub fn value(&self) -> Result<Read<'_, T>> {
        self.0.value.read().ok_or(Error::Busy { op: "value" })
    }

    /// Borrows the value for writing.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call uses it.
    pub fn value_mut(&self) -> Result<Write<'_, T>> {
        let value = self.0.value.write().ok_or(Error::Busy { op: "value" })?;
        self.0.version.fetch_add(1, Ordering::Relaxed);
        Ok(value)
    }

    /// Borrows the gradient.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call writes it.
    pub fn grad(&self) -> Result<Read<'_, T>> {
        self.grad_buffer().read().ok_or(Error::Busy { op: "grad" })
    }

    /// Borrows the gradient for writing.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call uses it.
    pub fn grad_mut(&self) -> Result<Write<'_, T>> {
        self.grad_buffer().write().ok_or(Error::Busy { op: "grad" })
    }

    /// Sets the gradient to zero.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call uses it.
    pub fn zero_grad(&self) -> Result<()> {
        if self.grad_if_any().is_some() {
            self.grad_mut()?.fill(T::ZERO);
        }
        Ok(())
    }

    /// The numbers column by column.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call writes them.
    pub fn to_vec(&self) -> Result<Vec<T>> {
        Ok(self.value()?.to_vec())
    }

    /// Calls `f` with an `ndarray` view of the value.
    ///
    /// # Errors
    /// [`Error::Busy`] while another call writes it.
    pub fn with_array<R>(&self, f: impl FnOnce(ArrayView2<'_, T>) -> R) -> Result<R> {
        let value = self.value()?;
        let view = ArrayView2::from_shape((self.rows(), self.cols()).f(), &value)
            .map_err(|e| Error::shape("with_array", e.to_string()))?;
        Ok(f(view))
    }

    /// A number that changes whenever the value is borrowed for writing.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Relaxed)
    }

    /// Marks one use as a leaf in a recording that will be differentiated.
    pub(crate) fn add_pending(&self) {
        self.0.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one such mark back.
    pub(crate) fn remove_pending(&self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether a recording holds it whose backward pass has not come yet.
    pub fn is_pending(&self) -> bool {
        self.0.pending.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn arrays_of_any_layout_come_in_column_major_and_go_out_as_they_were() {
        let a = array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let m = Matrix::from_array(&a.view());
        assert_eq!(m.to_vec().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(m.with_array(|v| v.to_owned()).unwrap(), a);
        let t = Matrix::from_array(&a.t());
        assert_eq!(t.with_array(|v| v.to_owned()).unwrap(), a.t());
    }

    #[test]
    fn a_gradient_comes_into_being_when_touched() {
        let m = Matrix::<f64>::zeros(Shape::new(2, 2));
        assert!(m.grad_if_any().is_none());
        m.zero_grad().unwrap();
        assert!(m.grad_if_any().is_none());
        m.grad_mut().unwrap()[1] = 2.0;
        assert_eq!(m.grad().unwrap()[1], 2.0);
    }

    #[test]
    fn the_number_of_elements_is_checked() {
        let error = Matrix::from_vec(Shape::new(2, 2), vec![0.0f32; 3])
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "Matrix: 2x2 needs 4 numbers but 3 came");
    }
}
