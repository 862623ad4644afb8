//! What depends on what, from step to step too: which values are in a loop, and in which stage each
//! is computed.

use super::step::{Id, Kind, Step};
use crate::error::{Error, Result};
use crate::kernels::machine::Order;

/// Values that depend on each other through the state have the same number.
pub(super) struct Cycles(Vec<Option<usize>>);

impl Cycles {
    /// The loop a value is in.
    pub(super) fn of(&self, id: Id) -> Option<usize> {
        self.0[id]
    }
}

/// What a value waits for: what it reads, and for a state what the last step made of it.
fn waits_for(step: &Step, id: Id) -> Vec<Id> {
    let mut all = step.reads(id).to_vec();
    match step.kind(id) {
        Kind::State(number) => all.push(step.next[*number]),
        Kind::StateGrad(number) => all.push(step.state_grads[*number]),
        _ => {}
    }
    all
}

/// Strongly connected components (Tarjan 1972), those waited for before those that wait. Without
/// recursion: a step may be long.
fn components(step: &Step) -> Vec<Vec<Id>> {
    const UNSEEN: usize = usize::MAX;
    let count = step.nodes.len();
    let (mut index, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let (mut on_stack, mut stack) = (vec![false; count], Vec::new());
    let (mut next, mut found) = (0, Vec::new());
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        let mut calls = vec![(root, waits_for(step, root), 0)];
        while let Some((id, edges, at)) = calls.last_mut() {
            let id = *id;
            if *at == 0 && index[id] == UNSEEN {
                (index[id], low[id]) = (next, next);
                next += 1;
                stack.push(id);
                on_stack[id] = true;
            }
            if let Some(&to) = edges.get(*at) {
                *at += 1;
                if index[to] == UNSEEN {
                    calls.push((to, waits_for(step, to), 0));
                } else if on_stack[to] {
                    low[id] = low[id].min(index[to]);
                }
                continue;
            }
            if low[id] == index[id] {
                let start = stack.iter().rposition(|&other| other == id).unwrap_or(0);
                let component = stack.split_off(start);
                for &member in &component {
                    on_stack[member] = false;
                }
                found.push(component);
            }
            calls.pop();
            if let Some((parent, _, _)) = calls.last() {
                low[*parent] = low[*parent].min(low[id]);
            }
        }
    }
    found
}

/// Finds the loops.
pub(super) fn cycles(step: &Step) -> Cycles {
    let mut cycle = vec![None; step.nodes.len()];
    for (number, component) in components(step).into_iter().enumerate() {
        if component.len() > 1 {
            for id in component {
                cycle[id] = Some(number);
            }
        }
    }
    Cycles(cycle)
}

/// Which ways the states of a component go: forward in time, backward.
fn ways(step: &Step, component: &[Id]) -> [bool; 2] {
    let mut ways = [false; 2];
    for &id in component {
        if let Kind::State(number) | Kind::StateGrad(number) = step.kind(id) {
            ways[usize::from(step.reversed[*number])] = true;
        }
    }
    ways
}

/// Fails where values that depend on each other through states would have to go both ways in time.
pub(super) fn expect_one_way(step: &Step) -> Result<()> {
    let both = |component: &Vec<Id>| component.len() > 1 && ways(step, component) == [true; 2];
    if components(step).iter().any(both) {
        let message =
            "states that go forward in time and states that go backward depend on each other";
        return Err(Error::argument("compile", message));
    }
    Ok(())
}

/// How a stage of that number goes through the sequence.
pub(super) fn order(stage: usize, is_gradient: bool) -> Order {
    match (stage % 3, is_gradient) {
        (0, _) => Order::Together,
        (1, false) | (2, true) => Order::Forward,
        _ => Order::Backward,
    }
}

/// The stage of each value, forward and gradients counted apart: see [`order`]. Values go to the
/// earliest that has what they wait for; without `hoist` all go step by step, if all go one way.
pub(super) fn stages(step: &Step, hoist: bool) -> Vec<usize> {
    let any = |reversed| step.reversed.contains(&reversed);
    let both_ways = any(false) && any(true);
    if !hoist && !both_ways {
        return vec![1 + usize::from(any(true)); step.nodes.len()];
    }
    let (levels, is_backward) = levels(step);
    let stage =
        |(level, backward): (usize, bool)| level / 2 * 3 + level % 2 * (1 + usize::from(backward));
    levels.into_iter().zip(is_backward).map(stage).collect()
}

/// For each value how many stages it waits for: it is taken for all columns together if that is even, in
/// a loop else; and whether the loop goes backward in time.
fn levels(step: &Step) -> (Vec<usize>, Vec<bool>) {
    let mut backward = vec![false; step.nodes.len()];
    let mut stage = vec![0; step.nodes.len()];
    for component in components(step) {
        let is_loop = component.len() > 1;
        let mut earliest = usize::from(is_loop);
        for &id in &component {
            let is_handed_on = matches!(step.kind(id), Kind::State(_) | Kind::StateGrad(_));
            for other in waits_for(step, id) {
                // A gradient finds all of the forward pass done.
                if component.contains(&other) || step.is_gradient[id] != step.is_gradient[other] {
                    continue;
                }
                let after_loop = stage[other] % 2;
                let next = if is_loop {
                    1 + after_loop
                } else if is_handed_on && after_loop == 0 {
                    // What all columns together hand on is read by other columns: when all are done.
                    2
                } else {
                    after_loop
                };
                earliest = earliest.max(stage[other] + next);
            }
        }
        let [_, is_backward] = ways(step, &component);
        for id in component {
            stage[id] = earliest;
            backward[id] = is_backward;
        }
    }
    (stage, backward)
}

/// All values, those read before those that read them, within a step.
pub(super) fn topological(step: &Step) -> Vec<Id> {
    let mut order = Vec::with_capacity(step.nodes.len());
    let mut seen = vec![false; step.nodes.len()];
    for root in 0..step.nodes.len() {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        let mut calls = vec![(root, step.reads(root), 0)];
        while let Some((id, reads, at)) = calls.last_mut() {
            if let Some(&to) = reads.get(*at) {
                *at += 1;
                if !std::mem::replace(&mut seen[to], true) {
                    calls.push((to, step.reads(to), 0));
                }
            } else {
                order.push(*id);
                calls.pop();
            }
        }
    }
    order
}
