//! The part of every map that one value can depend on, so that a gradient does not visit whole pictures.
//!
//! Where all maps are the picture's size divided by whole numbers, a rectangle whose corners are multiples of the largest
//! divisor cuts every map at whole pixels, and every operator does the same inside the cut as in the whole map: its taps
//! only depend on differences of positions, and beyond the receptive field all gradients are zero. Where this does not
//! hold (padded sizes, flattened maps, aligned corners), there is no patch and whole maps are used.

use super::{Kind, Trace};
use crate::error::Result;
use crate::ops::{Op, interpolate};
use crate::tensor::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// One rectangle for every node, in its own pixels.
pub(super) struct Patch {
    /// Rows and columns; `None` for nodes that stay whole: the image, and its normalisation.
    boxes: Vec<Option<[Range<usize>; 2]>>,
    /// The same rectangle in the image's pixels, which are also those of the whole nodes.
    picture: [Range<usize>; 2],
}

impl Patch {
    /// The patch around a value, if there is one that is smaller than the picture.
    pub fn around(trace: &Trace, start: usize, at: &[usize]) -> Result<Option<Patch>> {
        let graph = &trace.graph;
        let image = trace.values([0])?[0]
            .as_deref()
            .map_or(Vec::new(), |x| x.shape().to_vec());
        let sizes = graph.sizes(&image)?;
        let single = image.len() == 3 || image.len() == 4 && image[0] == 1;
        if !single || sizes[start].len() != image.len() || at.len() != image.len() {
            return Ok(None);
        }
        let rank = image.len();
        let Some(rect) =
            graph.receptive_field(graph.nodes[start].name(), &at[rank - 2..], &image)?
        else {
            return Ok(None);
        };
        let needed = graph.needed([start]);
        let picture = [image[rank - 2], image[rank - 1]];
        let mut divisors = vec![[1; 2]; start + 1];
        let mut largest = [1; 2];
        for (i, divisors) in divisors.iter_mut().enumerate().filter(|(i, _)| needed[*i]) {
            for axis in 0..2 {
                let n = sizes[i].get(rank - 2 + axis).copied().unwrap_or(0);
                if sizes[i].len() != rank || n == 0 || picture[axis] % n != 0 {
                    return Ok(None);
                }
                divisors[axis] = picture[axis] / n;
                largest[axis] = largest[axis].max(divisors[axis]);
            }
        }
        let span = |axis: usize, first: i64, last: i64| {
            let step = largest[axis];
            let low = (first as usize / step).saturating_sub(1) * step;
            low..((last as usize / step + 2) * step).min(picture[axis])
        };
        let whole = [
            span(0, rect.top, rect.bottom),
            span(1, rect.left, rect.right),
        ];
        if whole[0].len() * whole[1].len() * 2 > picture[0] * picture[1] {
            return Ok(None);
        }
        let mut boxes = vec![None; start + 1];
        for i in (0..=start).filter(|&i| needed[i]) {
            let node = &graph.nodes[i];
            match &node.kind {
                Kind::Input { .. } | Kind::Exact(_) => continue,
                // They move positions, or do not know any.
                Kind::Op(Op::Pad(settings)) if !settings.is_nothing() => return Ok(None),
                Kind::Op(Op::Reshape(_) | Op::Permute(_)) => return Ok(None),
                Kind::Op(Op::Normalize(_)) if boxes[node.inputs[0]].is_none() => continue,
                Kind::Op(Op::Normalize(_)) => return Ok(None),
                Kind::Op(Op::Interpolate(settings))
                    if settings.align_corners
                        || matches!(settings.target, interpolate::Target::Size(_)) =>
                {
                    return Ok(None);
                }
                Kind::Op(_) => {}
            }
            let cut = |axis: usize| {
                let d = divisors[i][axis];
                let exact = largest[axis] % d == 0;
                exact.then(|| whole[axis].start / d..whole[axis].end / d)
            };
            let (Some(rows), Some(columns)) = (cut(0), cut(1)) else {
                return Ok(None);
            };
            boxes[i] = Some([rows, columns]);
        }
        let patch = Patch {
            boxes,
            picture: whole,
        };
        Ok(patch.fits(trace, &sizes, start, &needed).then_some(patch))
    }

    /// The rectangle of a node as node `reader` sees it: a whole node is cut for a reader that is not whole.
    fn seen(&self, i: usize, reader: usize) -> Option<&[Range<usize>; 2]> {
        match (&self.boxes[i], &self.boxes[reader]) {
            (None, Some(_)) => Some(&self.picture),
            (own, _) => own.as_ref(),
        }
    }

    /// Whether every operator makes the cut of its output out of the cuts of its inputs, as far as shapes tell.
    fn fits(&self, trace: &Trace, sizes: &[Vec<usize>], start: usize, needed: &[bool]) -> bool {
        let fits = |i: usize| {
            let node = &trace.graph.nodes[i];
            let Kind::Op(op) = &node.kind else {
                return true;
            };
            if matches!(op, Op::ReflectPad(_) | Op::CropTo | Op::Normalize(_)) {
                return sizes[i] == sizes[node.inputs[0]] || matches!(op, Op::Normalize(_));
            }
            let maps = node
                .inputs
                .iter()
                .map(|&input| cut_shape(self.seen(input, i), &sizes[input]));
            let maps: Vec<_> = maps.collect();
            let parameters = node
                .parameters
                .iter()
                .map(|p| p.as_deref().map(Tensor::shape));
            let inputs: Vec<_> = maps
                .iter()
                .map(|shape| Some(&shape[..]))
                .chain(parameters)
                .collect();
            op.shape(&inputs)
                .is_ok_and(|shape| shape == cut_shape(self.boxes[i].as_ref(), &sizes[i]))
        };
        (0..=start).filter(|&i| needed[i]).all(fits)
    }

    /// The part of a node's map that node `reader` works on (its own patch for the node itself).
    pub fn cut(&self, i: usize, reader: usize, value: &Arc<Tensor>) -> Result<Arc<Tensor>> {
        let Some([rows, columns]) = self.seen(i, reader) else {
            return Ok(value.clone());
        };
        let rank = value.rank();
        let [h, w] = [value.shape()[rank - 2], value.shape()[rank - 1]];
        let planes = value.data().chunks_exact(h * w);
        let data = planes.flat_map(|plane| {
            rows.clone()
                .flat_map(move |y| &plane[y * w..][columns.clone()])
        });
        Tensor::new(
            &cut_shape(Some(&[rows.clone(), columns.clone()]), value.shape()),
            data.copied().collect(),
        )
        .map(Arc::new)
    }

    /// A position of a node in its patch.
    pub fn local(&self, i: usize, at: &[usize]) -> Vec<usize> {
        let mut at = at.to_vec();
        if let Some([rows, columns]) = &self.boxes[i] {
            let rank = at.len();
            at[rank - 2] -= rows.start;
            at[rank - 1] -= columns.start;
        }
        at
    }

    /// The gradient that node `from` gives its input, as the input wants it: whole nodes get it amid zeros.
    pub fn widen(
        &self,
        from: usize,
        input: usize,
        part: Tensor,
        values: &[Option<Arc<Tensor>>],
    ) -> Result<Tensor> {
        let (Some(_), None) = (&self.boxes[from], &self.boxes[input]) else {
            return Ok(part);
        };
        let [rows, columns] = &self.picture;
        let shape = values[input].as_deref().map_or(&[][..], Tensor::shape);
        let mut whole = Tensor::from_fn(shape, |_| 0.0)?;
        let [h, w] = [shape[shape.len() - 2], shape[shape.len() - 1]];
        let planes = whole.data_mut().chunks_exact_mut(h * w);
        for (to, from) in planes.zip(part.data().chunks_exact(rows.len() * columns.len())) {
            for (y, from) in rows.clone().zip(from.chunks_exact(columns.len())) {
                to[y * w..][columns.clone()].copy_from_slice(from);
            }
        }
        Ok(whole)
    }
}

/// A map's shape inside a rectangle.
fn cut_shape(rectangle: Option<&[Range<usize>; 2]>, full: &[usize]) -> Vec<usize> {
    let mut shape = full.to_vec();
    if let (Some([rows, columns]), [.., h, w]) = (rectangle, &mut shape[..]) {
        (*h, *w) = (rows.len(), columns.len());
    }
    shape
}
