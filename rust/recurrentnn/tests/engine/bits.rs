//! Where the bits must agree, they do.

use super::*;

#[test]
fn threads_do_not_change_bits() {}
