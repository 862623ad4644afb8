//! The checksum of a file: SHA-256 over its header, without the checksum itself, and its numbers.
//!
//! The header counts as JSON in one form: keys sorted, no spaces, no escapes but those that JSON
//! demands. In Python:
//!
//! ```text
//! del header["__metadata__"]["sha256"]
//! text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
//! hashlib.sha256(text.encode() + numbers).hexdigest()
//! ```

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Where the checksum stands among the metadata.
pub(super) const KEY: &str = "sha256";

/// The checksum of a header, which has none yet, and the numbers behind it; 64 hexadecimal digits.
pub(super) fn of(header: &Map<String, Value>, numbers: &[u8]) -> serde_json::Result<String> {
    let mut sum = Sha256::new();
    // serde_json keeps a map sorted.
    sum.update(serde_json::to_vec(header)?);
    sum.update(numbers);
    let mut text = String::with_capacity(64);
    for byte in sum.finalize() {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Takes the checksum out of a header: what it says, if it says something.
pub(super) fn take(header: &mut Map<String, Value>) -> Option<String> {
    let metadata = header.get_mut("__metadata__")?.as_object_mut()?;
    metadata.remove(KEY)?.as_str().map(ToOwned::to_owned)
}
