//! Who runs long work: it may let others in meanwhile, and stop it.

/// Looks now and then whether to stop.
pub type Poll<'a> = &'a mut dyn FnMut() -> bool;

/// Runs work that touches nobody else's memory, such as an interpreter that lets other threads go on
/// meanwhile and looks for Ctrl-C.
pub trait Host {
    /// Runs `work`, which calls its poll now and then and stops early where that returns true. `long`
    /// says that it takes long enough for a change of threads to be worth while.
    fn run(&mut self, long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send));
}

/// Nobody waits and nobody stops it.
pub struct Alone;

impl Host for Alone {
    fn run(&mut self, _long: bool, work: &mut (dyn FnMut(Poll<'_>) + Send)) {
        work(&mut || false);
    }
}
