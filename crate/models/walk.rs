//! A walk through a network, layer by layer: what each does to the shape, what it learns, and why, in words.

use super::table::{layers, plan};
use crate::error::{Error, Result};
use crate::graph::Description;
use crate::ops::Op;
use crate::options::Options;
use crate::window::{Axis, Spec, Window};
use serde::Serialize;

/// A layer that changes the shape or learns something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The node's name.
    pub name: String,
    /// The operator.
    pub op: String,
    /// Its settings: "64 filters of 3 × 3, padding 1, stride 2".
    pub settings: String,
    /// What comes in, (C, H, W) or (N).
    pub input: Vec<usize>,
    /// What goes out.
    pub output: Vec<usize>,
    /// Learned numbers.
    pub parameters: u64,
    /// The formula for the shape with this layer's numbers in it.
    pub why_shape: String,
    /// The same for the parameters.
    pub why_parameters: String,
}

/// The walk for a specification of `layer_table`: convolutions, pooling, flattening and dense layers; activations are left out, since they
/// change neither shape nor count.
///
/// # Errors
/// As the table's, and for networks that are no chain of such layers.
pub fn walk(spec: &Options) -> Result<Vec<Step>> {
    let refused = |problem: String| Error::Other {
        op: "walk".into(),
        problem,
    };
    let Some((plan, image)) = plan(spec)? else {
        return Err(refused("this network is no chain of layers".into()));
    };
    let rows = layers(&plan, &image)?;
    let mut steps = Vec::new();
    let mut input = image.to_vec();
    for (node, row) in plan.nodes.iter().zip(&rows) {
        let weight = plan.shapes.get(&format!("{}.weight", node.name));
        let (settings, why_shape, why_parameters) = match node.op.as_str() {
            "input" | "relu" | "sigmoid" | "softmax" | "normalize" => continue,
            "conv2d" => convolution(node, &input, weight.map_or(&[][..], |w| w))?,
            "max_pool2d" | "avg_pool2d" => pooling(node, &input)?,
            "flatten" => {
                let product: Vec<String> = input.iter().map(ToString::to_string).collect();
                let total: usize = input.iter().product();
                let why = format!("{} = {total} values in a row", product.join(" · "));
                ("all values in one row".into(), why, NOTHING.into())
            }
            "linear" => dense(&row.output, &input),
            other => {
                return Err(refused(format!(
                    "\"{}\" ({other}) is no step of a chain",
                    node.name
                )));
            }
        };
        steps.push(Step {
            name: node.name.clone(),
            op: node.op.clone(),
            settings,
            input: std::mem::replace(&mut input, row.output.clone()),
            output: row.output.clone(),
            parameters: row.parameters,
            why_shape,
            why_parameters,
        });
    }
    Ok(steps)
}

const NOTHING: &str = "nothing to learn";

type Words = (String, String, String);

fn convolution(node: &Description, input: &[usize], weight: &[usize]) -> Result<Words> {
    let &[out, came, kh, kw] = weight else {
        return Err(Error::Other {
            op: "walk".into(),
            problem: format!("\"{}\" has no weight (C_out, C_in, kh, kw)", node.name),
        });
    };
    let Op::Conv2d(settings) = Op::parse(&node.op, &node.attributes)? else {
        unreachable!("a conv2d is parsed as one");
    };
    let spec = Spec {
        kernel: [kh, kw],
        ..settings.window
    };
    let window = Window::new(&node.op, [input[1], input[2]], &spec)?;
    let filters = format!(
        "{out} {} of {kh} × {kw}{}",
        if out == 1 { "filter" } else { "filters" },
        moves(&window.y)
    );
    let shape = format!("{}; {out} filters make {out} channels", sides(&window));
    let count = out * (came * kh * kw + 1);
    let parameters = format!("{out} · ({came} · {} + 1) = {count}", kh * kw);
    Ok((filters, shape, parameters))
}

fn pooling(node: &Description, input: &[usize]) -> Result<Words> {
    let spec = match Op::parse(&node.op, &node.attributes)? {
        Op::MaxPool2d(settings) => settings.window,
        Op::AvgPool2d(settings) => settings.window,
        _ => unreachable!("a pooling is parsed as one"),
    };
    let window = Window::new(&node.op, [input[1], input[2]], &spec)?;
    let [kh, kw] = window.kernel();
    let what = if node.op == "max_pool2d" {
        "maximum"
    } else {
        "mean"
    };
    let settings = format!("{what} of {kh} × {kw}{}", moves(&window.y));
    let shape = format!(
        "{}; every channel for itself, so {} remain",
        sides(&window),
        input[0]
    );
    Ok((settings, shape, NOTHING.into()))
}

fn dense(output: &[usize], input: &[usize]) -> Words {
    let (out, came) = (output[0], input[0]);
    (
        format!("{out} units, each of all {came} values"),
        format!("{out} units give {out} values"),
        format!("{out} · ({came} + 1) = {}", out * (came + 1)),
    )
}

/// ", padding 1, stride 2".
fn moves(axis: &Axis) -> String {
    let mut words = String::new();
    if axis.before > 0 {
        words += &format!(", padding {}", axis.before);
    }
    if axis.stride > 1 {
        words += &format!(", stride {}", axis.stride);
    }
    words
}

/// "⌊(256 + 2·1 − 3)/2⌋ + 1 = 128", for both sides where they differ.
fn sides(window: &Window) -> String {
    let side = |axis: &Axis| {
        let (n, p, k, s) = (axis.size, axis.before, axis.span(), axis.stride);
        format!("⌊({n} + 2·{p} − {k})/{s}⌋ + 1 = {}", axis.output)
    };
    let (down, across) = (side(&window.y), side(&window.x));
    if down == across {
        down
    } else {
        format!("{down} down, {across} across")
    }
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;
    use crate::options::Value;

    fn of(network: &str) -> Vec<Step> {
        walk(&[("network".to_string(), Value::Text(network.into()))].into()).unwrap()
    }

    #[test]
    fn four_blocks_go_from_256_to_16() {
        let steps = of("blocks");
        assert_eq!(steps.len(), 8);
        assert_eq!(steps[0].settings, "64 filters of 3 × 3, padding 1");
        assert_eq!(steps[0].why_parameters, "64 · (1 · 9 + 1) = 640");
        assert_eq!(steps[0].parameters, 640);
        assert_eq!(steps[2].parameters, 73_856);
        assert_eq!(steps[7].output, [512, 16, 16]);
        assert!(
            steps[1]
                .why_shape
                .starts_with("⌊(256 + 2·0 − 2)/2⌋ + 1 = 128")
        );
    }

    #[test]
    fn strides_halve_as_pools_do_and_lenet_ends_in_ten() {
        let steps = of("strided");
        assert_eq!(
            steps.iter().map(|step| step.output[1]).collect::<Vec<_>>(),
            [128, 64, 32, 16]
        );
        assert_eq!(
            steps[3].why_shape,
            "⌊(32 + 2·1 − 3)/2⌋ + 1 = 16; 512 filters make 512 channels"
        );
        let steps = of("lenet5");
        assert_eq!(steps.last().unwrap().output, [10]);
        assert_eq!(
            steps.iter().map(|step| step.parameters).sum::<u64>(),
            61_706
        );
        // What the words say is what the table counts.
        for step in of("blocks").iter().chain(&of("lenet5")) {
            if step.parameters > 0 {
                assert!(
                    step.why_parameters
                        .ends_with(&format!("= {}", step.parameters))
                );
            }
            assert!(
                step.why_shape
                    .contains(&step.output[step.output.len() - 1].to_string())
            );
        }
    }

    #[test]
    fn what_is_no_chain_is_refused() {
        let spec = [("network".to_string(), Value::Text("residual".into()))].into();
        assert!(
            walk(&spec)
                .unwrap_err()
                .to_string()
                .contains("no step of a chain")
        );
    }
}
