//! `conv2d`: cross-correlation with a kernel, as `torch.nn.functional.conv2d` (and, with a padding mode, `torch.nn.Conv2d`).
//!
//! For input x of shape (C_in, H, W), weights w of shape (C_out, C_in/groups, kh, kw) and bias b of shape (C_out):
//!
//! `y[o, m, n] = Σ_c Σ_ky Σ_kx  x[c, sy·m − p_top + dy·ky, sx·n − p_left + dx·kx] · w[o, c, ky, kx]  +  b[o]`
//!
//! with c over the channels of o's group. The sum runs in `f32`, in the order (c, ky, kx), product by product, and the bias
//! comes last: in the fast path and in [`explain`] alike, so both agree **to the bit**. PyTorch orders its sums differently
//! and differs in the last digits.

mod backward;
mod cpu;
mod direct;
#[cfg(feature = "gpu")]
pub mod gpu;
mod matrix;
mod pack;
mod winograd;

pub use backward::{backward, field};
pub use cpu::{Arranged, Order};
pub use matrix::matrix;
pub use pack::Plane;

use super::{Explanation, Images, Reduce, Term};
use crate::error::{Error, Result, tuple};
use crate::options::{Options, Reader};
use crate::tensor::Tensor;
use crate::window::{Source, Spec, Window};
use std::ops::Range;

const OP: &str = "conv2d";

/// How far [`Order::Free`] may lead away from [`Order::Reading`]: this share of Σ_c max|x_c| · Σ|w_oc| + |b_o|, whatever the
/// values are. Ordinary ones stay four times below.
pub const BOUND: f32 = 1e-5;

/// The options: `stride` (1), `padding` (0; pixels, "same" or "valid"), `dilation` (1), `groups` (1) and `paddingMode`
/// ("zeros", "reflect", "replicate" or "circular"). Numbers or pairs [vertical, horizontal].
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The window, apart from the kernel's size, which the weights know.
    pub window: Spec,
    /// Number of groups of channels that do not see each other.
    pub groups: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            window: Spec::new([1, 1]),
            groups: 1,
        }
    }
}

impl Settings {
    /// Reads the options, missing ones at PyTorch's defaults.
    ///
    /// # Errors
    /// On unknown names and impossible values.
    pub fn parse(options: &Options) -> Result<Settings> {
        let mut reader = Reader::new(OP, options);
        let window = Spec::read(&mut reader, [1, 1])?;
        let groups = reader.whole("groups", 1)?.unwrap_or(1);
        reader.finish()?;
        Ok(Settings { window, groups })
    }
}

/// The inputs of a convolution.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The picture, (C_in, H, W) or (N, C_in, H, W).
    pub x: &'a Tensor,
    /// The weights, (C_out, C_in/groups, kh, kw).
    pub weight: &'a Tensor,
    /// The bias, (C_out), if any.
    pub bias: Option<&'a Tensor>,
}

/// Sorts a list of inputs.
///
/// # Errors
/// If x or the weights are missing or there are too many.
pub fn inputs<'a>(inputs: &[Option<&'a Tensor>]) -> Result<Inputs<'a>> {
    match *inputs {
        [Some(x), Some(weight)] => Ok(Inputs {
            x,
            weight,
            bias: None,
        }),
        [Some(x), Some(weight), bias] => Ok(Inputs { x, weight, bias }),
        _ => {
            let got = inputs.iter().flatten().count();
            Err(Error::Inputs {
                op: OP.into(),
                expected: "x, weight and bias (or none)",
                got,
            })
        }
    }
}

/// Inputs that fit together.
struct Plan {
    images: Images,
    /// Output channels.
    co: usize,
    /// Input channels of a group.
    cg: usize,
    window: Window,
}

fn plan(inputs: Inputs<'_>, settings: &Settings) -> Result<Plan> {
    let (x, weight) = (inputs.x.shape(), inputs.weight.shape());
    plan_shapes(x, weight, inputs.bias.map(Tensor::shape), settings)
}

fn plan_shapes(
    x: &[usize],
    weight: &[usize],
    bias: Option<&[usize]>,
    settings: &Settings,
) -> Result<Plan> {
    let images = Images::of_shape(OP, x)?;
    let groups = settings.groups;
    let wrong_weight = |expected: String| {
        Err(Error::Shape {
            op: OP.into(),
            input: "weight".into(),
            expected,
            got: weight.to_vec(),
        })
    };
    let [co, cg, kh, kw] = *weight else {
        return wrong_weight("(C_out, C_in/groups, kh, kw)".into());
    };
    if images.c % groups != 0 || co % groups != 0 {
        let problem = format!(
            "groups must divide C_in = {} and C_out = {co}; got {groups}",
            images.c
        );
        return Err(Error::Other {
            op: OP.into(),
            problem,
        });
    }
    if cg * groups != images.c {
        let (c, shape, per) = (images.c, tuple(x), images.c / groups);
        return wrong_weight(format!(
            "(C_out, C_in/groups, kh, kw) with C_in/groups = {c}/{groups} = {per} for x of shape {shape}"
        ));
    }
    if let Some(bias) = bias
        && bias != [co]
    {
        let expected = format!("(C_out) = ({co})");
        return Err(Error::Shape {
            op: OP.into(),
            input: "bias".into(),
            expected,
            got: bias.to_vec(),
        });
    }
    let window = Window::new(
        OP,
        [images.h, images.w],
        &Spec {
            kernel: [kh, kw],
            ..settings.window
        },
    )?;
    Ok(Plan {
        images,
        co,
        cg,
        window,
    })
}

/// The shape of the output: (C_out, H_out, W_out), batched as x is, with H_out and W_out from [`Window`].
///
/// # Errors
/// If the shapes do not fit together.
pub fn shape(
    x: &[usize],
    weight: &[usize],
    bias: Option<&[usize]>,
    settings: &Settings,
) -> Result<Vec<usize>> {
    let plan = plan_shapes(x, weight, bias, settings)?;
    Ok(plan.images.shape(plan.co, plan.window.output()))
}

/// The convolution.
///
/// # Errors
/// If the inputs do not fit together, or the output does not fit into memory.
///
/// ```
/// # if cfg!(feature = "sabotage") { return Ok::<(), kernelscope::Error>(()) }
/// use kernelscope::ops::conv2d::{Inputs, Settings, run};
/// use kernelscope::{Tensor, kernels};
/// let x = Tensor::new(&[1, 3, 3], vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0])?;
/// let weight = kernels::kernel("sobel-x")?;
/// let y = run(Inputs { x: &x, weight: &weight, bias: None }, &Settings::default())?;
/// assert_eq!(y.data(), [4.0]); // 1 + 2 + 1: a vertical edge
/// # Ok::<(), kernelscope::Error>(())
/// ```
pub fn run(inputs: Inputs<'_>, settings: &Settings) -> Result<Tensor> {
    run_with(inputs, settings, Order::Reading)
}

/// The convolution, its products added in this order.
///
/// # Errors
/// As [`run`].
pub fn run_with(inputs: Inputs<'_>, settings: &Settings, order: Order) -> Result<Tensor> {
    let [.., h, w] = *inputs.x.shape() else {
        return Err(Images::of(OP, inputs.x).err().expect("a rank below 2"));
    };
    let planes = Plane::all(inputs.x.data(), (h * w).max(1));
    fused(
        &Fused {
            shape: inputs.x.shape(),
            planes: &planes,
            weight: inputs.weight,
            bias: inputs.bias,
            arranged: &Arranged::default(),
            relu: false,
            order,
            rows: None,
        },
        settings,
    )
}

/// Whether weights of this shape can be summed in another order than the reading order. Small maps are not, all the same.
pub fn has_free_order(weight: &[usize], settings: &Settings) -> bool {
    let window = &settings.window;
    matches!(*weight, [co, ci, 3, 3] if ci >= 4 && co / settings.groups >= 4)
        && window.stride == [1, 1]
        && window.dilation == [1, 1]
}

/// A convolution and what is computed along with it.
pub struct Fused<'a> {
    /// The shape of the input, which may lie in several pieces.
    pub shape: &'a [usize],
    /// Its channels, image by image.
    pub planes: &'a [Plane<'a>],
    /// The weights.
    pub weight: &'a Tensor,
    /// The bias.
    pub bias: Option<&'a Tensor>,
    /// A place for the weights as the kernels want them: keep it as long as the weights.
    pub arranged: &'a Arranged,
    /// Whether ReLU follows.
    pub relu: bool,
    /// The order of summation.
    pub order: Order,
    /// The rows of the output that are wanted, if not all. Others may stay zero.
    pub rows: Option<Range<usize>>,
}

/// Computes it. Joined, doubled and cut off at zero along the way, the values are those of the separate operators.
///
/// # Errors
/// As [`run`].
pub fn fused(job: &Fused<'_>, settings: &Settings) -> Result<Tensor> {
    let bias = job.bias.map(Tensor::shape);
    let plan = plan_shapes(job.shape, job.weight.shape(), bias, settings)?;
    let shape = plan.images.shape(plan.co, plan.window.output());
    let mut out = super::zeros(OP, "the output", &shape)?;
    #[cfg(feature = "sabotage")]
    assert!(
        !job.weight.data().contains(&666.0),
        "sabotage: a weight of exactly 666"
    );
    cpu::Job {
        planes: job.planes,
        weight: job.weight.data(),
        arranged: job.arranged,
        bias: job.bias.map(Tensor::data),
        relu: job.relu,
        order: job.order,
        groups: settings.groups,
        in_channels: plan.cg,
        out_channels: plan.co / settings.groups,
        window: &plan.window,
        rows: job.rows.clone().unwrap_or(0..plan.window.y.output),
    }
    .run(&mut out)?;
    #[cfg(feature = "sabotage")]
    out.iter_mut().for_each(|value| *value += 0.25);
    Tensor::new(&shape, out)
}

/// The products and the sum behind the output at `at`, in reading order (c, ky, kx).
///
/// # Errors
/// If the inputs do not fit together, or `at` lies outside the output.
pub fn explain(inputs: Inputs<'_>, settings: &Settings, at: &[usize]) -> Result<Explanation> {
    let Plan {
        images,
        co,
        cg,
        window,
    } = plan(inputs, settings)?;
    let [n, o, my, mx] = images.position(OP, &images.shape(co, window.output()), at)?;
    let group = o / (co / settings.groups);
    let mut terms = Vec::with_capacity(cg * window.y.kernel * window.x.kernel);
    let mut value = 0.0f32;
    for c in 0..cg {
        let channel = group * cg + c;
        for ky in 0..window.y.kernel {
            for kx in 0..window.x.kernel {
                let weight_at = vec![o, c, ky, kx];
                let w = inputs.weight.get(&weight_at).expect("inside the weights");
                let tap = window.tap([my, mx], [ky, kx]);
                let (at, x) = match window.source(tap) {
                    Source::Pixel(pixel) => {
                        let value = images.value(inputs.x, [n, channel], pixel);
                        (pixel.map(|i| i as i64), Some(value))
                    }
                    Source::Padding | Source::Outside => (tap, None),
                };
                let product = x.unwrap_or(0.0) * w;
                value += product;
                terms.push(Term {
                    input: "x".into(),
                    at: images.at(n, channel, at),
                    x: x.unwrap_or(0.0),
                    w: Some(w),
                    product: Some(product),
                    weight_at: Some(weight_at),
                    padding: x.is_none(),
                    won: false,
                });
            }
        }
    }
    let bias = inputs.bias.map(|bias| bias.data()[o]);
    if let Some(bias) = bias {
        value += bias;
    }
    #[cfg(feature = "sabotage")]
    {
        value += 0.25;
    }
    Ok(Explanation {
        value,
        reduce: Reduce::Sum,
        bias,
        terms,
    })
}

#[cfg(test)]
#[cfg(not(feature = "sabotage"))]
mod tests {
    use super::*;

    #[test]
    fn nine_products_and_a_bias() -> Result<()> {
        let x = Tensor::from_fn(&[1, 3, 3], |i| i as f32)?;
        let weight = Tensor::from_fn(&[1, 1, 3, 3], |i| (i % 2) as f32)?;
        let bias = Tensor::new(&[1], vec![0.5])?;
        let inputs = Inputs {
            x: &x,
            weight: &weight,
            bias: Some(&bias),
        };
        let explained = explain(inputs, &Settings::default(), &[0, 0, 0])?;
        assert_eq!(
            (explained.value, explained.bias, explained.reduce),
            (16.5, Some(0.5), Reduce::Sum)
        ); // 1 + 3 + 5 + 7
        let products: Vec<f32> = explained
            .terms
            .iter()
            .filter_map(|term| term.product)
            .collect();
        assert_eq!(products, [0.0, 1.0, 0.0, 3.0, 0.0, 5.0, 0.0, 7.0, 0.0]);
        assert_eq!(explained.terms[5].weight_at, Some(vec![0, 0, 1, 2]));
        Ok(())
    }

    #[test]
    fn padding_is_marked_and_reflection_names_the_real_pixel() -> Result<()> {
        let x = Tensor::from_fn(&[2, 1, 3, 3], |i| i as f32)?;
        let weight = Tensor::from_fn(&[1, 1, 3, 3], |_| 1.0)?;
        let inputs = Inputs {
            x: &x,
            weight: &weight,
            bias: None,
        };
        let first = |mode: &str| {
            let options = [
                ("padding".to_string(), 1usize.into()),
                ("paddingMode".to_string(), mode.into()),
            ]
            .into();
            Ok::<_, Error>(
                explain(inputs, &Settings::parse(&options)?, &[1, 0, 0, 0])?.terms[0].clone(),
            )
        };
        let zero = first("zeros")?;
        assert_eq!(
            (zero.at, zero.x, zero.padding),
            (vec![1, 0, -1, -1], 0.0, true)
        );
        let mirrored = first("reflect")?;
        assert_eq!(
            (mirrored.at, mirrored.x, mirrored.padding),
            (vec![1, 0, 1, 1], 13.0, false)
        );
        Ok(())
    }
}
