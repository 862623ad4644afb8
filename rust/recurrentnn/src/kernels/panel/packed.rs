//! Weights in the order in which the tiles read them.

use std::ops::Range;

use super::pack::{Pack, PackTransposed};
use crate::element::Element;
use crate::kernels::isa::Isa;
use crate::kernels::memory::Lines;

/// One or several weights stacked below one another, in panels whose rows are the lanes of registers.
///
/// Each weight is a target of its own: its panels cover its rows, two registers of them a panel; a
/// rest that fits in one register is a half panel. In memory a panel is `[depth][its registers]`,
/// zeros where it has no row; all whole panels come first, the halves behind them.
pub struct Packed<T> {
    isa: Isa,
    lanes: usize,
    depth: usize,
    targets: Vec<usize>,
    memory: Lines<T>,
    wholes: Vec<Panel>,
    halves: Vec<Panel>,
    /// How many wholes and halves lie before each panel in the order of the rows, and at the end.
    order: Vec<(usize, usize)>,
    /// The first panel of each target, and the end.
    firsts: Vec<usize>,
}

/// Which rows a panel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) struct Panel {
    pub(in crate::kernels) target: usize,
    /// The first one, in its target.
    pub(in crate::kernels) row: usize,
    /// How many.
    pub(in crate::kernels) rows: usize,
}

/// Some panels of one kind.
#[derive(Clone, Copy)]
pub(super) struct Run<'a, T> {
    pub(super) panels: &'a [Panel],
    /// Where the first of them begins.
    pub(super) start: *const T,
    /// From one to the next.
    pub(super) panel_step: usize,
    /// From one depth to the next: the rows of a panel.
    pub(super) step: usize,
}

impl<T: Element> Packed<T> {
    /// Zeros: for targets of so many `rows` each, which share the `depth`. `None`: not enough memory.
    pub fn new(isa: Isa, rows: &[usize], depth: usize) -> Option<Self> {
        let lanes = isa.lanes::<T>();
        let (mut wholes, mut halves) = (Vec::new(), Vec::new());
        let (mut order, mut firsts) = (Vec::new(), Vec::new());
        for (target, &all) in rows.iter().enumerate() {
            firsts.push(order.len());
            for row in (0..all).step_by(2 * lanes) {
                order.push((wholes.len(), halves.len()));
                let rows = (all - row).min(2 * lanes);
                let panel = Panel { target, row, rows };
                if rows > lanes {
                    wholes.push(panel);
                } else {
                    halves.push(panel);
                }
            }
        }
        firsts.push(order.len());
        order.push((wholes.len(), halves.len()));
        let registers = 2 * wholes.len() + halves.len();
        Some(Self {
            isa,
            lanes,
            depth,
            targets: rows.to_vec(),
            memory: Lines::zeros(registers.checked_mul(lanes)?.checked_mul(depth)?)?,
            wholes,
            halves,
            order,
            firsts,
        })
    }

    /// The instruction set whose registers the panels are made for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Rows of each target.
    pub fn rows(&self) -> &[usize] {
        &self.targets
    }

    /// The depth that all targets share.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many panels there are.
    pub fn panels(&self) -> usize {
        self.order.len() - 1
    }

    /// The panels of one target; panel number q of them begins at row `q * self.panel_rows()`.
    pub fn panels_of(&self, target: usize) -> Range<usize> {
        self.firsts[target]..self.firsts[target + 1]
    }

    /// Rows of a whole panel.
    pub fn panel_rows(&self) -> usize {
        2 * self.lanes
    }

    /// The whole and the half panels among some panels.
    #[inline(always)]
    pub(super) fn runs(&self, panels: Range<usize>) -> (Run<'_, T>, Run<'_, T>) {
        let (from, to) = (self.order[panels.start], self.order[panels.end]);
        let memory = self.memory.as_slice();
        let half = self.depth * self.lanes;
        let wholes = 2 * half * self.wholes.len();
        (
            Run {
                panels: &self.wholes[from.0..to.0],
                start: memory[2 * half * from.0..].as_ptr(),
                panel_step: 2 * half,
                step: 2 * self.lanes,
            },
            Run {
                panels: &self.halves[from.1..to.1],
                start: memory[wholes + half * from.1..].as_ptr(),
                panel_step: half,
                step: self.lanes,
            },
        )
    }

    /// Puts the column-major `rows` x `cols` weight at the depths from `at_depth` on of a target.
    ///
    /// # Panics
    /// If the weight has another number of rows than the target or goes beyond the depth.
    pub fn pack(&mut self, target: usize, at_depth: usize, weight: &[T], rows: usize, cols: usize) {
        assert_eq!(weight.len(), rows * cols);
        assert_eq!(rows, self.targets[target]);
        assert!(at_depth + cols <= self.depth);
        let isa = self.isa;
        self.each_panel(target, at_depth, |panel, registers, to| {
            isa.run(Pack {
                from: &weight[panel.row.min(weight.len())..],
                step: rows,
                rows: panel.rows,
                depth: cols,
                registers,
                to,
            });
        });
    }

    /// Puts the transpose of the column-major `rows` x `cols` weight there: its columns are the rows
    /// of the target, its rows the depths.
    ///
    /// # Panics
    /// If the weight has another number of columns than the target rows or goes beyond the depth.
    pub fn pack_transposed(
        &mut self,
        target: usize,
        at_depth: usize,
        weight: &[T],
        rows: usize,
        cols: usize,
    ) {
        assert_eq!(weight.len(), rows * cols);
        assert_eq!(cols, self.targets[target]);
        assert!(at_depth + rows <= self.depth);
        let isa = self.isa;
        self.each_panel(target, at_depth, |panel, registers, to| {
            isa.run(PackTransposed {
                from: &weight[panel.row * rows..],
                step: rows,
                rows: panel.rows,
                depth: rows,
                registers,
                to,
            });
        });
    }

    /// Calls `f(panel, its registers, its memory from at_depth on)` for every panel of a target.
    fn each_panel(&mut self, target: usize, at_depth: usize, f: impl Fn(Panel, usize, &mut [T])) {
        let half = self.depth * self.lanes;
        for number in self.panels_of(target) {
            let ((whole, before), (next, _)) = (self.order[number], self.order[number + 1]);
            let memory = self.memory.as_mut_slice();
            if next > whole {
                let to = &mut memory[2 * half * whole..][..2 * half];
                f(self.wholes[whole], 2, &mut to[2 * at_depth * self.lanes..]);
            } else {
                let to = &mut memory[2 * half * self.wholes.len() + half * before..][..half];
                f(self.halves[before], 1, &mut to[at_depth * self.lanes..]);
            }
        }
    }
}
