//! Where every value lies: in a plane over all steps, in a window of one step, or in a scratch slot of
//! its segment; and which value takes over the memory of one that nobody reads any more.

use super::emit::{Items, What};
use super::passes::Passes;
use super::step::{Factor, Id, Job, Kind, Step, Term};
use crate::kernels::machine::{Order, Place, Plane, Span};

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Place(Place),
    Slot(usize),
}

/// What was placed where.
pub(super) struct Placed {
    pub(super) planes: Vec<Plane>,
    /// Of every value that has memory.
    pub(super) locations: Vec<Option<Location>>,
    /// Scratch slots of the longest segment.
    pub(super) slots: usize,
    /// The segment of each item: arithmetic in a row on windows of one size has the same.
    pub(super) segments: Vec<usize>,
}

/// Read at the very end, or by whoever runs the program.
const END: usize = usize::MAX;

/// From when to when a value is needed, in positions of items.
#[derive(Clone, Copy)]
struct Life {
    first_write: usize,
    last_write: usize,
    last_read: usize,
    /// The only stage that touches it.
    stage: Option<usize>,
    /// The only segment that touches it.
    segment: Option<usize>,
    touched: bool,
}

impl Life {
    const UNTOUCHED: Self = Self {
        first_write: END,
        last_write: 0,
        last_read: 0,
        stage: None,
        segment: None,
        touched: false,
    };

    fn touch(&mut self, stage: usize, segment: usize) {
        if !self.touched {
            (self.stage, self.segment) = (Some(stage), Some(segment));
        }
        self.touched = true;
        self.stage = self.stage.filter(|&only| only == stage);
        self.segment = self.segment.filter(|&only| only == segment);
    }

    fn read_at_end(&mut self) {
        (self.stage, self.segment, self.touched) = (None, None, true);
        self.last_read = END;
    }
}

/// Places all values.
pub(super) fn place(step: &Step, items: &Items, passes: Passes, gather: bool) -> Placed {
    let segments = segments(step, items);
    let same = continued(step);
    let lives = lives(step, items, &segments, &same, gather);
    let mut placer = Placer {
        step,
        items,
        plan: passes.plan,
        lives,
        planes: Vec::new(),
        locations: vec![None; step.nodes.len()],
        occupants: Vec::new(),
        slots: 0,
    };
    placer.given();
    placer.computed(&same);
    for (id, &same) in same.iter().enumerate() {
        placer.locations[id] = placer.locations[same];
    }
    Placed {
        planes: placer.planes,
        locations: placer.locations,
        slots: placer.slots,
        segments,
    }
}

/// The value in whose memory each value lies: a sum that is continued lies in its continuation.
fn continued(step: &Step) -> Vec<Id> {
    let mut same: Vec<Id> = (0..step.nodes.len()).collect();
    for (id, node) in step.nodes.iter().enumerate() {
        if let Kind::Sum(terms) = &node.kind {
            for term in terms {
                if let Term::Begun(of) = *term {
                    same[of] = id;
                }
            }
        }
    }
    same
}

fn segments(step: &Step, items: &Items) -> Vec<usize> {
    let mut segments: Vec<usize> = Vec::with_capacity(items.list.len());
    let mut last: Option<(usize, usize)> = None;
    let mut next = 0;
    for item in &items.list {
        let window = match item.what {
            What::Lanes { output, .. } => Some((item.stage, step.rows(output))),
            _ => None,
        };
        if window.is_none() || window != last {
            next += 1;
        }
        last = window;
        segments.push(next);
    }
    segments
}

fn lives(step: &Step, items: &Items, segments: &[usize], same: &[Id], gather: bool) -> Vec<Life> {
    let mut lives = vec![Life::UNTOUCHED; step.nodes.len()];
    for (at, item) in items.list.iter().enumerate() {
        for id in item.what.reads() {
            let life = &mut lives[same[id]];
            life.touch(item.stage, segments[at]);
            life.last_read = life.last_read.max(at);
        }
        for id in item.what.writes() {
            let life = &mut lives[same[id]];
            life.touch(item.stage, segments[at]);
            life.first_write = life.first_write.min(at);
            life.last_write = life.last_write.max(at);
        }
    }
    let kept = step
        .results
        .iter()
        .chain(&step.next)
        .chain(&step.state_grads);
    for id in kept.copied().chain(step.input_grad) {
        lives[same[id]].read_at_end();
    }
    for job in &step.jobs {
        let mut read = job.inputs().to_vec();
        if let Job::Pull { call, .. } = *job {
            read.extend(step.kind(call).inputs());
        }
        // Of an input that is gathered there are only its symbols.
        read.retain(|&id| !gather || !matches!(step.kind(id), Kind::Input));
        for id in read {
            lives[same[id]].read_at_end();
        }
    }
    lives
}

struct Placer<'a> {
    step: &'a Step,
    items: &'a Items,
    plan: bool,
    lives: Vec<Life>,
    planes: Vec<Plane>,
    locations: Vec<Option<Location>>,
    /// Planes that may be taken over, with the value that lies there now.
    occupants: Vec<(usize, Id)>,
    slots: usize,
}

impl Placer<'_> {
    fn plane(&mut self, rows: usize, span: Span) -> usize {
        self.planes.push(Plane { rows, span });
        self.planes.len() - 1
    }

    fn put(&mut self, id: Id, plane: usize, after: usize) {
        self.locations[id] = Some(Location::Place(Place { plane, after }));
    }

    /// Places what comes from outside or goes there, and what is handed from step to step.
    fn given(&mut self) {
        let step = self.step;
        for (number, &next) in step.next.iter().enumerate() {
            let plane = self.plane(step.rows(next), Span::States);
            let (before, after) = step.ends(number);
            self.put(next, plane, after);
            self.put(step.states[number], plane, before);
        }
        for (number, &grad) in step.state_grads.iter().enumerate() {
            let incoming = (0..step.nodes.len())
                .find(|&id| matches!(step.kind(id), Kind::StateGrad(n) if *n == number));
            let Some(incoming) = incoming else { continue };
            let read = self.lives[incoming];
            let written = self
                .items
                .list
                .iter()
                .filter(|i| i.what.writes().contains(&grad));
            let stages: Vec<usize> = written.map(|item| item.stage).collect();
            let in_one_loop = stages.iter().all(|&stage| {
                self.items.stages[stage] != Order::Together
                    && (!read.touched || read.stage == Some(stage))
            });
            let at_end = read.last_read == END;
            let span = if in_one_loop && !at_end && self.plan {
                Span::Carry
            } else {
                Span::States
            };
            let plane = self.plane(step.rows(grad), span);
            let (before, after) = step.ends(number);
            self.put(grad, plane, before);
            self.put(incoming, plane, after);
        }
        for id in 0..step.nodes.len() {
            let from_outside = matches!(
                step.kind(id),
                Kind::Input | Kind::Mask(_) | Kind::ResultGrad(_)
            );
            if from_outside && self.lives[id].touched {
                let plane = self.plane(step.rows(id), Span::Steps);
                self.put(id, plane, 0);
                // The input and the masks stay: a second backward pass computes the forward pass anew.
                if self.plan && step.is_gradient[id] {
                    self.occupants.push((plane, id));
                }
            }
        }
    }

    /// Places what items write, in their order.
    fn computed(&mut self, same: &[Id]) {
        let mut free_slots: (usize, Vec<(usize, Id)>) = (usize::MAX, Vec::new());
        for at in 0..self.items.list.len() {
            let mut written = self.items.list[at].what.writes();
            written.dedup();
            for id in written {
                let id = same[id];
                if self.locations[id].is_some() {
                    continue;
                }
                let life = self.lives[id];
                let stage = &self.items.stages[self.items.list[at].stage];
                let location = match life {
                    Life {
                        segment: Some(segment),
                        ..
                    } if self.plan && matches!(self.items.list[at].what, What::Lanes { .. }) => {
                        if free_slots.0 != segment {
                            free_slots = (segment, Vec::new());
                        }
                        Location::Slot(self.slot(id, life, &mut free_slots.1))
                    }
                    Life { stage: Some(_), .. } if self.plan && *stage != Order::Together => {
                        self.window(id, at, Span::Window)
                    }
                    _ => self.window(id, at, Span::Steps),
                };
                self.locations[id] = Some(location);
            }
        }
    }

    /// A slot of the segment that no value needs any more.
    fn slot(&mut self, id: Id, life: Life, slots: &mut Vec<(usize, Id)>) -> usize {
        let free = slots.iter().position(|&(_, before)| {
            let before = self.lives[before];
            before.last_read < life.first_write
                || before.last_read == life.first_write && life.first_write == life.last_write
        });
        if let Some(at) = free {
            slots[at].1 = id;
            return slots[at].0;
        }
        slots.push((slots.len(), id));
        self.slots = self.slots.max(slots.len());
        slots.len() - 1
    }

    /// A plane of this span, taken over where one has become free.
    fn window(&mut self, id: Id, at: usize, span: Span) -> Location {
        let (rows, life) = (self.step.rows(id), self.lives[id]);
        let item = &self.items.list[at].what;
        // Arithmetic may write over what it reads for the last time, if it writes once.
        let in_place = matches!(item, What::Lanes { .. }) && life.first_write == life.last_write;
        let wanted = Plane { rows, span };
        let free = self.occupants.iter().position(|&(plane, before)| {
            let before = self.lives[before];
            let done = before.last_read.max(before.last_write);
            self.planes[plane] == wanted && (done < at || done == at && in_place)
        });
        let plane = match free {
            Some(occupant) if self.plan => {
                self.occupants[occupant].1 = id;
                self.occupants[occupant].0
            }
            _ => {
                let plane = self.plane(rows, span);
                self.occupants.push((plane, id));
                plane
            }
        };
        Location::Place(Place { plane, after: 0 })
    }
}

impl Placed {
    /// Where a value lies in memory.
    pub(super) fn place(&self, id: Id) -> Option<Place> {
        match self.locations[id] {
            Some(Location::Place(place)) => Some(place),
            _ => None,
        }
    }

    /// Adds a plane.
    pub(super) fn add(&mut self, rows: usize, span: Span) -> usize {
        self.planes.push(Plane { rows, span });
        self.planes.len() - 1
    }

    /// Where a factor's value lies, if it is one.
    pub(super) fn of(&self, factor: Factor) -> Option<Location> {
        factor.value().and_then(|id| self.locations[id])
    }
}
