//! Convolutions whose order of summation is free, against those in reading order and against `explain`; and networks whose
//! nodes are computed along with others, against the same networks computed node by node.
#![cfg(not(feature = "sabotage"))]

use kernelscope::graph::{Description, Graph, Keep};
use kernelscope::map::Map;
use kernelscope::ops::conv2d::{BOUND, Inputs, Order, Settings, run, run_with};
use kernelscope::options::Value;
use kernelscope::window::{Padding, PaddingMode, Spec};
use kernelscope::{Result, Tensor};
use std::sync::Arc;

/// Repeatable noise in −1..1.
fn noise(seed: u32) -> impl FnMut(usize) -> f32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}

fn padded(by: [usize; 2], mode: PaddingMode, groups: usize) -> Settings {
    let window = Spec {
        padding: Padding::By(by),
        mode,
        ..Spec::new([3, 3])
    };
    Settings { window, groups }
}

/// The largest distance of the two orders, as a share of Σ_c max|x_c| · Σ|w_oc| + |b_o|.
fn distance(x: &Tensor, weight: &Tensor, bias: &Tensor, settings: &Settings) -> Result<f32> {
    let inputs = Inputs {
        x,
        weight,
        bias: Some(bias),
    };
    let exact = run(inputs, settings)?;
    let free = run_with(inputs, settings, Order::Free)?;
    assert_eq!(exact.shape(), free.shape());
    let ([.., ci, h, w], &[co, cg, ..]) = (x.shape(), weight.shape()) else {
        unreachable!()
    };
    let [.., ho, wo] = *exact.shape() else {
        unreachable!()
    };
    let plane = |i: usize| &x.data()[i * h * w..][..h * w];
    let mut worst = 0.0f32;
    let maps = exact
        .data()
        .chunks(ho * wo)
        .zip(free.data().chunks(ho * wo));
    for (i, (exact, free)) in maps.enumerate() {
        let (image, o) = (i / co, i % co);
        let group = o / (co / settings.groups);
        let scale: f32 = (0..cg)
            .map(|c| {
                let x = plane(image * ci + group * cg + c).iter();
                let largest = x.fold(0.0f32, |a, b| a.max(b.abs()));
                let w = &weight.data()[(o * cg + c) * 9..][..9];
                largest * w.iter().map(|w| w.abs()).sum::<f32>()
            })
            .sum::<f32>()
            + bias.data()[o].abs();
        for (a, b) in exact.iter().zip(free) {
            assert!(b.is_finite());
            worst = worst.max((a - b).abs() / scale.max(f32::MIN_POSITIVE));
        }
    }
    Ok(worst)
}

#[test]
fn free_order_stays_within_its_bound() -> Result<()> {
    let modes = [
        PaddingMode::Zeros,
        PaddingMode::Reflect,
        PaddingMode::Replicate,
        PaddingMode::Circular,
    ];
    let mut differs = false;
    for (i, (n, ci, co, h, w, by, groups)) in [
        (1, 4, 4, 4, 8, 1, 1),
        (1, 5, 7, 13, 21, 1, 1),
        (2, 8, 8, 9, 33, 0, 2),
        (1, 16, 6, 6, 64, 2, 1),
        (1, 40, 9, 31, 17, 1, 1),
        (3, 12, 16, 18, 50, 1, 4),
    ]
    .into_iter()
    .enumerate()
    {
        for (j, mode) in modes.into_iter().enumerate() {
            let seed = (i * 10 + j) as u32 + 1;
            let x = Tensor::from_fn(&[n, ci, h, w], noise(seed))?;
            let weight = Tensor::from_fn(&[co, ci / groups, 3, 3], noise(seed + 100))?;
            let bias = Tensor::from_fn(&[co], noise(seed + 200))?;
            let distance = distance(&x, &weight, &bias, &padded([by, by], mode, groups))?;
            assert!(distance <= BOUND / 4.0, "case {i}, {mode:?}: {distance:e}");
            differs |= distance > 0.0;
        }
    }
    assert!(
        differs,
        "another algorithm has other roundings: was it used?"
    );
    Ok(())
}

/// Values made to round badly: large ones that cancel, signs that add up in one of the matrices, magnitudes far apart.
#[test]
fn adversarial_values_stay_within_the_bound() -> Result<()> {
    let (ci, co, h, w) = (64, 8, 24, 32);
    let row = [4.0f32, -5.0, 1.0, -4.0, 8.0, -8.0];
    let mut random = noise(7);
    let mut magnitude = |i: usize| random(i) * 10f32.powi(i as i32 % 13 - 6);
    type Values<'a> = Box<dyn FnMut(usize) -> f32 + 'a>;
    let cases: [(&str, Values<'_>); 5] = [
        (
            "large and cancelling",
            Box::new(|i| 1e6 * if i % 2 == 0 { 1.0 } else { -1.0 } + (i % 7) as f32),
        ),
        (
            "the signs of B",
            Box::new(|i| row[i % 6].signum() * row[i / w % 6].signum() * 1.000_000_1),
        ),
        ("far apart", Box::new(&mut magnitude)),
        (
            "nearly constant",
            Box::new(|i| 1000.0 + (i % 3) as f32 * 1e-3),
        ),
        (
            "one spike",
            Box::new(|i| if i % (h * w) == 300 { 1e8 } else { 1e-3 }),
        ),
    ];
    let mut worst = 0.0f32;
    for (name, mut values) in cases {
        let x = Tensor::from_fn(&[ci, h, w], &mut values)?;
        for (kind, weight) in [
            ("random", Tensor::from_fn(&[co, ci, 3, 3], noise(11))?),
            (
                "a Laplacian",
                Tensor::from_fn(&[co, ci, 3, 3], |i| if i % 9 == 4 { 8.0 } else { -1.0 })?,
            ),
            (
                "alternating",
                Tensor::from_fn(&[co, ci, 3, 3], |i| if i % 2 == 0 { 1.0 } else { -1.0 })?,
            ),
        ] {
            let bias = Tensor::from_fn(&[co], noise(13))?;
            let distance = distance(&x, &weight, &bias, &padded([1, 1], PaddingMode::Zeros, 1))?;
            assert!(distance <= BOUND, "{name}, {kind}: {distance:e}");
            worst = worst.max(distance);
        }
    }
    println!("the worst of the adversarial distances: {worst:e}");
    assert!(
        worst > BOUND / 1000.0,
        "the bound {BOUND:e} says nothing: {worst:e}"
    );
    Ok(())
}

/// A network with everything that is computed along: norm and ReLU after a convolution, joined and doubled maps before one.
fn network() -> Result<Arc<Graph>> {
    let conv = |name: &str, from: &str| {
        Description::new(name, "conv2d", &[from])
            .with("padding", 1usize)
            .learned(&["weight", "bias"])
    };
    let nodes = vec![
        Description::new("image", "input", &[]).with("channels", 1usize),
        conv("a", "image"),
        Description::new("a.norm", "batch_norm", &["a"]).learned(&[
            "runningMean",
            "runningVar",
            "weight",
            "bias",
        ]),
        Description::new("a.relu", "relu", &["a.norm"]),
        Description::new("small", "max_pool2d", &["a.relu"]).with("kernelSize", 2usize),
        conv("b", "small"),
        Description::new("b.relu", "relu", &["b"]),
        Description::new("up", "interpolate", &["b.relu"]).with("scaleFactor", 2usize),
        Description::new("joined", "concat", &["a.relu", "up"])
            .with("dim", kernelscope::options::Value::Number(-3.0)),
        conv("c", "joined"),
        Description::new("c.relu", "relu", &["c"]),
        conv("d", "joined"),
        Description::new("sum", "add", &["c.relu", "d"]),
    ];
    let mut tensors = Map::new();
    for (i, (name, co, ci)) in [("a", 4, 1), ("b", 6, 4), ("c", 5, 10), ("d", 5, 10)]
        .into_iter()
        .enumerate()
    {
        tensors.insert(
            format!("{name}.weight"),
            Tensor::from_fn(&[co, ci, 3, 3], noise(i as u32 + 1))?,
        );
        tensors.insert(
            format!("{name}.bias"),
            Tensor::from_fn(&[co], noise(i as u32 + 9))?,
        );
    }
    for (i, slot) in ["runningMean", "runningVar", "weight", "bias"]
        .into_iter()
        .enumerate()
    {
        let mut values = noise(i as u32 + 20);
        tensors.insert(
            format!("a.norm.{slot}"),
            Tensor::from_fn(&[4], |i| values(i).abs() + 0.5)?,
        );
    }
    Ok(Arc::new(Graph::new(nodes, tensors)?))
}

#[test]
fn what_is_computed_along_has_the_same_bits() -> Result<()> {
    let graph = network()?;
    for shape in [vec![1, 16, 24], vec![3, 1, 8, 20]] {
        let x = Tensor::from_fn(&shape, noise(3))?;
        let fused = graph.run(x.clone(), &Keep::Output)?.output();
        // The norm folds wherever it is not kept; everything else is kept here, and so computed by itself.
        let names = graph.describe().map(|node| node.name.clone());
        let apart = Keep::Nodes(names.filter(|name| name != "a").collect());
        let apart = graph.run(
            x.clone(),
            &Keep::Nodes(match apart {
                Keep::Nodes(names) => names.into_iter().filter(|name| name != "a.norm").collect(),
                _ => unreachable!(),
            }),
        )?;
        assert_eq!(fused.data(), apart.output().data(), "{shape:?}");
        for name in ["a.relu", "up", "joined", "c", "c.relu"] {
            let alone = graph.run(x.clone(), &Keep::Nodes(vec![name.into()]))?;
            assert_eq!(alone.node(name)?.data(), apart.node(name)?.data(), "{name}");
            assert_eq!(alone.output().data(), fused.data(), "with {name} kept");
        }
        let free = graph.run_with(x, &Keep::Output, Order::Free)?.output();
        let far = free
            .data()
            .iter()
            .zip(fused.data())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(far > 0.0 && far < 1e-4, "{far:e}");
    }
    Ok(())
}

#[test]
fn a_value_that_is_not_finite_stays_where_it_is_seen() -> Result<()> {
    let graph = network()?;
    let mut x = Tensor::from_fn(&[1, 16, 24], noise(3))?;
    x.data_mut()[0] = f32::NAN;
    let exact = graph.run(x.clone(), &Keep::Output)?.output();
    let free = graph.run_with(x, &Keep::Output, Order::Free)?.output();
    let bits = |x: &Tensor| x.data().iter().map(|v| v.is_nan()).collect::<Vec<_>>();
    assert_eq!(bits(&exact), bits(&free));
    assert!(bits(&exact).contains(&false));
    Ok(())
}

/// Strips, joined, are the whole to the bit, in either order.
#[test]
fn strips_are_the_whole_to_the_bit() -> Result<()> {
    let graph = network()?;
    let (h, w) = (128, 24);
    let x = Tensor::from_fn(&[1, h, w], noise(5))?;
    for order in [Order::Reading, Order::Free] {
        let whole = graph.run_with(x.clone(), &Keep::Output, order)?.output();
        for parts in [2, 3, 4] {
            let tiling = graph.tiling(x.shape(), order, parts, [1e9, 1e9])?;
            assert!(tiling.strips.len() >= parts.min(3), "{tiling:?}");
            let mut next = 0;
            for strip in &tiling.strips {
                assert_eq!(strip.top, next);
                assert!(strip.to - strip.from < h, "{strip:?} saves nothing");
                next = strip.bottom;
                let rows = x.data()[strip.from * w..strip.to * w].to_vec();
                let part = Tensor::new(&[1, strip.to - strip.from, w], rows)?;
                assert!(graph.suits_strip(part.shape(), strip.to - strip.from));
                let taken = strip.skip..strip.skip + strip.bottom - strip.top;
                let part = graph.run_rows(part, order, taken)?;
                assert_eq!(part.shape()[1], strip.bottom - strip.top);
                for c in 0..5 {
                    for y in strip.top..strip.bottom {
                        let from = (c * part.shape()[1] + y - strip.top) * w;
                        let (got, wanted) = (
                            &part.data()[from..][..w],
                            &whole.data()[(c * h + y) * w..][..w],
                        );
                        assert_eq!(
                            got, wanted,
                            "{order:?}, {parts} parts, channel {c}, row {y}"
                        );
                    }
                }
            }
            assert_eq!(next, h);
        }
    }
    Ok(())
}

/// Any rows of a picture's output, computed alone, are those of the whole output.
#[test]
fn rows_alone_are_those_of_the_whole() -> Result<()> {
    let graph = network()?;
    let (h, w) = (96, 24);
    let x = Tensor::from_fn(&[1, h, w], noise(6))?;
    for order in [Order::Reading, Order::Free] {
        let whole = graph.run_with(x.clone(), &Keep::Output, order)?.output();
        for rows in [0..1, 0..96, 5..6, 31..50, 40..41, 77..96, 95..96] {
            let part = graph.run_rows(x.clone(), order, rows.clone())?;
            for (part, whole) in
                (part.data().chunks(rows.len() * w)).zip(whole.data().chunks(h * w))
            {
                assert_eq!(
                    part,
                    &whole[rows.start * w..rows.end * w],
                    "{order:?}, {rows:?}"
                );
            }
        }
    }
    let message = graph
        .run_rows(x, Order::Free, 90..97)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("rows 0 to 96; asked for 90 to 97"),
        "{message}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_split_is_refused_with_its_cost() -> Result<()> {
    let graph = network()?;
    let tiling = graph.tiling(&[1, 64, 64], Order::Reading, 1, [1e9, 1e9])?;
    assert!(
        tiling.strips.is_empty() && tiling.bytes > 64.0 * 64.0 * 4.0 * 10.0,
        "{tiling:?}"
    );
    let message = graph
        .tiling(&[1, 4, 4096], Order::Reading, 1, [1e3, 1e3])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("GB") && message.contains("(1, 4, 4096)"),
        "{message}"
    );
    Ok(())
}

/// A network that does little with much runs strip by strip: joined, they are the whole to the bit. Others are left whole.
#[test]
fn light_networks_run_in_strips_that_stay_near() -> Result<()> {
    let image =
        |channels: usize| Description::new("image", "input", &[]).with("channels", channels);
    let fixed = |shape: &[usize]| {
        let list = shape.iter().map(|&n| n.into()).collect();
        Description::new("image", "input", &[]).with("shape", Value::List(list))
    };
    let conv = Description::new("conv", "conv2d", &["image"])
        .with("padding", 1usize)
        .learned(&["weight"]);
    let pool =
        |from: &str| Description::new("pool", "max_pool2d", &[from]).with("kernelSize", 2usize);
    let weight = |shape: &[usize]| -> Result<Map<String, Tensor>> {
        Ok([("conv.weight".to_string(), Tensor::from_fn(shape, noise(3))?)].into())
    };
    let relu = Description::new("relu", "relu", &["conv"]);
    let light = [
        (
            vec![image(1), conv.clone()],
            weight(&[1, 1, 3, 3])?,
            [1, 1024, 640],
        ),
        (
            vec![fixed(&[8, 384, 512]), pool("image")],
            Map::new(),
            [8, 384, 512],
        ),
        (
            vec![image(2), conv.clone(), relu, pool("relu")],
            weight(&[3, 2, 3, 3])?,
            [2, 802, 514],
        ),
    ];
    for (nodes, tensors, shape) in light {
        let graph = Arc::new(Graph::new(nodes, tensors)?);
        let [c, h, w] = shape;
        let x = Tensor::from_fn(&shape, noise(7))?;
        let whole = graph.run(x.clone(), &Keep::Output)?.output();
        let [channels, height, width] = *whole.shape() else {
            panic!("a picture")
        };
        let strips = graph.light(&shape)?.expect("it does little with much");
        assert!(strips.len() > 3, "{} strips", strips.len());
        let mut next = 0;
        for strip in strips {
            assert_eq!(strip.top, next);
            next = strip.bottom;
            let rows = |c: usize| &x.data()[(c * h + strip.from) * w..(c * h + strip.to) * w];
            let part = (0..c).flat_map(rows).copied().collect();
            let part = Tensor::new(&[c, strip.to - strip.from, w], part)?;
            let taken = strip.skip..strip.skip + strip.bottom - strip.top;
            let map =
                graph
                    .made_for(part.shape())
                    .with_rows(part, Order::Reading, taken.clone())?;
            for c in 0..channels {
                let (own, all) = (c * map.shape()[1] * width, c * height * width);
                let got = &map.data()[own + taken.start * width..own + taken.end * width];
                let wanted = &whole.data()[all + strip.top * width..all + strip.bottom * width];
                assert_eq!(got, wanted, "{shape:?}, rows {}", strip.top);
            }
        }
        assert_eq!(next, height);
    }
    // Small pictures, many products, free sums, too many nodes.
    let heavy = [
        (
            vec![image(1), conv.clone()],
            weight(&[1, 1, 3, 3])?,
            [1, 256, 256],
        ),
        (
            vec![image(1), conv.clone()],
            weight(&[1, 1, 7, 7])?,
            [1, 1024, 640],
        ),
        (
            vec![image(4), conv.clone()],
            weight(&[4, 4, 3, 3])?,
            [4, 512, 512],
        ),
        (
            vec![image(8), pool("image")]
                .into_iter()
                .chain((0..3).map(|i| {
                    let before = if i == 0 {
                        "pool".into()
                    } else {
                        format!("r{}", i - 1)
                    };
                    Description::new(format!("r{i}"), "relu", &[before.as_str()])
                }))
                .collect(),
            Map::new(),
            [8, 384, 512],
        ),
    ];
    for (nodes, tensors, shape) in heavy {
        assert_eq!(
            Graph::new(nodes, tensors)?.light(&shape)?,
            None,
            "{shape:?}"
        );
    }
    Ok(())
}
