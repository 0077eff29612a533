//! Operators and networks on a graphics card (Vulkan; an imitated one will do) against PyTorch and the processor, and what runs
//! cost. Needs a Vulkan driver: on Debian `apt-get install mesa-vulkan-drivers`.
#![cfg(all(feature = "gpu-native", not(feature = "sabotage")))]

mod common;

use common::{cases, golden_model, numbers, options, part, sizes, tensor};
use kernelscope::backend::gpu::{Gpu, Stats, Wishes};
use kernelscope::graph::{Graph, Keep};
use kernelscope::map::Map;
use kernelscope::models::Unet;
use kernelscope::ops::Op;
use kernelscope::ops::gpu::Card;
use kernelscope::options::{Options, Value};
use kernelscope::{Result, Tensor, weights};
use pollster::block_on;
use std::sync::Arc;

/// How far a value may lie from the processor's: this share of the largest of the map. One number for all operators: the worst seen
/// is a hundred times smaller.
const TOLERANCE: f32 = 1e-4;
/// The same where maps are stored in half precision.
const HALF: f32 = 2e-2;

/// As an imitated card is served, and as a real one is.
const CARDS: [Card; 2] = [Card { software: true }, Card { software: false }];

fn open(wishes: Wishes) -> Gpu {
    block_on(Gpu::open(wishes)).expect("a Vulkan driver (Debian: mesa-vulkan-drivers)")
}

/// The largest difference, as a share of the largest value.
fn off(got: &Tensor, wanted: &Tensor) -> f32 {
    assert_eq!(got.shape(), wanted.shape());
    let largest = wanted.data().iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let pairs = got.data().iter().zip(wanted.data());
    let worst = pairs.fold(0.0f32, |m, (a, b)| {
        assert!(a.is_finite(), "{a} for {b}");
        m.max((a - b).abs())
    });
    worst / largest.max(f32::MIN_POSITIVE).max(1e-6)
}

fn random(shape: &[usize], seed: u32) -> Tensor {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    Tensor::from_fn(shape, |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
    .expect("a tensor")
}

fn finite(x: &Tensor) -> bool {
    x.data().iter().all(|v| v.is_finite())
}

/// A golden case's inputs.
fn inputs(case: &serde_json::Value) -> Vec<Option<Arc<Tensor>>> {
    if let Some(list) = case.get("inputs") {
        let list = list.as_array().expect("a list").iter();
        return list
            .map(|x| (!x.is_null()).then(|| Arc::new(tensor(x))))
            .collect();
    }
    let named = ["x", "weight", "bias"].map(|name| case.get(name).map(|x| Arc::new(tensor(x))));
    let used = named
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |last| last + 1);
    named[..used].to_vec()
}

#[test]
fn operators_are_pytorchs() {
    let gpu = open(Wishes::default());
    let (mut computed, mut refused) = (0, 0);
    for file in ["conv2d", "pool", "operators"] {
        for case in cases(file) {
            let name = case["name"].as_str().expect("name");
            let inputs = inputs(&case);
            let op = Op::parse(case["op"].as_str().expect("op"), &options(&case["options"]));
            for card in CARDS {
                gpu.choose_as_for(card);
                let result = op.clone().and_then(|op| block_on(gpu.run_op(&op, &inputs)));
                if case.get("error").is_some() {
                    result.expect_err(name);
                    continue;
                }
                if !inputs.iter().flatten().all(|x| finite(x)) {
                    let message = result.expect_err(name).to_string();
                    assert!(message.contains("not finite"), "{name}: {message}");
                    refused += 1;
                    continue;
                }
                let got = result.unwrap_or_else(|e| panic!("{name}: {e}"));
                let wanted = tensor(&case["y"]);
                let off = off(&got, &wanted);
                assert!(off <= TOLERANCE, "{name}, {card:?}: {off:e}");
                computed += 1;
            }
        }
    }
    assert!(
        computed > 600 && refused < 40,
        "{computed} computed, {refused} refused"
    );
}

/// What no golden file has: against the processor.
#[test]
fn the_other_operators_are_the_processors() -> Result<()> {
    let gpu = open(Wishes::default());
    let set = |pairs: &[(&str, Value)]| -> Options {
        pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect()
    };
    let picture = Arc::new(random(&[2, 3, 37, 41], 1));
    let small = Arc::new(random(&[3, 30, 40], 2));
    let alone = |op: Op| (op, vec![Some(picture.clone())]);
    let mut list = vec![
        alone(Op::parse("relu", &set(&[]))?),
        alone(Op::parse(
            "reflect_pad",
            &set(&[("multiple", 16usize.into())]),
        )?),
        alone(Op::parse("normalize", &set(&[]))?),
        (Op::CropTo, vec![Some(picture.clone()), Some(small)]),
    ];
    for (low, high) in [(1.0, 99.0), (0.0, 100.0), (50.0, 50.0), (12.5, 77.7)] {
        let rule = [
            ("rule", Value::from("percentile")),
            ("low", Value::Number(low)),
            ("high", Value::Number(high)),
        ];
        list.push(alone(Op::parse("normalize", &set(&rule))?));
    }
    let fixed = [
        ("rule", Value::from("fixed")),
        ("mean", Value::Number(0.3)),
        ("std", Value::Number(2.5)),
    ];
    list.push(alone(Op::parse("normalize", &set(&fixed))?));
    for (op, inputs) in list {
        let plain: Vec<Option<&Tensor>> = inputs.iter().map(|x| x.as_deref()).collect();
        let got = block_on(gpu.run_op(&op, &inputs))?;
        let off = off(&got, &op.run(&plain)?);
        assert!(off <= TOLERANCE, "{op:?}: {off:e}");
    }
    Ok(())
}

#[test]
fn tails_last_pixels_and_more_groups_than_an_axis_takes() -> Result<()> {
    let gpu = open(Wishes::default());
    let options = |padding: usize| -> Options { [("padding".to_string(), padding.into())].into() };
    // Channels and sizes around the widths of tiles, blocks and vectors.
    for (n, ci, co, h, w, k) in [
        (1, 4, 4, 16, 16, 3),
        (1, 4, 8, 17, 15, 3),
        (2, 5, 9, 33, 31, 3),
        (1, 7, 17, 1, 50, 3),
        (1, 16, 16, 32, 32, 3),
        (3, 8, 2, 19, 23, 1),
        (1, 6, 16, 9, 9, 1),
        (1, 3, 5, 20, 21, 5),
        (1, 1, 1, 2048, 2048, 3),
    ] {
        let x = Arc::new(random(&[n, ci, h, w], 3));
        let weight = Arc::new(random(&[co, ci, k, k], 4));
        let bias = Arc::new(random(&[co], 5));
        let op = Op::parse("conv2d", &options(k / 2))?;
        let wanted = op.run(&[Some(&x), Some(&weight), Some(&bias)])?;
        for card in CARDS {
            gpu.choose_as_for(card);
            let inputs = [Some(x.clone()), Some(weight.clone()), Some(bias.clone())];
            let got = block_on(gpu.run_op(&op, &inputs))?;
            let off = off(&got, &wanted);
            assert!(
                off <= TOLERANCE,
                "{ci}→{co}, {k}×{k} on {n}×{h}×{w}, {card:?}: {off:e}"
            );
            let last = got.data().len() - 1;
            assert!((got.data()[last] - wanted.data()[last]).abs() < 1e-4);
        }
    }
    // 65,537 groups of 64 threads, the last one with a single thread.
    let x = Arc::new(random(&[65_536 * 64 + 1], 6));
    let got = block_on(gpu.run_op(&Op::Relu, &[Some(x.clone())]))?;
    assert_eq!(got, Op::Relu.run(&[Some(&x)])?);
    Ok(())
}

const MODELS: [&str; 7] = [
    "unet-nearest",
    "unet-bilinear-odd",
    "unet-transposed",
    "unet-norm-odd",
    "unet-no-skips",
    "lenet5",
    "residual",
];

/// A golden network, and PyTorch's map of every node.
fn model(name: &str) -> (Arc<Graph>, Map<String, Tensor>) {
    let model = golden_model(name);
    (model.graph, model.maps)
}

#[test]
fn every_map_of_every_network_is_pytorchs() -> Result<()> {
    let gpu = open(Wishes::default());
    let mut worst = 0.0f32;
    for name in MODELS {
        for card in CARDS {
            gpu.choose_as_for(card);
            // Lists that are prepared stay as they are: a graph of its own for each card.
            let (graph, maps) = model(name);
            let image = Arc::new(maps["image"].clone());
            let (all, _) = block_on(gpu.run(&graph, image.clone(), &Keep::All, false))?;
            assert_eq!(all.kept().len(), maps.len(), "{name}");
            for (node, wanted) in &maps {
                let off = off(&*all.node(node)?, wanted);
                assert!(off <= TOLERANCE, "{name}: {node}, {card:?}: {off:e}");
                worst = worst.max(off);
            }
            // With everything taken along that can be.
            let (last, _) = block_on(gpu.run(&graph, image.clone(), &Keep::Output, false))?;
            let off = off(&last.output(), &maps[graph.output()]);
            assert!(off <= TOLERANCE, "{name}, {card:?}: {off:e}");
            assert_eq!(last.kept(), ["image", graph.output()], "{name}");
            // Each node alone: a plan that keeps it.
            for node in graph.describe().skip(1) {
                let keep = Keep::Nodes(vec![node.name.clone()]);
                let (one, _) = block_on(gpu.run(&graph, image.clone(), &keep, false))?;
                assert!(one.kept().contains(&node.name), "{name}: {}", node.name);
            }
        }
    }
    println!("the worst difference is {worst:e} of the largest value");
    Ok(())
}

/// The U-Net of channels 8, 16, 32 that the costs are stated for.
fn tiny() -> Arc<Graph> {
    let plan = Unet::default().blueprint().expect("a network");
    Arc::new(plan.seeded(1).expect("a graph"))
}

#[test]
fn a_warm_run_costs_one_submission_and_makes_nothing() -> Result<()> {
    for card in CARDS {
        let gpu = open(Wishes::default());
        gpu.choose_as_for(card);
        let graph = tiny();
        let x = Arc::new(random(&[1, 128, 128], 7));
        block_on(gpu.run(&graph, x.clone(), &Keep::Output, false))?;
        let first = gpu.stats();
        assert!(first.pipelines_created <= 8, "{first:?}");
        assert!(first.buffers_created > 0 && first.bind_groups_created == first.dispatches);
        let (run, _) = block_on(gpu.run(&graph, x.clone(), &Keep::Output, false))?;
        let warm = gpu.stats();
        println!("{card:?}: first {first:?}\n  warm {warm:?}");
        assert!(warm.dispatches <= 13, "{warm:?}");
        let output = run.output().data().len() as u64;
        let wanted = Stats {
            dispatches: warm.dispatches,
            passes: 1,
            submits: 1,
            writes: 1,
            uploaded: 4 * 128 * 128,
            read_back: 4 * output,
            pipelines: warm.pipelines,
            flops: warm.flops,
            memory: warm.memory,
            ..Stats::default()
        };
        assert_eq!(warm, wanted);
        let off = off(
            &run.output(),
            &graph.run((*x).clone(), &Keep::Output)?.output(),
        );
        assert!(off <= TOLERANCE, "{off:e}");
        // A kept node is a list of its own that shares the weights, and is read back too.
        let name = "enc1.relu2".to_string();
        let (kept, _) = block_on(gpu.run(&graph, x, &Keep::Nodes(vec![name.clone()]), false))?;
        let stats = gpu.stats();
        assert!(
            stats.constants_uploaded < first.constants_uploaded / 4,
            "{stats:?}"
        );
        assert_eq!(
            stats.read_back,
            4 * (output + kept.node(&name)?.data().len() as u64)
        );
        assert_eq!(stats.pipelines_created, 0);
    }
    Ok(())
}

#[test]
fn grey_values_are_normalised_before_and_answers_are_the_processors() -> Result<()> {
    let root = env!("CARGO_MANIFEST_DIR");
    let bytes =
        std::fs::read(format!("{root}/www/models/grains.safetensors")).expect("the network");
    let graph = Arc::new(weights::load(&bytes)?.graph);
    let x = random(&[1, 61, 83], 8);
    let gpu = open(Wishes::default());
    let (run, _) = block_on(gpu.run(&graph, Arc::new(x.clone()), &Keep::All, false))?;
    let plain = graph.run(x, &Keep::All)?;
    for node in graph.describe() {
        let off = off(&*run.node(&node.name)?, &*plain.node(&node.name)?);
        assert!(off <= TOLERANCE, "{}: {off:e}", node.name);
    }
    assert_eq!(run.node("normalized")?, plain.node("normalized")?);
    // A value of the card's is taken apart from the card's own maps.
    let explained = run.explain("enc1.conv1", &[3, 20, 30])?;
    let value = run.node("enc1.conv1")?.get(&[3, 20, 30]).expect("inside");
    assert!((explained.value - value).abs() <= TOLERANCE * value.abs().max(1.0));
    Ok(())
}

#[test]
fn half_precision_is_close_where_the_card_has_it() -> Result<()> {
    let gpu = open(Wishes { half: true });
    let offered = gpu.described().features.contains(&"float16");
    println!("{:?}", gpu.described());
    let (graph, maps) = model("unet-nearest");
    let image = Arc::new(maps["image"].clone());
    let (run, _) = block_on(gpu.run(&graph, image.clone(), &Keep::All, false))?;
    let mut worst = 0.0f32;
    for (node, wanted) in &maps {
        worst = worst.max(off(&*run.node(node)?, wanted));
    }
    println!("half precision: {offered}, worst {worst:e}");
    assert!(worst <= if offered { HALF } else { TOLERANCE }, "{worst:e}");
    if offered {
        assert!(worst > 1e-6, "nothing was rounded");
        let words = image.data().len().next_multiple_of(2) as u64;
        assert_eq!(gpu.stats().uploaded, 2 * words);
    }
    Ok(())
}

#[test]
fn times_are_told_for_every_call_where_the_card_can() -> Result<()> {
    let gpu = open(Wishes::default());
    let graph = tiny();
    let x = Arc::new(random(&[1, 64, 64], 9));
    let (_, times) = block_on(gpu.run(&graph, x, &Keep::Output, true))?;
    let told = gpu.described().features.contains(&"timestamps");
    assert_eq!(times.is_some(), told);
    if let Some(times) = times {
        assert_eq!(times.len() as u32, gpu.stats().dispatches);
        assert!(
            times
                .iter()
                .all(|(node, ms)| !node.is_empty() && *ms >= 0.0)
        );
        assert!(times.iter().any(|(_, ms)| *ms > 0.0), "{times:?}");
    }
    Ok(())
}

#[test]
fn a_lost_device_says_so_and_another_takes_its_place() -> Result<()> {
    let graph = tiny();
    let x = Arc::new(random(&[1, 32, 32], 10));
    let gpu = open(Wishes::default());
    block_on(gpu.run(&graph, x.clone(), &Keep::Output, false))?;
    gpu.close();
    let message = block_on(gpu.run(&graph, x.clone(), &Keep::Output, false));
    let message = message.expect_err("a refusal").to_string();
    assert!(message.starts_with("webgpu: "), "{message}");
    let message = block_on(gpu.run_op(&Op::Relu, &[Some(x.clone())]));
    message.expect_err("a refusal");
    let next = open(Wishes::default());
    assert!(next.lost().is_none());
    block_on(next.run(&graph, x, &Keep::Output, false))?;
    Ok(())
}

#[test]
fn refuses_in_words() -> Result<()> {
    let gpu = open(Wishes::default());
    let graph = tiny();
    let message = |x: Tensor| {
        let run = block_on(gpu.run(&graph, Arc::new(x), &Keep::Output, false));
        run.expect_err("a refusal").to_string()
    };
    // A map of 8 channels at 2304 × 2304 takes 162 MB, and cards take 128 MB at once.
    let large = message(Tensor::new(&[1, 2304, 2304], vec![0.0; 2304 * 2304])?);
    assert!(
        large.contains("162 MB") && large.contains("128 MB"),
        "{large}"
    );
    let mut x = random(&[1, 16, 16], 11);
    x.data_mut()[5] = f32::NAN;
    assert!(message(x).contains("not finite"));
    let channels = message(random(&[2, 16, 16], 12));
    assert!(channels.contains("(1, H, W)"), "{channels}");
    let missing = block_on(gpu.run(
        &graph,
        Arc::new(random(&[1, 16, 16], 13)),
        &Keep::Nodes(vec!["nowhere".into()]),
        false,
    ));
    assert!(
        missing
            .expect_err("a refusal")
            .to_string()
            .contains("nowhere")
    );
    // After all that it still computes.
    block_on(gpu.run(
        &graph,
        Arc::new(random(&[1, 16, 16], 14)),
        &Keep::Output,
        false,
    ))?;
    Ok(())
}

/// tests/golden/networks.json holds values of every node of every shipped network.
#[test]
fn shipped_networks_are_pytorchs() -> Result<()> {
    let gpu = open(Wishes::default());
    let root = env!("CARGO_MANIFEST_DIR");
    for case in cases("networks") {
        let name = case["name"].as_str().expect("a name");
        let bytes = std::fs::read(format!("{root}/www/models/{name}.safetensors")).expect(name);
        let graph = Arc::new(weights::load(&bytes)?.graph);
        let rectangle = sizes(&case["part"]).try_into().expect("four numbers");
        let x = part("www/images/grain_ti_sem.png", rectangle);
        let (run, _) = block_on(gpu.run(&graph, Arc::new(x), &Keep::All, false))?;
        for (node, kept) in case["nodes"].as_object().expect("nodes") {
            let map = run.node(node)?;
            let largest = map.data().iter().fold(0.0f32, |m, v| m.max(v.abs()));
            for (i, wanted) in sizes(&kept["at"]).into_iter().zip(numbers(&kept["values"])) {
                let off = (map.data()[i] - wanted).abs() / largest.max(1.0);
                assert!(off < 1e-3, "{name}: {node} differs by {off:e}");
            }
        }
    }
    Ok(())
}
