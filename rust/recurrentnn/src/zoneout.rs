//! Zoneout (Krueger et al. 2017): some units keep their last value, at random.
//!
//! ```text
//! in training        v' = m new + (1 - m) old,  m is 0 with probability rate, else 1
//! else               v' = (1 - rate) new + rate old
//! ```
//!
//! As in the paper, an LSTM's new hidden vector is made of the memory cell before zoneout.

use crate::error::Result;
use crate::ops::Recorder;

/// v'.
pub(crate) fn zoneout<R: Recorder>(
    r: &mut R,
    rate: f64,
    mask: Option<&R::Var>,
    old: &R::Var,
    new: &R::Var,
) -> Result<R::Var> {
    let Some(mask) = mask else {
        let (taken, kept) = (r.scale(new, 1.0 - rate)?, r.scale(old, rate)?);
        return r.add(&[&taken, &kept]);
    };
    let taken = r.mul(mask, new)?;
    // old - m old, and not (1 - m) old, of which 1 - m would have to be kept for the way back.
    let left = r.mul(mask, old)?;
    let kept = r.sub(old, &left)?;
    // In this order no digit is lost: one of the two is 0.
    r.add(&[&kept, &taken])
}
