//! What each ONNX operator becomes.

pub mod dense;
pub mod resize;
pub mod shape;
mod window;

use super::lower::{Map, Work};
use crate::error::Result;

/// The supported operators, for complaints. Beside them: what `fold` computes.
pub const SUPPORTED: [&str; 29] = [
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean over rows and columns",
    "Relu",
    "LeakyRelu",
    "Sigmoid",
    "Softmax",
    "BatchNormalization",
    "Concat",
    "Add",
    "Gemm",
    "MatMul",
    "Flatten",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Resize",
    "Upsample",
    "Transpose",
    "Pad",
    "Slice",
    "Identity",
    "Dropout",
    "Constant",
    "Shape",
    "Size",
];

/// Adds what a node becomes to the network.
///
/// # Errors
/// If the operator is not supported, or not with these inputs and attributes.
pub fn lower(work: &mut Work<'_, '_>) -> Result<Map> {
    match &*work.node.op {
        "Conv" => window::conv(work),
        "ConvTranspose" => window::conv_transpose(work),
        "MaxPool" => window::max_pool(work),
        "AveragePool" => window::average_pool(work),
        "GlobalAveragePool" => window::global_average_pool(work),
        "ReduceMean" => window::reduce_mean(work),
        "Relu" => plain(work, "relu"),
        "Sigmoid" => plain(work, "sigmoid"),
        "LeakyRelu" => dense::leaky_relu(work),
        "Softmax" => dense::softmax(work),
        "BatchNormalization" => dense::batch_norm(work),
        "Add" => dense::add(work),
        "Gemm" => dense::gemm(work),
        "MatMul" => dense::matmul(work),
        "Concat" => shape::concat(work),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => shape::reshape(work),
        "Transpose" => shape::transpose(work),
        "Pad" => shape::pad(work),
        "Slice" => shape::slice(work),
        "Identity" => work.map(0),
        "Dropout" => shape::dropout(work),
        "Resize" | "Upsample" => resize::resize(work),
        op if super::fold::FOLDED.contains(&op) => Err(work.wrong(
            "computes with a map; this operator is supported on sizes only. Leave it out of the network, or before and after it",
        )),
        _ => Err(work.wrong(format!(
            "is an operator that is not supported. Supported are {}. Replace it in the network by these and export again",
            SUPPORTED.join(", ")
        ))),
    }
}

fn plain(work: &mut Work<'_, '_>, op: &str) -> Result<Map> {
    let x = work.map(0)?;
    work.simple(op, &x, &[], &[])
}
