//! Receptive fields against brute force: PyTorch's gradients (tests/golden/receptive.json), and a plain walk over every
//! weight of random networks.

mod common;

use common::{cases, positions, value};
use kernelscope::options::Value;
use kernelscope::receptive::Network;
use kernelscope::window::Rect;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn network(layers: &Json, input: &[usize]) -> kernelscope::Result<Network> {
    let layers: Vec<Value> = layers
        .as_array()
        .expect("layers")
        .iter()
        .map(value)
        .collect();
    Network::read(&layers, input)
}

fn pair(json: &Json) -> [usize; 2] {
    common::sizes(json).try_into().expect("a pair")
}

#[test]
fn ways_and_rectangles_are_pytorchs_gradients() {
    let cases = cases("receptive");
    assert!(cases.len() > 60);
    for case in cases {
        let name = case["name"].as_str().expect("name");
        let (size, at) = (pair(&case["input"]), pair(&case["at"]));
        let network = network(&case["layers"], &size).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            network.chain().last().expect("a map").out,
            pair(&case["output"]),
            "{name}"
        );
        let rect = network.rects(at).expect(name)[0].rect;
        let paths = network.paths(at).expect(name);
        assert_eq!(paths.shape(), [1, size[0], size[1]]);
        let Some(expected) = case.get("rect") else {
            assert_eq!(rect, None, "{name}");
            assert!(paths.data().iter().all(|&ways| ways == 0.0));
            continue;
        };
        let side = |name: &str| expected[name].as_i64().expect("a side");
        let [top, left, bottom, right] = ["top", "left", "bottom", "right"].map(side);
        assert_eq!(
            rect,
            Some(Rect {
                top,
                left,
                bottom,
                right
            }),
            "{name}"
        );
        let counts = common::numbers(&case["counts"]);
        for place in positions(&size) {
            let (y, x) = (place[0] as i64, place[1] as i64);
            let inside = (top..=bottom).contains(&y) && (left..=right).contains(&x);
            let index = ((y - top) * (right - left + 1) + x - left) as usize;
            let wanted = if inside { counts[index] } else { 0.0 };
            let got = paths.get(&[0, place[0], place[1]]).expect("inside");
            if case["support"] == true {
                assert_eq!(got > 0.0, wanted > 0.0, "{name} at {place:?}");
            } else {
                assert_eq!(got, wanted, "{name} at {place:?}");
            }
        }
    }
}

fn conv(kernel: usize) -> Json {
    json!({"kind": "conv", "kernel": kernel, "padding": "same"})
}

fn pool() -> Json {
    json!({"kind": "maxpool", "kernel": 2})
}

fn sizes(layers: &[Json], picture: usize) -> Vec<i64> {
    let network = network(&json!(layers), &[picture; 2]).expect("a network");
    network
        .chain()
        .iter()
        .map(|field| field.size[0].expect("a size"))
        .collect()
}

#[test]
fn the_numbers_of_the_lecture() {
    assert_eq!(sizes(&[conv(3), conv(3), conv(3)], 64), [1, 3, 5, 7]);
    assert_eq!(sizes(&[conv(7)], 64), [1, 7]);
    // Pooling doubles the jump; the field itself grows by one.
    assert_eq!(sizes(&[conv(3), pool()], 64), [1, 3, 4]);
    // Four blocks see 46 of 256 pixels, not a quarter of the picture.
    let blocks: Vec<Json> = (0..4).flat_map(|_| [conv(3), pool()]).collect();
    assert_eq!(sizes(&blocks, 256), [1, 3, 4, 8, 10, 18, 22, 38, 46]);
    let network = network(&json!(blocks), &[256, 256]).expect("a network");
    let last = network.chain().pop().expect("a map");
    assert_eq!(
        (last.out, last.jump, last.start),
        ([16, 16], [Some(16.0); 2], [Some(7.5); 2])
    );
    assert!(last.regular);
}

#[test]
fn parameters_are_counted_where_channels_are_known() {
    let conv =
        |channels: usize| json!({"kind": "conv", "kernel": 3, "padding": 1, "channels": channels});
    let network = network(
        &json!([conv(64), conv(128), {"kind": "concat", "from": 0}, conv(2)]),
        &[3, 32, 32],
    )
    .expect("fits");
    let chain = network.chain();
    let params: Vec<_> = chain.iter().map(|field| field.params).collect();
    assert_eq!(
        params,
        [
            None,
            Some(1_792),
            Some(73_856),
            Some(0),
            Some(2 * (192 * 9 + 1))
        ]
    );
    assert_eq!(chain[3].channels, Some(192));
    let unknown = chain_of(&json!([{"kind": "conv", "kernel": 3}]), &[8, 8]);
    assert_eq!((unknown[1].params, unknown[1].channels), (None, None));
}

fn chain_of(layers: &Json, input: &[usize]) -> Vec<kernelscope::receptive::Field> {
    network(layers, input).expect("a network").chain()
}

#[test]
fn a_compact_u_net_has_its_known_number_of_parameters() {
    let conv =
        |channels: usize| json!({"kind": "conv", "kernel": 3, "padding": 1, "channels": channels});
    let widths = [32, 64, 128, 256];
    let (mut layers, mut skips) = (Vec::new(), Vec::new());
    for width in widths {
        layers.extend([conv(width), conv(width)]);
        skips.push(layers.len() - 1);
        layers.push(pool());
    }
    layers.extend([conv(512), conv(512)]);
    for (width, skip) in widths.into_iter().zip(skips).rev() {
        layers.push(json!({"kind": "convtranspose", "scale": 2, "channels": width}));
        layers.push(json!({"kind": "concat", "from": skip}));
        layers.extend([conv(width), conv(width)]);
    }
    layers.push(json!({"kind": "conv", "kernel": 1, "channels": 1}));
    let chain = chain_of(&json!(layers), &[1, 64, 64]);
    assert_eq!(
        chain.iter().filter_map(|field| field.params).sum::<usize>(),
        7_759_521
    );
    assert_eq!(chain.last().map(|field| field.out), Some([64, 64]));
}

#[test]
fn an_output_that_sees_nothing_says_so() {
    let holes = json!([{"kind": "convtranspose", "kernel": 1, "stride": 2, "outputPadding": 1}]);
    let network = network(&holes, &[4, 4]).expect("a network");
    assert_eq!(network.chain()[1].size, [None, None]);
    let seen = network.rects([1, 2]).expect("inside");
    assert_eq!((seen[0].rect, seen[0].unclipped), (None, None));
    assert!(seen[1].rect.is_some());
    assert!(
        network
            .paths([1, 2])
            .expect("inside")
            .data()
            .iter()
            .all(|&ways| ways == 0.0)
    );
}

#[test]
fn counts_too_large_for_a_float_stay_finite() {
    let many: Vec<Json> = (0..50).map(|_| conv(9)).collect();
    let deep = network(&json!(many), &[64, 64]).expect("a network");
    let paths = deep.paths([32, 32]).expect("inside");
    assert_eq!(paths.get(&[0, 32, 32]), Some(f32::MAX));
    assert!(paths.data().iter().all(|ways| ways.is_finite()));
    let (shares, most) = deep.shares([32, 32]).expect("inside");
    assert!(most > f64::from(f32::MAX) && most.is_finite());
    assert_eq!(shares.data().iter().copied().fold(0.0, f32::max), 1.0);
}

#[test]
fn shares_are_ways_divided_by_the_most() {
    let network = network(&json!([conv(3), pool(), conv(5)]), &[20, 22]).expect("a network");
    let (paths, (shares, most)) = (
        network.paths([4, 5]).expect("inside"),
        network.shares([4, 5]).expect("inside"),
    );
    assert_eq!(
        f64::from(paths.data().iter().copied().fold(0.0, f32::max)),
        most
    );
    for (ways, share) in paths.data().iter().zip(shares.data()) {
        assert_eq!(*share, (f64::from(*ways) / most) as f32);
    }
}

#[test]
fn refusals_name_the_layer() {
    let refusal = |layers: Json| {
        network(&layers, &[8, 8])
            .expect_err("a refusal")
            .to_string()
    };
    let three = json!({"kind": "conv", "kernel": 3});
    assert_eq!(
        refusal(json!([{"kind": "dense"}])),
        "receptive field: kind must be \"conv\" or \"maxpool\" or \"avgpool\" or \"upsample\" or \"convtranspose\" or \
         \"concat\" or \"add\"; got \"dense\""
    );
    assert_eq!(
        refusal(json!([three, 7])),
        "receptive field: layer 1 must be an object with a kind; got 7"
    );
    assert_eq!(refusal(json!([{}])), "receptive field: layer 0 has no kind");
    assert_eq!(
        refusal(json!([three, {"kind": "conv"}])),
        "layer 1 (conv): kernel must be a whole number of at least 1 or a pair of them; got nothing"
    );
    assert_eq!(
        refusal(json!([three, three, three, three])),
        "layer 3 (conv): the kernel (3×3) is larger than the padded input (2×2)"
    );
    assert_eq!(
        refusal(json!([three, {"kind": "concat", "from": -1}])),
        "layer 1 (concat): the maps to join must be equally large; got 6×6 and 8×8"
    );
    assert_eq!(
        refusal(json!([three, {"kind": "add", "from": 1}])),
        "layer 1 (add): from must be the number of an earlier layer (−1: the picture), or a list of them; got 1"
    );
    assert!(
        refusal(json!([three, {"kind": "add"}]))
            .contains("from must say which layer's output to join")
    );
    assert!(
        refusal(json!([{"kind": "conv", "kernel": 3, "stirde": 2}]))
            .starts_with("layer 0 (conv): unknown option \"stirde\"")
    );
    assert!(refusal(json!([{"kind": "upsample", "scale": 1048576}])).contains("is too large"));
    let outside = network(&json!([three]), &[8, 8])
        .expect("a network")
        .rects([6, 0])
        .expect_err("a refusal")
        .to_string();
    assert_eq!(
        outside,
        "receptive field: the position (6, 0) lies outside the last map of shape (6, 6)"
    );
    assert!(network(&json!([]), &[0, 4]).is_err());
}

/// A layer of a random network.
fn layer() -> impl Strategy<Value = Json> {
    let slide = |kind: &'static str| {
        (1..=4usize, 1..=3usize, 0..=2usize, 1..=2usize).prop_map(move |(kernel, stride, padding, dilation)| {
            json!({"kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation})
        })
    };
    prop_oneof![
        4 => slide("conv"),
        2 => slide("maxpool"),
        2 => slide("convtranspose"),
        1 => (1..=3usize, prop::sample::select(vec!["nearest", "bilinear"]))
            .prop_map(|(scale, mode)| json!({"kind": "upsample", "scale": scale, "mode": mode})),
        // A skip over two convolutions that keep the size.
        2 => (1..=3usize).prop_map(|dilation| json!({"skip": dilation})),
    ]
}

/// Layers, with skips written out: two convolutions, and the sum of their output with their input.
fn written(drawn: &[Json]) -> Json {
    let mut layers = Vec::new();
    for layer in drawn {
        match layer.get("skip") {
            None => layers.push(layer.clone()),
            Some(dilation) => {
                let same =
                    json!({"kind": "conv", "kernel": 3, "padding": dilation, "dilation": dilation});
                let from = layers.len() as i64 - 1;
                layers.extend([same.clone(), same, json!({"kind": "add", "from": from})]);
            }
        }
    }
    json!(layers)
}

/// Ways by brute force along one axis: `ways[m][i]` from input i to output m, from the definitions.
fn axis(layer: &Json, n: usize) -> Vec<Vec<f64>> {
    let get = |name: &str, default: usize| layer[name].as_u64().map_or(default, |v| v as usize);
    let (k, s) = (get("kernel", 1), get("stride", 1));
    let (p, d) = (get("padding", 0), get("dilation", 1));
    match layer["kind"].as_str().expect("kind") {
        "convtranspose" => {
            let outputs = (n - 1) * s + d * (k - 1) + 1 - 2 * p;
            let mut ways = vec![vec![0.0; n]; outputs];
            for i in 0..n {
                for tap in 0..k {
                    if let Some(row) = (i * s + tap * d)
                        .checked_sub(p)
                        .and_then(|m| ways.get_mut(m))
                    {
                        row[i] += 1.0;
                    }
                }
            }
            ways
        }
        "upsample" => {
            let scale = get("scale", 1);
            let outputs = n * scale;
            let mut ways = vec![vec![0.0; n]; outputs];
            for (m, row) in ways.iter_mut().enumerate() {
                if layer["mode"] == "nearest" {
                    row[m / scale] = 1.0;
                } else {
                    // As PyTorch computes it, with weights; a weight above rounding is a way.
                    let at = ((m as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
                    let first = at.floor() as usize;
                    let second = (first + 1).min(n - 1);
                    let t = at - first as f64;
                    for (i, weight) in [(first, 1.0 - t), (second, t)] {
                        if weight > 1e-9 {
                            row[i] = 1.0;
                        }
                    }
                }
            }
            ways
        }
        _ => {
            let outputs = (n + 2 * p - d * (k - 1) - 1) / s + 1;
            let mut ways = vec![vec![0.0; n]; outputs];
            for (m, row) in ways.iter_mut().enumerate() {
                for tap in 0..k {
                    if let Some(way) = (m * s + tap * d)
                        .checked_sub(p)
                        .and_then(|i| row.get_mut(i))
                    {
                        *way += 1.0;
                    }
                }
            }
            ways
        }
    }
}

/// All ways through a network along one axis (its layers do the same vertically and horizontally, but skips add): as a
/// full matrix over two dimensions, from pixels to outputs.
fn brute(layers: &Json, n: usize) -> (usize, Vec<Vec<f64>>) {
    // maps[i]: side, and for every place the ways from every pixel.
    let start = (0..n * n)
        .map(|i| (0..n * n).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    let mut maps: Vec<(usize, Vec<Vec<f64>>)> = vec![(n, start)];
    for layer in layers.as_array().expect("layers") {
        let (side, last) = maps.last().expect("a map");
        let next = if layer["kind"] == "add" {
            let (_, other) = &maps[(layer["from"].as_i64().expect("from") + 1) as usize];
            let sum =
                |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a + b).collect();
            (*side, last.iter().zip(other).map(sum).collect())
        } else {
            let ways = axis(layer, *side);
            let mut out = vec![vec![0.0; n * n]; ways.len() * ways.len()];
            for (m, rows) in ways.iter().enumerate() {
                for (o, columns) in ways.iter().enumerate() {
                    for y in (0..*side).filter(|&y| rows[y] > 0.0) {
                        for x in (0..*side).filter(|&x| columns[x] > 0.0) {
                            let weight = rows[y] * columns[x];
                            let to = &mut out[m * ways.len() + o];
                            to.iter_mut()
                                .zip(&last[y * side + x])
                                .for_each(|(to, from)| *to += weight * from);
                        }
                    }
                }
            }
            (ways.len(), out)
        };
        maps.push(next);
    }
    maps.pop().expect("a map")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_way_of_random_networks_is_counted(drawn in prop::collection::vec(layer(), 1..=4), n in 3..=9usize) {
        let layers = written(&drawn);
        let Ok(network) = network(&layers, &[n, n]) else { return Err(TestCaseError::reject("does not fit")) };
        let maps = network.chain();
        prop_assume!(maps.iter().all(|field| field.out[0] <= 14));
        let (side, ways) = brute(&layers, n);
        prop_assert_eq!(maps.last().unwrap().out, [side, side]);
        for at in positions(&[side, side]) {
            let at = [at[0], at[1]];
            let expected = &ways[at[0] * side + at[1]];
            let paths = network.paths(at).unwrap();
            let expected_f32: Vec<f32> = expected.iter().map(|&w| w as f32).collect();
            prop_assert_eq!(paths.data(), &expected_f32[..], "{:?} at {:?}", layers, at);
            let seen: Vec<Vec<usize>> =
                positions(&[n, n]).into_iter().filter(|p| expected[p[0] * n + p[1]] > 0.0).collect();
            let rect = seen.iter().fold(None, |rect: Option<Rect>, p| {
                let (y, x) = (p[0] as i64, p[1] as i64);
                let rect = rect.unwrap_or(Rect { top: y, left: x, bottom: y, right: x });
                Some(Rect {
                    top: rect.top.min(y), left: rect.left.min(x), bottom: rect.bottom.max(y), right: rect.right.max(x),
                })
            });
            prop_assert_eq!(network.rects(at).unwrap()[0].rect, rect);
        }
    }

    #[test]
    fn size_jump_and_start_describe_every_field(drawn in prop::collection::vec(layer(), 1..=5), n in 8..=40usize) {
        let layers = written(&drawn);
        let Ok(network) = network(&layers, &[n, n]) else { return Err(TestCaseError::reject("does not fit")) };
        let last = network.chain().pop().unwrap();
        prop_assume!(last.out[0] <= 200);
        let mut found: Vec<i64> = Vec::new();
        for i in 0..last.out[0] {
            let picture = network.rects([i, i]).unwrap().swap_remove(0);
            let Some(free) = picture.unclipped else {
                prop_assert_eq!(last.sizes[0], None);
                continue;
            };
            // What is really seen is the unclipped field, cut by the rim, and less where padding came between.
            if let Some(rect) = picture.rect {
                prop_assert!(free.top <= rect.top && rect.bottom <= free.bottom);
            }
            found.push(free.bottom - free.top + 1);
            let Some([smallest, largest]) = last.sizes[0] else { continue };
            prop_assert!((smallest..=largest).contains(&(free.bottom - free.top + 1)));
            let centre = (free.top + free.bottom) as f64 / 2.0;
            let predicted = last.start[0].unwrap() + i as f64 * last.jump[0].unwrap();
            if last.regular {
                prop_assert!((centre - predicted).abs() < 1e-9, "{centre} and {predicted} in {layers}");
            }
            if let Some(size) = last.size[0] {
                prop_assert_eq!(free.bottom - free.top + 1, size);
            }
        }
        if last.regular {
            prop_assert!(last.size[0].is_some());
        }
    }
}

#[test]
fn from_on_a_layer_that_does_not_join_begins_a_branch() {
    let layers = json!([{"kind": "conv", "kernel": 5, "padding": 2}, {"kind": "conv", "kernel": 3, "padding": 1, "from": -1}]);
    let chain = chain_of(&layers, &[16, 16]);
    assert_eq!((chain[1].size, chain[2].size), ([Some(5); 2], [Some(3); 2]));
    let seen = network(&layers, &[16, 16])
        .expect("a network")
        .rects([8, 8])
        .expect("inside");
    assert_eq!((seen[0].rect.map(|r| r.top), seen[1].rect), (Some(7), None));
}
