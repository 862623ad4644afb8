//! What a compiled step may know of an op without knowing the op.

/// How an op treats the columns of its operands, and which formula it has where that is simple.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// The matrix product: a column of the result is the left operand times a column of the right.
    Product,
    /// A sum of any number of operands, broadcasting, from left to right.
    Sum,
    /// left - right, broadcasting.
    Difference,
    /// left * right elementwise, broadcasting.
    Multiply,
    /// scale x + shift; one of both does nothing (scale 1 or shift 0) and is left out.
    Affine {
        /// The factor.
        scale: f64,
        /// What is added after it.
        shift: f64,
    },
    /// Every number of the one operand by itself.
    Map,
    /// The operands below one another.
    Stack,
    /// Every column by itself; operands of one column serve all columns.
    Columns,
    /// A number of the result depends on more than one column, or on where its column stands.
    Mixes,
}
