//! Receptive fields: index sets, carried backwards through every operator.

use super::{Graph, Kind, refuse};
use crate::error::{Error, Result};
use crate::ops::field::Field;
use crate::window::Rect;

impl Graph {
    /// The exact receptive field of one position of a node: the smallest rectangle of the image, both ends included and
    /// clipped to it, that holds all pixels which the value can depend on. `at` is (y, x) in the node's map, or the index in
    /// a list of features; all channels count. `None` if it depends on no pixel.
    ///
    /// Statistics of the whole image (`normalize`) count as constants.
    ///
    /// # Errors
    /// If there is no such node or position, or the image does not suit the network.
    pub fn receptive_field(
        &self,
        name: &str,
        at: &[usize],
        input: &[usize],
    ) -> Result<Option<Rect>> {
        let start = self.find(name)?;
        if input.len() < 3 {
            return Err(refuse(format!(
                "only pictures have receptive fields; the input has the shape {}",
                crate::error::tuple(input)
            )));
        }
        let sizes = self.sizes(input)?;
        let shape = &sizes[start];
        let fits = at.len() <= shape.len() && at.len() <= 2;
        let place = &shape[shape.len().saturating_sub(at.len())..];
        if !fits || at.is_empty() || at.iter().zip(place).any(|(i, n)| i >= n) {
            return Err(Error::Position {
                op: "graph".into(),
                of: "node",
                shape: shape.clone(),
                got: at.to_vec(),
            });
        }
        let mut field = Field::all(shape);
        let one = Field::at(place, at);
        let axes = field.0.len() - at.len();
        field.0.truncate(axes);
        field.0.extend(one.0);
        let mut fields: Vec<Option<Field>> = vec![None; start + 1];
        fields[start] = Some(field);
        for i in (1..=start).rev() {
            let Some(field) = fields[i].take() else {
                continue;
            };
            let Kind::Op(op) = &self.nodes[i].kind else {
                continue;
            };
            let node = &self.nodes[i];
            let maps = node.inputs.iter().map(|&input| Some(&sizes[input][..]));
            let parameters = node
                .parameters
                .iter()
                .map(|p| p.as_deref().map(|p| p.shape()));
            let inputs: Vec<_> = maps.chain(parameters).collect();
            for (&input, part) in node.inputs.iter().zip(op.field(&inputs, &field)?) {
                match (&mut fields[input], part) {
                    (_, None) => {}
                    (Some(old), Some(part)) => old.unite(&part),
                    (none, part) => *none = part.filter(|part| !part.is_empty()),
                }
            }
        }
        let Some(field) = fields.swap_remove(0).filter(|field| !field.is_empty()) else {
            return Ok(None);
        };
        let rank = input.len();
        let range = |axis| {
            field
                .range(axis)
                .ok_or_else(|| refuse("an empty field".into()))
        };
        let ([top, bottom], [left, right]) = (range(rank - 2)?, range(rank - 1)?);
        Ok(Some(Rect {
            top: top as i64,
            left: left as i64,
            bottom: bottom as i64,
            right: right as i64,
        }))
    }
}
