//! One call of a model in training: its masks, as numbers, and its parameters, under dropout.

use crate::element::Element;
use crate::error::Result;
use crate::graph::Graph;
use crate::kernels::Isa;
use crate::masks::Draw;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::ops::Recorder;
use crate::program::Run;
use crate::regularise::{Mask, Masks, Phase};
use crate::rows::Rows;
use crate::shape::Shape;

/// Number of the embedding's mask: beyond those of steps.
const EMBEDDING: usize = 1 << 16;
/// Number of the mask of the first parameter.
const WEIGHTS: usize = 1 << 17;

/// A call that drops; nothing where the model has no regulariser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropping {
    /// Which call of the model it is.
    step: u64,
}

impl Dropping {
    /// The call of this number, if there is one and the model drops anything.
    pub(crate) fn of<T: Element>(model: &Model<T>, step: Option<u64>) -> Option<Self> {
        let step = step.filter(|_| model.config().regularisers.drops());
        step.map(|step| Self { step })
    }

    /// For which phase such a call's step is recorded.
    pub(crate) fn phase(this: Option<Self>) -> Phase {
        if this.is_some() {
            Phase::Training
        } else {
            Phase::Evaluation
        }
    }

    fn draw<T: Element>(self, model: &Model<T>, mask: &Mask) -> Draw {
        let seed = model.config().seed;
        Draw::new(seed, mask.number, self.step, mask.rate, mask.kept)
    }

    /// Fills the masks of a run: a step has those of its row and of its place in it, whatever else is
    /// left out or reset.
    pub(crate) fn fill<T: Element>(
        self,
        isa: Isa,
        model: &Model<T>,
        rows: &Rows,
        run: &mut Run<T>,
    ) -> Result<()> {
        let masks = model.config().masks(Phase::Training);
        for mask in masks.iter().flat_map(Masks::iter) {
            let Some(out) = run.mask_mut(mask.number)? else {
                continue;
            };
            let draw = self.draw(model, mask);
            let place = |column: usize| {
                let (row, step) = rows.place(column);
                (row, if mask.same { 0 } else { step })
            };
            draw.fill(isa, mask.rows, place, out);
        }
        Ok(())
    }

    /// The masks of one step as matrices.
    pub(crate) fn matrices<T: Element>(
        self,
        isa: Isa,
        model: &Model<T>,
        batch: usize,
        step: usize,
    ) -> Result<Vec<Masks<Matrix<T>>>> {
        let matrix = |mask: &Mask| {
            let step = if mask.same { 0 } else { step };
            let place = |column| (column, step);
            let shape = Shape::new(mask.rows, batch);
            numbers(isa, self.draw(model, mask), shape, place)
        };
        let masks = model.config().masks(Phase::Training);
        masks.iter().map(|masks| masks.map(matrix)).collect()
    }

    /// The parameters as this call reads them: recurrent weights under weight drop, and after all
    /// others, under embedding dropout, the embedding that symbols are looked up in.
    pub(crate) fn params<T: Element>(
        self,
        model: &Model<T>,
        graph: &mut Graph<T>,
    ) -> Result<Vec<Matrix<T>>> {
        let (isa, rates) = (graph.isa(), model.config().regularisers);
        let mut params = model.params().matrices().to_vec();
        let mask = |number, rate: f64, shape: Shape| {
            let mask = Mask {
                number,
                rows: shape.rows,
                rate,
                kept: 1.0 / (1.0 - rate),
                same: true,
            };
            numbers(isa, self.draw(model, &mask), shape, |column| (column, 0))
        };
        if rates.weight_drop > 0.0 {
            for &number in model.recurrent() {
                let weight = &params[number];
                let mask = mask(WEIGHTS + number, rates.weight_drop, weight.shape())?;
                params[number] = graph.mul(weight, &mask)?;
            }
        }
        if let (true, Some(number)) = (rates.embedding_dropout > 0.0, model.embedding()) {
            let symbols = Shape::new(params[number].rows(), 1);
            let mask = mask(EMBEDDING, rates.embedding_dropout, symbols)?;
            params.push(graph.mul(&model.params().matrices()[number], &mask)?);
        }
        Ok(params)
    }
}

/// A mask as a constant.
fn numbers<T: Element>(
    isa: Isa,
    draw: Draw,
    shape: Shape,
    place: impl Fn(usize) -> (usize, usize) + Sync,
) -> Result<Matrix<T>> {
    let mut values = Matrix::try_zeros("forward", shape)?;
    draw.fill(isa, shape.rows, place, &mut values);
    Matrix::constant(shape, values)
}
