//! Networks that everyone compares with, and small ones for tests and lessons.

use super::Blueprint;
use crate::options::Value;

fn n(number: usize) -> Value {
    number.into()
}

/// One convolution with bias.
pub fn conv(channels: [usize; 2], kernel: usize) -> Blueprint {
    let mut plan = Blueprint::new(channels[0]);
    plan.conv("conv", channels, kernel, &[("padding", n(kernel / 2))]);
    plan
}

/// LeNet-5 as it is built today (LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998): all channels connected, max pooling,
/// ReLU, ten linear outputs. Input (1, 32, 32).
pub fn lenet5() -> Blueprint {
    let mut plan = Blueprint::new(1);
    plan.nodes[0] = plan.nodes[0].clone().with("size", [32usize, 32]);
    for (i, [came, went]) in [(1, [1, 6]), (2, [6, 16])] {
        plan.conv(&format!("conv{i}"), [came, went], 5, &[]);
        plan.then(&format!("relu{i}"), "relu", &[]);
        plan.then(&format!("pool{i}"), "max_pool2d", &[("kernelSize", n(2))]);
    }
    plan.then("flat", "flatten", &[("startDim", Value::Number(-3.0))]);
    plan.linear("fc1", [400, 120]);
    plan.then("relu3", "relu", &[]);
    plan.linear("fc2", [120, 84]);
    plan.then("relu4", "relu", &[]);
    plan.linear("logits", [84, 10]);
    plan.then("probabilities", "softmax", &[("dim", Value::Number(-1.0))]);
    plan
}

/// A network small enough to draw whole: two convolutions, the mean of every map, one linear layer.
pub fn tiny(in_channels: usize, classes: usize) -> Blueprint {
    let mut plan = Blueprint::new(in_channels);
    plan.conv("conv1", [in_channels, 4], 3, &[("padding", n(1))]);
    plan.then("relu1", "relu", &[]);
    plan.then("pool1", "max_pool2d", &[("kernelSize", n(2))]);
    plan.conv("conv2", [4, 8], 3, &[("padding", n(1))]);
    plan.then("relu2", "relu", &[]);
    plan.then("means", "adaptive_avg_pool2d", &[("outputSize", n(1))]);
    plan.then("flat", "flatten", &[("startDim", Value::Number(-3.0))]);
    plan.linear("logits", [8, classes]);
    plan.then("probabilities", "softmax", &[("dim", Value::Number(-1.0))]);
    plan
}

/// Blocks of (3×3 convolution with padding, ReLU, 2×2 maximum pooling), one for each number of channels.
pub fn blocks(channels: &[usize]) -> Blueprint {
    let mut plan = Blueprint::new(1);
    let mut came = 1;
    for (i, &went) in (1..).zip(channels) {
        plan.conv(&format!("conv{i}"), [came, went], 3, &[("padding", n(1))]);
        plan.then(&format!("relu{i}"), "relu", &[]);
        plan.then(&format!("pool{i}"), "max_pool2d", &[("kernelSize", n(2))]);
        came = went;
    }
    plan
}

/// 3×3 convolutions with padding and a stride of 2, each followed by ReLU, one for each number of channels.
pub fn strided(channels: &[usize]) -> Blueprint {
    let mut plan = Blueprint::new(1);
    let mut came = 1;
    for (i, &went) in (1..).zip(channels) {
        let halve = [("padding", n(1)), ("stride", n(2))];
        plan.conv(&format!("conv{i}"), [came, went], 3, &halve);
        plan.then(&format!("relu{i}"), "relu", &[]);
        came = went;
    }
    plan
}

/// A stack of `blocks` pairs of 3×3 convolutions with `channels` channels each.
pub fn plain(channels: usize, blocks: usize) -> Blueprint {
    stack(channels, blocks, false)
}

/// The same with a shortcut around every pair (He, Zhang, Ren and Sun, CVPR 2016).
pub fn residual(channels: usize, blocks: usize) -> Blueprint {
    stack(channels, blocks, true)
}

fn stack(channels: usize, blocks: usize, shortcut: bool) -> Blueprint {
    let padded = [("padding", n(1))];
    let mut plan = Blueprint::new(1);
    plan.conv("stem", [1, channels], 3, &padded);
    plan.then("stem.relu", "relu", &[]);
    for i in 1..=blocks {
        let before = plan.last();
        plan.conv(&format!("block{i}.conv1"), [channels; 2], 3, &padded);
        plan.then(&format!("block{i}.relu1"), "relu", &[]);
        plan.conv(&format!("block{i}.conv2"), [channels; 2], 3, &padded);
        if shortcut {
            let last = plan.last();
            plan.from(&format!("block{i}.sum"), "add", &[&last, &before], &[]);
        }
        plan.then(&format!("block{i}.relu2"), "relu", &[]);
    }
    plan
}

/// AlexNet as published (Krizhevsky, Sutskever and Hinton, NIPS 2012): some convolutions in two groups, one for each
/// graphics card. Local response normalisation has no parameters and is left out. Input (3, 227, 227).
pub fn alexnet() -> Blueprint {
    let mut plan = Blueprint::new(3);
    plan.nodes[0] = plan.nodes[0].clone().with("size", [227usize, 227]);
    let pool = [("kernelSize", n(3)), ("stride", n(2))];
    // Channels, kernel, stride, padding, groups; whether pooling follows.
    let layers = [
        ([3, 96], 11, 4, 0, 1, true),
        ([96, 256], 5, 1, 2, 2, true),
        ([256, 384], 3, 1, 1, 1, false),
        ([384, 384], 3, 1, 1, 2, false),
        ([384, 256], 3, 1, 1, 2, true),
    ];
    for (i, ([came, went], kernel, stride, padding, groups, pooled)) in
        layers.into_iter().enumerate()
    {
        let i = i + 1;
        let options = [
            ("stride", n(stride)),
            ("padding", n(padding)),
            ("groups", n(groups)),
        ];
        plan.conv(&format!("conv{i}"), [came / groups, went], kernel, &options);
        plan.then(&format!("relu{i}"), "relu", &[]);
        if pooled {
            plan.then(&format!("pool{i}"), "max_pool2d", &pool);
        }
    }
    plan.then("flat", "flatten", &[("startDim", Value::Number(-3.0))]);
    for (i, channels) in [(6, [9216, 4096]), (7, [4096, 4096])] {
        plan.linear(&format!("fc{i}"), channels);
        plan.then(&format!("relu{i}"), "relu", &[]);
    }
    plan.linear("logits", [4096, 1000]);
    plan.then("probabilities", "softmax", &[("dim", Value::Number(-1.0))]);
    plan
}

/// ResNet-50 (He, Zhang, Ren and Sun, CVPR 2016), the stride in the 3×3 convolution. Input (3, 224, 224).
pub fn resnet50() -> Blueprint {
    let mut plan = Blueprint::new(3);
    let conv = |plan: &mut Blueprint,
                name: &str,
                from: &str,
                [came, went]: [usize; 2],
                k: usize,
                stride: usize| {
        plan.from(
            name,
            "conv2d",
            &[from],
            &[("stride", n(stride)), ("padding", n(k / 2))],
        );
        plan.learn(&[("weight", &[went, came, k, k])]);
        plan.norm(&format!("{name}.norm"), went);
        plan.last()
    };
    let last = conv(&mut plan, "stem", "image", [3, 64], 7, 2);
    plan.from("stem.relu", "relu", &[&last], &[]);
    let pool = [("kernelSize", n(3)), ("stride", n(2)), ("padding", n(1))];
    plan.then("pool", "max_pool2d", &pool);
    let mut came = 64;
    for (stage, (blocks, width)) in [(3, 64), (4, 128), (6, 256), (3, 512)]
        .into_iter()
        .enumerate()
    {
        for block in 1..=blocks {
            let name = format!("stage{}.{block}", stage + 1);
            let stride = if stage > 0 && block == 1 { 2 } else { 1 };
            let before = plan.last();
            let went = 4 * width;
            let mut last = before.clone();
            for (i, k, channels, stride) in
                [(1, 1, [came, width], 1), (2, 3, [width, width], stride)]
            {
                last = conv(
                    &mut plan,
                    &format!("{name}.conv{i}"),
                    &last,
                    channels,
                    k,
                    stride,
                );
                plan.from(&format!("{name}.relu{i}"), "relu", &[&last], &[]);
                last = plan.last();
            }
            let main = conv(
                &mut plan,
                &format!("{name}.conv3"),
                &last,
                [width, went],
                1,
                1,
            );
            let around = if block == 1 {
                conv(
                    &mut plan,
                    &format!("{name}.shortcut"),
                    &before,
                    [came, went],
                    1,
                    stride,
                )
            } else {
                before
            };
            plan.from(&format!("{name}.sum"), "add", &[&main, &around], &[]);
            plan.then(&format!("{name}.relu3"), "relu", &[]);
            came = went;
        }
    }
    plan.then("means", "adaptive_avg_pool2d", &[("outputSize", n(1))]);
    plan.then("flat", "flatten", &[("startDim", Value::Number(-3.0))]);
    plan.linear("logits", [2048, 1000]);
    plan.then("probabilities", "softmax", &[("dim", Value::Number(-1.0))]);
    plan
}
