//! What can go wrong, and who erred.
//!
//! Every message reads `op: what was expected, what came`. A caller's mistake is one of these values
//! and leaves every object as it was; it never is a panic.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[non_exhaustive]
#[derive(Debug)]
pub enum Error {
    /// Operands whose shapes do not fit the operation.
    Shape {
        /// The operation.
        op: &'static str,
        /// Expected and found.
        message: String,
    },
    /// Operands of different element types.
    DType {
        /// The operation.
        op: &'static str,
        /// Expected and found.
        message: String,
    },
    /// An argument outside its domain.
    Argument {
        /// The operation.
        op: &'static str,
        /// Name of the argument, the rule, the value given.
        message: String,
    },
    /// An index that points at nothing.
    OutOfRange {
        /// The operation.
        op: &'static str,
        /// The index and the limit.
        message: String,
    },
    /// A recording used against its rules.
    Graph {
        /// The operation.
        op: &'static str,
        /// The rule that was broken.
        message: String,
    },
    /// More memory than there is.
    Memory {
        /// The operation.
        op: &'static str,
        /// What was asked for.
        message: String,
    },
    /// Memory that another call is using at this moment.
    Busy {
        /// The operation.
        op: &'static str,
    },
    /// A number that is infinite or NaN where learning must stop.
    NonFinite {
        /// The operation.
        op: &'static str,
        /// The tensor, the position and the value.
        message: String,
    },
    /// A symbol that the vocabulary does not hold.
    Vocabulary {
        /// The operation.
        op: &'static str,
        /// The symbol and its position.
        message: String,
    },
    /// Bytes that are not a file of the expected format.
    Format {
        /// The format.
        format: &'static str,
        /// What is wrong, and where.
        message: String,
    },
    /// The caller asked to stop.
    Interrupted,
    /// A bug of ours: something panicked.
    Internal {
        /// The panic's text.
        message: String,
    },
    /// The operating system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $function:ident => $variant:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $function(op: &'static str, message: impl Into<String>) -> Self {
                Self::$variant { op, message: message.into() }
            })*
        }
    };
}

constructors! {
    /// Operands whose shapes do not fit.
    shape => Shape;
    /// Operands of different element types.
    dtype => DType;
    /// An argument outside its domain.
    argument => Argument;
    /// An index that points at nothing.
    out_of_range => OutOfRange;
    /// A recording used against its rules.
    graph => Graph;
    /// More memory than there is.
    memory => Memory;
    /// An infinite number or NaN.
    non_finite => NonFinite;
    /// An unknown symbol.
    vocabulary => Vocabulary;
}

impl Error {
    /// Bytes that are not a file of the format.
    pub fn format(format: &'static str, message: impl Into<String>) -> Self {
        Self::Format {
            format,
            message: message.into(),
        }
    }

    /// An [`Error::Internal`]: something that cannot be is.
    pub(crate) fn internal(op: &'static str, message: &str) -> Self {
        let message = format!("{op}: {message}");
        Self::Internal { message }
    }

    /// The operating system's refusal, with the file it was about.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Runs a call whose panic must not go further: it comes back as [`Error::Internal`].
///
/// # Errors
/// Those of the call, and [`Error::Internal`].
pub fn catch<R>(call: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let message = text.unwrap_or("panic").to_owned();
        Err(Error::Internal { message })
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { op, message }
            | Self::DType { op, message }
            | Self::Argument { op, message }
            | Self::OutOfRange { op, message }
            | Self::Graph { op, message }
            | Self::Memory { op, message }
            | Self::NonFinite { op, message }
            | Self::Vocabulary { op, message } => write!(f, "{op}: {message}"),
            Self::Interrupted => write!(f, "interrupted"),
            Self::Internal { message } => write!(f, "a bug in recurrentnn: {message}"),
            Self::Busy { op } => write!(f, "{op}: the matrix is in use by another call"),
            Self::Format { format, message } => write!(f, "{format}: {message}"),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_everything_else_passes() {
        let caught = catch(|| -> Result<()> { panic!("at {}", 7) });
        let text = caught.err().map(|error| error.to_string());
        assert_eq!(text.as_deref(), Some("a bug in recurrentnn: at 7"));
        assert!(matches!(catch(|| Ok(3)), Ok(3)));
        let refused = catch(|| -> Result<()> { Err(Error::Interrupted) });
        assert!(matches!(refused, Err(Error::Interrupted)));
    }
}
