//! Networks against PyTorch (tests/golden/models, written by training/golden/models.py): every map, gradients; and against
//! themselves: explanations, fused and unfused runs, receptive fields, shares, and the shipped network on the micrograph.
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{part, path, positions};
use kernelscope::graph::{Description, Graph, Keep, Trace};
use kernelscope::map::Map;
use kernelscope::metrics::{Settings, metrics};
use kernelscope::models::{self, Blueprint, Unet, Up};
use kernelscope::options::{Options, Value};
use kernelscope::weights::{self, Precision};
use kernelscope::{Result, Tensor};
use std::sync::Arc;

const CASES: [&str; 7] = [
    "unet-nearest",
    "unet-bilinear-odd",
    "unet-transposed",
    "unet-norm-odd",
    "unet-no-skips",
    "lenet5",
    "residual",
];

struct Golden {
    graph: Arc<Graph>,
    maps: Map<String, Tensor>,
    gradients: Vec<(String, Vec<usize>, Tensor)>,
}

fn golden(name: &str) -> Golden {
    let model = common::golden_model(name);
    let json: serde_json::Value = serde_json::from_str(&model.metadata["gradients"]).expect("JSON");
    let gradients = json
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
        .map(|(i, place)| {
            let node = place["node"].as_str().expect("a name").to_string();
            (
                node,
                common::sizes(&place["at"]),
                model.tensors[&format!("gradient:{i}")].clone(),
            )
        });
    Golden {
        gradients: gradients.collect(),
        graph: model.graph,
        maps: model.maps,
    }
}

fn run(graph: &Arc<Graph>, image: &Tensor, keep: &Keep) -> Trace {
    graph.run(image.clone(), keep).expect("a run")
}

/// The largest difference, relative to numbers above 1.
fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    let both = a.data().iter().zip(b.data());
    both.map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, f32::max)
}

#[test]
fn every_map_is_pytorchs() {
    for name in CASES {
        let golden = golden(name);
        let trace = run(&golden.graph, &golden.maps["image"], &Keep::All);
        let shapes = golden
            .graph
            .shapes(golden.maps["image"].shape())
            .expect(name);
        assert_eq!(shapes.len(), golden.maps.len(), "{name}");
        for (node, map) in &golden.maps {
            let got = trace.node(node).expect(name);
            assert_eq!(shapes[node], map.shape(), "{name}: {node}");
            assert!(
                difference(&got, map) < 1e-4,
                "{name}: {node} differs by {}",
                difference(&got, map)
            );
        }
    }
}

#[test]
fn every_gradient_is_autograds() {
    for name in CASES {
        let golden = golden(name);
        let trace = run(&golden.graph, &golden.maps["image"], &Keep::Output);
        let says = |wanted: &Tensor| wanted.data().iter().any(|g| *g != 0.0);
        let count = golden
            .gradients
            .iter()
            .filter(|(.., wanted)| says(wanted))
            .count();
        assert!(
            count >= 2,
            "{name}: only {count} gradients are not all zero"
        );
        for (node, at, wanted) in &golden.gradients {
            let got = trace.gradient(node, at).expect(name);
            assert!(
                difference(&got, wanted) < 1e-4,
                "{name}: {node} at {at:?} differs"
            );
        }
    }
}

#[test]
fn blueprints_are_the_same_networks() -> Result<()> {
    let unet = |channels: &[usize]| Unet {
        channels: channels.to_vec(),
        ..Unet::default()
    };
    let rule = |pairs: &[(&str, Value)]| {
        Some(
            pairs
                .iter()
                .map(|(k, v)| (k.to_string(), v.clone()))
                .collect::<Options>(),
        )
    };
    let cases: [(&str, Blueprint); 7] = [
        ("unet-nearest", unet(&[3, 4, 5]).blueprint()?),
        (
            "unet-bilinear-odd",
            Unet {
                up: Up::Bilinear,
                classes: 3,
                normalize: rule(&[("rule", "meanStd".into())]),
                ..unet(&[3, 4, 5])
            }
            .blueprint()?,
        ),
        (
            "unet-transposed",
            Unet {
                up: Up::Transposed,
                classes: 1,
                in_channels: 2,
                normalize: rule(&[
                    ("rule", "fixed".into()),
                    ("mean", 0.4.into()),
                    ("std", 0.2.into()),
                ]),
                ..unet(&[3, 4])
            }
            .blueprint()?,
        ),
        (
            "unet-norm-odd",
            Unet {
                up: Up::Transposed,
                norm: true,
                normalize: rule(&[
                    ("rule", "percentile".into()),
                    ("low", 5.0.into()),
                    ("high", 90.0.into()),
                ]),
                ..unet(&[3, 4, 5])
            }
            .blueprint()?,
        ),
        (
            "unet-no-skips",
            Unet {
                skips: false,
                ..unet(&[3, 4, 5])
            }
            .blueprint()?,
        ),
        ("lenet5", models::lenet5()),
        ("residual", models::residual(4, 2)),
    ];
    for (name, plan) in cases {
        let golden = golden(name);
        let nodes: Vec<Description> = golden.graph.describe().cloned().collect();
        assert_eq!(nodes, plan.nodes, "{name}");
        for (parameter, tensor) in golden.graph.parameters() {
            assert_eq!(
                tensor.shape(),
                plan.shapes[&parameter],
                "{name}: {parameter}"
            );
        }
        assert_eq!(golden.graph.count(), plan.count(), "{name}");
    }
    Ok(())
}

/// Every value of every node (some of large ones), taken apart, is the value of the map, and its terms are values of the
/// nodes that they name.
#[test]
fn explanations_are_the_maps() {
    for name in CASES {
        let golden = golden(name);
        let trace = run(&golden.graph, &golden.maps["image"], &Keep::All);
        for node in golden.graph.describe() {
            let map = trace.node(&node.name).expect(name);
            for at in positions(map.shape()).iter().step_by(17) {
                let explained = trace.explain(&node.name, at).expect(name);
                assert_eq!(
                    Some(explained.value),
                    map.get(at),
                    "{name}: {} at {at:?}",
                    node.name
                );
                for term in explained
                    .terms
                    .iter()
                    .filter(|term| !term.padding && term.input != "zero")
                {
                    assert!(
                        node.inputs.iter().any(|input| *input == term.input),
                        "{name}: {}",
                        term.input
                    );
                    let place: Vec<usize> = term.at.iter().map(|&i| i as usize).collect();
                    let source = trace.node(&term.input).expect(name);
                    assert_eq!(
                        source.get(&place),
                        Some(term.x),
                        "{name}: {} at {at:?}",
                        node.name
                    );
                }
            }
        }
    }
}

#[test]
fn plans_agree_and_keep_what_is_asked_for() {
    for name in CASES {
        let golden = golden(name);
        let image = &golden.maps["image"];
        let whole = run(&golden.graph, image, &Keep::All);
        let output = run(&golden.graph, image, &Keep::Output);
        assert!(
            difference(&output.output(), &whole.output()) < 1e-5,
            "{name}"
        );
        assert_eq!(output.kept(), ["image", golden.graph.output()], "{name}");
        let names: Vec<String> = golden
            .graph
            .describe()
            .map(|node| node.name.clone())
            .collect();
        for node in &names {
            let one = run(&golden.graph, image, &Keep::Nodes(vec![node.clone()]));
            assert!(
                one.kept().contains(node) && one.kept().len() <= 3,
                "{name}: {node}"
            );
            let (a, b) = (one.node(node).expect(name), whole.node(node).expect(name));
            assert!(difference(&a, &b) < 1e-5, "{name}: {node}");
        }
        // What was not kept is computed again.
        let middle = &names[names.len() / 2];
        assert!(
            difference(
                &output.node(middle).expect(name),
                &whole.node(middle).expect(name)
            ) < 1e-5
        );
    }
}

fn ramp(seed: usize) -> impl FnMut(usize) -> f32 {
    move |i| ((i * 7919 + seed * 104_729) % 1000) as f32 / 1000.0 + 0.001
}

/// The same nodes with positive weights, so that no gradient cancels and no ReLU holds back.
fn positive(plan: &Blueprint) -> Arc<Graph> {
    let tensor = |(i, (name, shape)): (usize, (&String, &Vec<usize>))| {
        let values = Tensor::from_fn(shape, ramp(i)).expect("a tensor");
        (name.clone(), values)
    };
    let tensors = plan.shapes.iter().enumerate().map(tensor).collect();
    Arc::new(Graph::new(plan.nodes.clone(), tensors).expect("a network"))
}

/// The rectangle around all pixels with a gradient, over several images: a maximum only passes it on to its winner.
fn support(graph: &Arc<Graph>, node: &str, at: &[usize], shape: &[usize]) -> [i64; 4] {
    let mut rect = [i64::MAX, i64::MAX, i64::MIN, i64::MIN];
    let axis = graph.shapes(shape).expect("shapes")[node].len() - 2;
    let channels = graph.shapes(shape).expect("shapes")[node][0];
    for seed in 0..40 {
        let image = Tensor::from_fn(shape, ramp(seed * 31 + 1)).expect("an image");
        let trace = run(graph, &image, &Keep::All);
        for channel in 0..channels {
            let place = if axis == 0 {
                at.to_vec()
            } else {
                [&[channel], at].concat()
            };
            let gradient = trace.gradient(node, &place).expect("a gradient");
            for (i, g) in gradient
                .data()
                .iter()
                .enumerate()
                .filter(|(_, g)| **g != 0.0)
            {
                let (y, x) = ((i / shape[2] % shape[1]) as i64, (i % shape[2]) as i64);
                assert!(*g > 0.0);
                rect = [
                    rect[0].min(y),
                    rect[1].min(x),
                    rect[2].max(y),
                    rect[3].max(x),
                ];
            }
        }
    }
    rect
}

#[test]
fn receptive_fields_are_the_gradients_support() -> Result<()> {
    let ups = [
        (Up::Nearest, true),
        (Up::Bilinear, true),
        (Up::Transposed, true),
        (Up::Nearest, false),
    ];
    for (up, skips) in ups {
        let unet = Unet {
            channels: vec![2, 2, 2],
            up,
            skips,
            ..Unet::default()
        };
        let graph = positive(&unet.blueprint()?);
        for (node, at) in [
            ("logits", [5, 17]),
            ("logits", [0, 0]),
            ("bottleneck.conv1", [1, 4]),
            ("up2", [3, 9]),
            ("pool1", [5, 6]),
        ] {
            let shape = [1, 21, 38];
            let field = graph.receptive_field(node, &at, &shape)?.expect("a field");
            let rect = [field.top, field.left, field.bottom, field.right];
            assert_eq!(
                rect,
                support(&graph, node, &at, &shape),
                "{node} at {at:?}, {up:?}"
            );
        }
    }
    let residual = positive(&models::residual(2, 2));
    let field = residual
        .receptive_field("block2.relu2", &[4, 11], &[1, 16, 20])?
        .expect("a field");
    assert_eq!(
        [field.top, field.left, field.bottom, field.right],
        [0, 6, 9, 16]
    );
    let lenet = Arc::new(models::lenet5().seeded(1)?);
    let field = lenet
        .receptive_field("conv2", &[0, 9], &[1, 32, 32])?
        .expect("a field");
    assert_eq!(
        [field.top, field.left, field.bottom, field.right],
        [0, 18, 13, 31]
    );
    let field = lenet
        .receptive_field("logits", &[3], &[1, 32, 32])?
        .expect("a field");
    assert_eq!(
        [field.top, field.left, field.bottom, field.right],
        [0, 0, 31, 31]
    );
    Ok(())
}

/// A gradient found in a patch of the maps is the gradient found in whole maps, which odd sizes enforce.
#[test]
fn patches_change_no_gradient() -> Result<()> {
    let unet = Unet {
        channels: vec![3, 4],
        normalize: Some(
            [
                ("rule".to_string(), "fixed".into()),
                ("std".to_string(), 0.5.into()),
            ]
            .into(),
        ),
        ..Unet::default()
    };
    let graph = Arc::new(unet.blueprint()?.seeded(3)?);
    let wide = Tensor::from_fn(&[1, 64, 64], ramp(5))?;
    // The same picture one row shorter is padded with its last row but one, so far from there nothing changes.
    let short = Tensor::new(&[1, 63, 64], wide.data()[..63 * 64].to_vec())?;
    for at in [[1, 20, 31], [0, 0, 0], [0, 30, 63]] {
        let patched = run(&graph, &wide, &Keep::All).gradient("logits", &at)?;
        let whole = run(&graph, &short, &Keep::All).gradient("logits", &at)?;
        let same = patched.data()[..60 * 64].iter().zip(whole.data());
        assert!(same.clone().all(|(a, b)| (a - b).abs() < 1e-6), "{at:?}");
        assert!(same.clone().any(|(a, _)| *a != 0.0));
    }
    Ok(())
}

#[test]
fn shares_sum_to_the_value() {
    for name in [
        "unet-nearest",
        "unet-bilinear-odd",
        "unet-transposed",
        "unet-norm-odd",
        "residual",
    ] {
        let golden = golden(name);
        let trace = run(&golden.graph, &golden.maps["image"], &Keep::All);
        let node = if name == "residual" {
            "block2.conv2"
        } else {
            "logits"
        };
        let map = trace.node(node).expect(name);
        for at in positions(map.shape()).iter().step_by(7) {
            let shares = trace.shares(node, at).expect(name);
            let value = map.get(at).expect("inside");
            assert_eq!(shares.value, value);
            let sum: f32 =
                shares.paths.iter().map(|path| path.value).sum::<f32>() + shares.constant;
            assert!(
                (sum - value).abs() < 1e-4,
                "{name} at {at:?}: paths make {sum}, not {value}"
            );
            let own = shares.summands.expect("a convolution is a sum");
            let sum: f32 = own.parts.iter().map(|part| part.value).sum::<f32>() + own.bias;
            assert!(
                (sum - value).abs() < 1e-4,
                "{name} at {at:?}: parts make {sum}, not {value}"
            );
            for concatenation in &shares.concatenations {
                let map = trace.node(&concatenation.node).expect(name);
                for (channel, sums) in concatenation.channels.iter().enumerate() {
                    let [y, x] = concatenation.at;
                    assert_eq!(Some(sums.value), map.get(&[channel, y, x]));
                    assert_eq!(sums.parts.len(), 2);
                    let sum: f32 =
                        sums.parts.iter().map(|part| part.value).sum::<f32>() + sums.bias;
                    assert!(
                        (sum - sums.value).abs() < 1e-4,
                        "{name}: {}",
                        concatenation.node
                    );
                }
            }
        }
    }
}

#[test]
fn shares_name_skips_and_bottleneck() {
    let golden = golden("unet-nearest");
    let trace = run(&golden.graph, &golden.maps["image"], &Keep::All);
    let shares = trace.shares("logits", &[1, 5, 7]).expect("shares");
    let names: Vec<&str> = shares
        .paths
        .iter()
        .map(|path| path.input.as_str())
        .collect();
    assert_eq!(names, ["enc1.relu2", "enc2.relu2", "bottleneck.relu2"]);
    let below: Vec<_> = shares
        .concatenations
        .iter()
        .map(|c| (c.concat.as_str(), c.node.as_str(), c.at))
        .collect();
    assert_eq!(
        below,
        [
            ("cat1", "dec1.conv1", [5, 7]),
            ("cat2", "dec2.conv1", [2, 3])
        ]
    );
    let own = shares.summands.expect("a sum");
    assert_eq!(
        (
            own.parts.len(),
            own.parts[2].channel,
            own.parts[2].input.as_str()
        ),
        (3, Some(2), "dec1.relu2")
    );
    let conv = trace
        .shares("dec1.conv1", &[0, 5, 7])
        .expect("shares")
        .summands
        .expect("a sum");
    assert_eq!(
        conv.parts
            .iter()
            .map(|p| p.input.as_str())
            .collect::<Vec<_>>(),
        ["enc1.relu2", "up1"]
    );
    let message = trace
        .shares("probabilities", &[0, 0, 0])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "graph: \"probabilities\" (softmax) is not linear, so its value has no shares; ask for the node that it reads"
    );
}

#[test]
fn refuses_in_words() -> Result<()> {
    let image = || Description::new("image", "input", &[]).with("channels", 1usize);
    let message = |nodes: Vec<Description>| Graph::new(nodes, Map::new()).unwrap_err().to_string();
    assert_eq!(
        message(vec![]),
        "graph: a graph has 1 to 10000 nodes; got 0"
    );
    let relu = |name: &str, input: &str| Description::new(name, "relu", &[input]);
    assert_eq!(
        message(vec![image(), relu("a", "b"), relu("b", "image")]),
        "graph: the node \"a\" reads \"b\", which is no earlier node"
    );
    assert_eq!(
        message(vec![image(), relu("image", "image")]),
        "graph: two nodes are called \"image\""
    );
    assert_eq!(
        message(vec![image(), Description::new("c", "conv2d", &["image"])]),
        "graph: the node \"c\" lacks its parameter \"weight\""
    );
    assert_eq!(
        message(vec![
            image(),
            Description::new("s", "softmax", &["image"]).with("dim", 3usize)
        ]),
        "graph: the node \"s\" cannot be computed for an image of shape (1, 64, 64): \
         softmax: dim must be from -3 to 2 for 3 dimensions; got 3"
    );
    let lenet = Arc::new(models::lenet5().seeded(1)?);
    let small = Tensor::from_fn(&[1, 20, 20], |_| 0.0)?;
    assert_eq!(
        lenet.run(small, &Keep::Output).unwrap_err().to_string(),
        "graph: the image must have shape (1, 32, 32) or (N, 1, 32, 32); got (1, 20, 20)"
    );
    let trace = lenet.run(Tensor::from_fn(&[1, 32, 32], |_| 0.5)?, &Keep::Output)?;
    assert!(
        trace
            .node("conv9")
            .unwrap_err()
            .to_string()
            .starts_with("graph: there is no node \"conv9\"; nodes: image, ")
    );
    assert!(trace.gradient("logits", &[10]).is_err() && trace.explain("logits", &[1, 1]).is_err());
    assert!(
        lenet
            .receptive_field("conv1", &[28, 0], &[1, 32, 32])
            .is_err()
    );
    assert!(
        lenet
            .run(
                Tensor::from_fn(&[1, 32, 32], |_| 0.5)?,
                &Keep::Nodes(vec!["x".into()])
            )
            .is_err()
    );
    Ok(())
}

#[test]
fn batches_are_images_one_by_one() -> Result<()> {
    let graph = Arc::new(models::tiny(1, 3).seeded(2)?);
    let pair = Tensor::from_fn(&[2, 1, 10, 11], ramp(3))?;
    let both = run(&graph, &pair, &Keep::Output).output();
    for n in 0..2 {
        let one = Tensor::new(&[1, 10, 11], pair.data()[n * 110..][..110].to_vec())?;
        let alone = run(&graph, &one, &Keep::Output).output();
        assert_eq!(alone.data(), &both.data()[n * 3..][..3]);
    }
    Ok(())
}

/// The network that the page ships.
fn shipped() -> weights::Model {
    let bytes = std::fs::read(path("www/models/grains.safetensors")).expect("the network");
    assert!(bytes.len() <= 256 * 1024, "{} bytes", bytes.len());
    weights::load(&bytes).expect("a network")
}

/// Boundary F1 of the shipped network on a part of the titanium micrograph; nothing is scored under the scale bar.
fn titanium(part_of: [usize; 4]) -> f64 {
    let image = part("www/images/grain_ti_sem.png", part_of);
    let traced = part("www/images/grain_ti_sem_boundaries.png", part_of);
    let valid = part("www/images/labels/grain_ti_sem_valid.png", part_of);
    let truth = traced.data().iter().zip(valid.data());
    let truth = truth
        .map(|(t, v)| if *v > 0.0 { t.round() } else { -1.0 })
        .collect();
    let truth = Tensor::new(traced.shape(), truth).expect("a map");
    let trace = run(&Arc::new(shipped().graph), &image, &Keep::Output);
    let output = trace.output();
    let (grain, boundary) = output.data().split_at(output.data().len() / 2);
    let found = boundary
        .iter()
        .zip(grain)
        .map(|(b, g)| f32::from(u8::from(b > g)));
    let found = Tensor::new(traced.shape(), found.collect()).expect("a map");
    let scores = metrics(&found, &truth, &Settings::default()).expect("scores");
    println!("{:?}, IoU {:.3}", scores.boundary, scores.iou[1]);
    scores.boundary.f1
}

#[test]
fn the_shipped_network_is_what_its_blueprint_says() -> Result<()> {
    let model = shipped();
    assert_eq!(model.graph.count(), 121_978);
    assert!(weights::save(&model, Precision::F16).len() < 256 * 1024);
    let plan = Unet {
        channels: vec![8, 16, 32, 64],
        normalize: Some([("rule".to_string(), "meanStd".into())].into()),
        ..Unet::default()
    };
    let nodes: Vec<Description> = model.graph.describe().cloned().collect();
    assert_eq!(nodes, plan.blueprint()?.nodes);
    Ok(())
}

/// tests/golden/networks.json, written by training/golden/networks.py.
#[test]
fn every_node_of_every_shipped_network_is_pytorchs() {
    let cases = common::cases("networks");
    let files = std::fs::read_dir(path("www/models")).expect("the folder");
    let files = files.filter(|file| {
        let name = file.as_ref().expect("a file").file_name();
        name.to_string_lossy().ends_with(".safetensors")
    });
    assert_eq!(cases.len(), files.count());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let file = path(&format!("www/models/{name}.safetensors"));
        let model = weights::load(&std::fs::read(&file).expect(name)).expect(name);
        let [top, left, height, width] = common::sizes(&case["part"])[..] else {
            panic!("a part is top, left, height and width");
        };
        let image = part("www/images/grain_ti_sem.png", [top, left, height, width]);
        let trace = run(&Arc::new(model.graph), &image, &Keep::All);
        let nodes = case["nodes"].as_object().expect("nodes");
        assert_eq!(trace.graph().describe().count(), nodes.len(), "{name}");
        for (node, kept) in nodes {
            let map = trace.node(node).expect(name);
            assert_eq!(map.shape(), common::sizes(&kept["shape"]), "{name}: {node}");
            let places = common::sizes(&kept["at"]);
            let got = places.iter().map(|&i| map.data()[i]).collect();
            let got = Tensor::new(&[places.len()], got).expect(node);
            let wanted =
                Tensor::new(&[places.len()], common::numbers(&kept["values"])).expect(node);
            let off = difference(&got, &wanted);
            assert!(off < 1e-3, "{name}: {node} differs by {off}");
        }
    }
}

#[test]
fn the_shipped_network_finds_the_boundaries_of_titanium() {
    let f1 = titanium([60, 300, 128, 192]);
    assert!(f1 > 0.85, "{f1}");
}

#[test]
#[ignore = "slow without optimisation: cargo test --release --test models -- --ignored"]
fn the_shipped_network_finds_them_in_the_whole_micrograph() {
    let f1 = titanium([0, 0, 425, 710]);
    assert!(f1 > 0.93, "{f1}");
}

/// The page asks while the pointer moves. `cargo test --release --test models -- --ignored --nocapture` prints the times.
#[test]
#[ignore = "measures time"]
fn answers_come_at_once() {
    let graph = Arc::new(shipped().graph);
    let image = part("www/images/grain_ti_sem.png", [20, 174, 256, 256]);
    let time = |what: &str, f: &dyn Fn()| {
        let start = std::time::Instant::now();
        (0..5).for_each(|_| f());
        let milliseconds = start.elapsed().as_secs_f64() * 200.0;
        println!("{what}: {milliseconds:.2} ms");
        milliseconds
    };
    time("run, output kept", &|| {
        drop(run(&graph, &image, &Keep::Output))
    });
    time("run, all kept", &|| drop(run(&graph, &image, &Keep::All)));
    let trace = run(&graph, &image, &Keep::All);
    let explain = time("explain", &|| {
        drop(
            trace
                .explain("bottleneck.conv2", &[9, 30, 31])
                .expect("terms"),
        )
    });
    let shares = time("shares", &|| {
        drop(trace.shares("logits", &[1, 120, 121]).expect("shares"))
    });
    let gradient = time("gradient", &|| {
        drop(
            trace
                .gradient("logits", &[1, 120, 121])
                .expect("a gradient"),
        )
    });
    let field = time("field", &|| {
        graph
            .receptive_field("logits", &[120, 121], &[1, 256, 256])
            .expect("a field");
    });
    assert!(explain < 5.0 && field < 20.0 && shares < 50.0 && gradient < 50.0);
}

/// What the page must show of the shipped network, computed here natively: `tests/golden/shipped.json`, which the browser
/// tests read. `UPDATE_GOLDEN=1 cargo test --test models` rewrites it after the network was trained anew.
#[test]
fn the_page_has_numbers_to_be_held_against() {
    let graph = Arc::new(shipped().graph);
    let image = part("www/images/grain_ti_sem.png", [20, 174, 256, 256]);
    let trace = run(&graph, &image, &Keep::All);
    let places: [(&str, &[usize]); 4] = [
        ("logits", &[1, 166, 82]),
        ("dec1.conv1", &[3, 166, 82]),
        ("bottleneck.conv2", &[5, 20, 10]),
        ("enc1.conv1", &[0, 166, 82]),
    ];
    let explained = places.map(|(node, at)| {
        let explanation = trace.explain(node, at).expect("an explanation");
        serde_json::json!({
            "node": node, "at": at, "value": explanation.value, "bias": explanation.bias,
            "channelSums": explanation.channel_sums(),
        })
    });
    let shares = trace.shares("logits", &[1, 166, 82]).expect("shares");
    let paths: Vec<f32> = shares.paths.iter().map(|part| part.value).collect();
    let sum: f32 = paths.iter().sum::<f32>() + shares.constant;
    assert!(
        (sum - shares.value).abs() < 1e-4 * shares.value.abs(),
        "{sum}, {}",
        shares.value
    );
    let now = serde_json::json!({
        "shares": { "value": shares.value, "paths": paths, "constant": shares.constant },
        "explained": explained,
    });
    let file = path("tests/golden/shipped.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, format!("{now:#}\n")).expect("written");
    }
    let golden = std::fs::read_to_string(&file).expect("the file");
    let golden: serde_json::Value = serde_json::from_str(&golden).expect("JSON");
    assert_alike(&now, &golden, "");
}

/// Numbers to 1e-4 of their size, everything else exactly.
fn assert_alike(one: &serde_json::Value, other: &serde_json::Value, at: &str) {
    use serde_json::Value::{Array, Number, Object};
    match (one, other) {
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().expect("a number"), b.as_f64().expect("a number"));
            assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{at}: {a}, {b}");
        }
        (Array(a), Array(b)) => {
            assert_eq!(a.len(), b.len(), "{at}");
            let pairs = a.iter().zip(b).enumerate();
            pairs.for_each(|(i, (a, b))| assert_alike(a, b, &format!("{at}[{i}]")));
        }
        (Object(a), Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{at}");
            a.iter()
                .for_each(|(key, a)| assert_alike(a, &b[key], &format!("{at}.{key}")));
        }
        _ => assert_eq!(one, other, "{at}"),
    }
}
