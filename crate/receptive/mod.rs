//! Receptive fields: what a pixel of a deep map sees of the picture.
//!
//! Follows Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019. Every map
//! of a stack has, along each axis,
//!
//! * a **size** r: pixels from the first to the last one that an output can see; a layer with a kernel of k taps,
//!   d apart, adds d·(k − 1)·j to it,
//! * a **jump** j: pixels between the centres of neighbouring outputs; a stride multiplies it, upsampling divides it,
//! * a **start**: coordinate of the centre of output 0's field, the picture's first pixel lying at 0; a layer moves it
//!   by (d·(k − 1)/2 − p)·j.
//!
//! So output i sees r pixels around start + i·j. That holds for convolutions and pooling. Upsampling breaks it: neighbours
//! share fields, and behind an even kernel their sizes differ. Then [`Field::regular`] is false and the numbers say so.
//! Exact answers for a single output, at the rim too and through branches, come from [`Network::rects`] and
//! [`Network::paths`].
//!
//! ```
//! use kernelscope::options::{Options, Value};
//! use kernelscope::receptive::Network;
//!
//! let conv = Value::Object([("kind".into(), "conv".into()), ("kernel".into(), 3usize.into()), ("padding".into(), 1usize.into())].into());
//! let network = Network::read(&[conv.clone(), conv.clone(), conv], &[32, 32])?;
//! assert_eq!(network.chain()[3].size, [Some(7), Some(7)]); // three 3×3 see 7×7
//!
//! let seen = network.rects([0, 16])?[0].rect.expect("it sees the picture");
//! assert_eq!((seen.top, seen.bottom, seen.left, seen.right), (0, 3, 13, 19)); // the rim cuts it
//!
//! let ways = network.paths([16, 16])?;
//! assert_eq!(ways.get(&[0, 16, 16]), Some(49.0)); // 7 · 7 ways lead through the middle, one from each corner
//! assert_eq!(ways.get(&[0, 13, 13]), Some(1.0));
//! # Ok::<(), kernelscope::Error>(())
//! ```
//!
//! ## Layers
//!
//! A layer is an object. Numbers may be pairs [vertical, horizontal].
//!
//! | kind | options (defaults) |
//! |---|---|
//! | `conv` | kernel, stride (1), padding (0, "same", "valid"), dilation (1), paddingMode ("zeros") |
//! | `maxpool` | kernel, stride (kernel), padding (0), dilation (1), ceilMode (false) |
//! | `avgpool` | kernel, stride (kernel), padding (0), ceilMode (false) |
//! | `upsample` | scale, mode ("nearest", "bilinear" with `align_corners = False`) |
//! | `convtranspose` | kernel, stride (1), padding (0), outputPadding (0), dilation (1); or `scale` for kernel and stride |
//! | `concat`, `add` | from: number of the layer, or list of layers, whose output joins the previous one |
//!
//! Layers are numbered from 0; −1 is the picture. A layer reads the previous one. `from` on a layer that does not join
//! makes it read that one instead, which begins a branch. Every layer may have a `name`. `conv` and `convtranspose` may have
//! `channels` (and `groups`, `bias`): with the picture's channels given too, parameters are counted.

mod layer;
mod paths;
mod repeating;
mod step;

use crate::error::{Error, Result};
use crate::options::Value;
use crate::tensor::Tensor;
use crate::window::Rect;
use layer::{Laid, Size};
use paths::Paths;
use repeating::Repeating;
use serde::Serialize;
use std::collections::BTreeSet;

const OP: &str = "receptive field";

/// Layers laid over a picture. Its *maps* are the picture (0) and the output of every layer (layer i gives map i + 1).
#[derive(Clone, Debug)]
pub struct Network {
    picture: Size,
    layers: Vec<Laid>,
}

/// A map and the receptive fields of its pixels in the picture, along [vertical, horizontal].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The layer's name; "picture" for map 0.
    pub name: String,
    /// The layer's kind; "picture" for map 0.
    pub kind: &'static str,
    /// Height and width of the map.
    pub out: [usize; 2],
    /// Channels of the map, where they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Parameters of the layer, where channels were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<usize>,
    /// Pixels that an output sees if the rim does not cut its field; `null` where that depends on the place.
    pub size: [Option<i64>; 2],
    /// The smallest and the largest field; `null` where branches see places that drift apart, or some outputs nothing.
    pub sizes: [Option<[i64; 2]>; 2],
    /// Pixels from an output's field to its neighbour's, on average; `null` as `sizes`.
    pub jump: [Option<f64>; 2],
    /// Centre of output 0's field, the picture's first pixel being 0, as if it had no rim; of irregular fields the start of
    /// the line through the centres. `null` as `sizes`.
    pub start: [Option<f64>; 2],
    /// Whether every output i sees exactly `size` pixels around `start + i·jump`.
    pub regular: bool,
}

/// What a chosen output sees of one map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The map: 0 is the picture, i + 1 the output of layer i.
    pub map: usize,
    /// Its name.
    pub name: String,
    /// Its height and width.
    pub size: [usize; 2],
    /// The smallest rectangle around all its places that the output depends on; `null` if there is none.
    pub rect: Option<Rect>,
    /// The same if maps had no rim and padding were picture: it may reach beyond. For the reading of reflecting or circular
    /// padding, which sees pixels elsewhere, look at `rect`.
    pub unclipped: Option<Rect>,
}

impl Network {
    /// Reads layers and lays them over a picture of shape (H, W) or (C, H, W).
    ///
    /// # Errors
    /// On unknown kinds and options, impossible values, and maps that do not fit together. The message names the layer.
    pub fn read(layers: &[Value], input: &[usize]) -> Result<Network> {
        let (size, channels) = match *input {
            [h, w] => ([h, w], None),
            [c, h, w] => ([h, w], Some(c)),
            _ => ([0, 0], None),
        };
        if size.contains(&0) || channels == Some(0) {
            let expected = "(H, W) or (C, H, W) of at least 1 each".into();
            return Err(Error::Shape {
                op: OP.into(),
                input: "the picture".into(),
                expected,
                got: input.to_vec(),
            });
        }
        let picture = Size { size, channels };
        let mut maps = vec![picture];
        let mut laid = Vec::new();
        for (index, value) in layers.iter().enumerate() {
            let layer = layer::lay(index, value, &maps)?;
            maps.push(layer.output);
            laid.push(layer);
        }
        Ok(Network {
            picture,
            layers: laid,
        })
    }

    /// The picture and every layer's output, with their fields.
    pub fn chain(&self) -> Vec<Field> {
        let mut fields: Vec<[Option<Repeating>; 2]> =
            vec![[0, 1].map(|_| Some(Repeating::input()))];
        let mut chain = vec![describe(
            "picture",
            "picture",
            self.picture,
            None,
            &fields[0],
        )];
        for layer in &self.layers {
            let axis = |i: usize| {
                let through =
                    |&source: &usize| fields[source][i].as_ref()?.through(&layer.steps[i]);
                let mut sources = layer.sources.iter().map(through);
                let first = sources.next()??;
                sources.try_fold(first, |all, next| all.with(&next?))
            };
            let field = [axis(0), axis(1)];
            chain.push(describe(
                &layer.name,
                layer.kind.name(),
                layer.output,
                layer.parameters,
                &field,
            ));
            fields.push(field);
        }
        chain
    }

    /// What output `at` of the last layer sees of every map, the picture first.
    ///
    /// # Errors
    /// If `at` lies outside the last map.
    pub fn rects(&self, at: [usize; 2]) -> Result<Vec<Seen>> {
        let paths = self.walk(at)?;
        // Rows and columns of each map, as if it had no rim.
        let mut free: Vec<[BTreeSet<i64>; 2]> = vec![Default::default(); paths.len()];
        free[self.layers.len()] = at.map(|i| [i as i64].into());
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let read = |axis: usize| {
                free[i + 1][axis]
                    .iter()
                    .flat_map(move |&m| layer.steps[axis].unlimited(m))
            };
            let read: [BTreeSet<i64>; 2] = [read(0).collect(), read(1).collect()];
            if read.iter().any(BTreeSet::is_empty) {
                continue;
            }
            for &source in &layer.sources {
                for (to, read) in free[source].iter_mut().zip(&read) {
                    to.extend(read);
                }
            }
        }
        let seen = |(map, (paths, free)): (usize, (&Option<Paths>, [BTreeSet<i64>; 2]))| {
            let (name, size) = match map.checked_sub(1) {
                None => ("picture", self.picture.size),
                Some(layer) => (
                    self.layers[layer].name.as_str(),
                    self.layers[layer].output.size,
                ),
            };
            Seen {
                map,
                name: name.into(),
                size,
                rect: paths.as_ref().and_then(Paths::rect),
                unclipped: around(&free),
            }
        };
        Ok(paths.iter().zip(free).enumerate().map(seen).collect())
    }

    /// In how many ways each pixel of the picture reaches output `at` of the last layer, shape (1, H, W): the gradient that
    /// weights of one would give. Exact up to 2²⁴, then rounded.
    ///
    /// # Errors
    /// If `at` lies outside the last map.
    pub fn paths(&self, at: [usize; 2]) -> Result<Tensor> {
        let paths = self.walk(at)?;
        let [h, w] = self.picture.size;
        Tensor::new(&[1, h, w], Paths::spread([h, w], paths[0].as_ref()))
    }

    /// As [`Network::paths`], but every count as a share of the largest one, which comes second. Counts grow like 9 to the
    /// power of the layers: the shares stay exact to a float's seven digits where the counts themselves would not fit.
    ///
    /// # Errors
    /// If `at` lies outside the last map.
    pub fn shares(&self, at: [usize; 2]) -> Result<(Tensor, f64)> {
        let paths = self.walk(at)?.swap_remove(0);
        let most = paths.as_ref().map_or(0.0, Paths::most);
        let shares = paths.map(|paths| paths.divided(most));
        let [h, w] = self.picture.size;
        let map = Tensor::new(&[1, h, w], Paths::spread([h, w], shares.as_ref()))?;
        Ok((map, most))
    }

    /// The ways from every map to the chosen output.
    fn walk(&self, at: [usize; 2]) -> Result<Vec<Option<Paths>>> {
        let [h, w] = self
            .layers
            .last()
            .map_or(self.picture.size, |layer| layer.output.size);
        if at[0] >= h || at[1] >= w {
            return Err(Error::Position {
                op: OP.into(),
                of: "last map",
                shape: vec![h, w],
                got: at.to_vec(),
            });
        }
        let mut paths = vec![None; self.layers.len() + 1];
        paths[self.layers.len()] = Some(Paths::from(at));
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let Some(back) = paths[i + 1]
                .as_ref()
                .and_then(|paths: &Paths| paths.back(&layer.steps))
            else {
                continue;
            };
            for &source in &layer.sources {
                match &mut paths[source] {
                    Some(sum) => sum.add(&back),
                    none => *none = Some(back.clone()),
                }
            }
        }
        Ok(paths)
    }
}

fn describe(
    name: &str,
    kind: &'static str,
    map: Size,
    params: Option<usize>,
    fields: &[Option<Repeating>; 2],
) -> Field {
    let each = |i: usize| fields[i].as_ref();
    let sizes = [0, 1].map(|i| each(i).map(Repeating::sizes));
    Field {
        name: name.into(),
        kind,
        out: map.size,
        channels: map.channels,
        params,
        size: sizes.map(|sizes| {
            sizes
                .filter(|[smallest, largest]| smallest == largest)
                .map(|[size, _]| size)
        }),
        sizes,
        jump: [0, 1].map(|i| each(i).map(Repeating::jump)),
        start: [0, 1].map(|i| each(i).map(Repeating::start)),
        regular: fields
            .iter()
            .all(|field| field.as_ref().is_some_and(Repeating::is_regular)),
    }
}

fn around([rows, columns]: &[BTreeSet<i64>; 2]) -> Option<Rect> {
    let (&top, &bottom) = (rows.first()?, rows.last()?);
    let (&left, &right) = (columns.first()?, columns.last()?);
    Some(Rect {
        top,
        left,
        bottom,
        right,
    })
}
