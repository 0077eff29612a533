//! Specimens are the same everywhere: their digests are committed (tests/golden/specimens.json), for this test and for
//! one under wasm.
#![cfg(not(feature = "sabotage"))]

mod common;

use common::{cases, options, positions};
use kernelscope::specimen::{KINDS, digest, specimen};

/// `UPDATE_GOLDEN=1 cargo test --test specimens` writes the digests anew after a generator was changed on purpose.
#[test]
fn specimens_are_what_they_were() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut lines = Vec::new();
    for case in cases("specimens") {
        let kind = case["kind"].as_str().expect("kind");
        let drawn = specimen(kind, &options(&case["options"])).expect("a specimen");
        let got = format!("{:016x}", digest(&drawn));
        if !update {
            assert_eq!(case["digest"], got, "{kind} {}", case["options"]);
        }
        let options = &case["options"];
        lines.push(format!(
            r#"{{"kind":"{kind}","options":{options},"digest":"{got}"}}"#
        ));
    }
    if update {
        let text = format!("{{\"cases\":[\n{}\n]}}\n", lines.join(",\n"));
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/specimens.json"),
            text,
        )
        .expect("written");
    }
    assert!(KINDS.iter().all(|kind| {
        cases("specimens")
            .iter()
            .any(|case| case["kind"] == kind.name)
    }));
}

#[test]
fn every_kind_draws_its_defaults_and_its_extremes() {
    for kind in &KINDS {
        let plain = specimen(kind.name, &Default::default()).expect("a specimen");
        assert!(
            plain.image.data().iter().all(|v| (0.0..=1.0).contains(v)),
            "{}",
            kind.name
        );
        for knob in kind.options.iter().filter(|knob| knob.name != "size") {
            for extreme in [knob.min, knob.max] {
                let options = [
                    ("size".to_string(), 40usize.into()),
                    (knob.name.to_string(), extreme.into()),
                ]
                .into();
                let drawn = specimen(kind.name, &options).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(drawn.image.shape()[1..], [40, 40]);
            }
        }
    }
}

#[test]
fn labels_fit_the_picture() {
    for kind in &KINDS {
        let drawn = specimen(kind.name, &Default::default()).expect("a specimen");
        let size = &drawn.image.shape()[1..];
        assert!(
            (drawn.labels.iter()).all(|(_, map)| map.shape()[0] == 1 && &map.shape()[1..] == size)
        );
        // The first label divides the picture, `boundaries` are its own.
        let Some((_, boundaries)) = drawn.labels.iter().find(|(name, _)| name == "boundaries")
        else {
            continue;
        };
        let grains = &drawn.labels[0].1;
        // Grains are numbered from 1 without gaps.
        let mut ids: Vec<u32> = grains.data().iter().map(|&id| id as u32).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(
            ids,
            (1..=ids.len() as u32).collect::<Vec<_>>(),
            "{}",
            kind.name
        );
        assert!(ids.len() >= 2);
        // A pixel is marked exactly if one of its four neighbours belongs to another grain.
        let &[_, h, w] = grains.shape() else {
            panic!("a map")
        };
        for at in positions(&[h, w]) {
            let id = grains.get(&[0, at[0], at[1]]);
            let sides = [(0isize, 1isize), (1, 0), (0, -1), (-1, 0)];
            let other = sides.iter().any(|(dy, dx)| {
                let near = [
                    0,
                    at[0].wrapping_add_signed(*dy),
                    at[1].wrapping_add_signed(*dx),
                ];
                grains.get(&near).is_some_and(|near| Some(near) != id)
            });
            assert_eq!(
                boundaries.get(&[0, at[0], at[1]]),
                Some(f32::from(u8::from(other))),
                "{} {at:?}",
                kind.name
            );
        }
    }
}

#[test]
fn each_sobel_kernel_sees_one_of_the_two_boundaries() {
    use kernelscope::{kernels::kernel, ops::Op};
    let options = [("noise".to_string(), 0usize.into())].into();
    let drawn = specimen("two-grains", &options).expect("a specimen");
    let label = |name: &str| {
        &drawn
            .labels
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a label")
            .1
    };
    let same = [
        ("padding".to_string(), "same".into()),
        ("paddingMode".to_string(), "replicate".into()),
    ]
    .into();
    let conv = Op::parse("conv2d", &same).expect("conv2d");
    for (name, sees, misses) in [
        ("sobel-x", "vertical", "horizontal"),
        ("sobel-y", "horizontal", "vertical"),
    ] {
        let map = conv
            .run(&[Some(&drawn.image), Some(&kernel(name).expect("a kernel"))])
            .expect("a map");
        let mean = |on: &str, off: &str| {
            let only = |i: &usize| label(on).data()[*i] == 1.0 && label(off).data()[*i] == 0.0;
            let marked: Vec<usize> = (0..map.data().len()).filter(only).collect();
            marked.iter().map(|&i| map.data()[i].abs()).sum::<f32>() / marked.len() as f32
        };
        assert!(
            mean(sees, misses) > 20.0 * mean(misses, sees),
            "{name}: {} {}",
            mean(sees, misses),
            mean(misses, sees)
        );
    }
}

#[test]
fn seeds_and_options_count() {
    let draw = |name: &str, value: f64| {
        let options = [
            ("size".to_string(), 48usize.into()),
            (name.to_string(), value.into()),
        ]
        .into();
        digest(&specimen("grains", &options).expect("a specimen"))
    };
    let all = [
        draw("seed", 1.0),
        draw("seed", 2.0),
        draw("grains", 9.0),
        draw("warp", 0.0),
        draw("noise", 0.0),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b), "{all:?}");
    }
    assert_eq!(draw("seed", 2.0), draw("seed", 2.0));
}

#[test]
fn refusals_say_what_is_allowed() {
    let refusal = |kind: &str, name: &str, value: f64| {
        specimen(kind, &[(name.to_string(), value.into())].into())
            .expect_err("a refusal")
            .to_string()
    };
    assert_eq!(
        refusal("grain", "size", 64.0),
        "grain: unknown specimen; known: grains, two-grains, precipitate, nanoparticles, columns, element-map, laths, \
         two-phase, porous, fibres"
    );
    assert_eq!(
        refusal("grains", "size", 1e9),
        "specimen grains: size must be a number from 32 to 1024; got 1000000000"
    );
    assert_eq!(
        refusal("grains", "grains", 4.5),
        "specimen grains: grains must be a whole number from 2 to 1000; got 4.5"
    );
    assert!(
        refusal("two-grains", "grains", 4.0)
            .starts_with("specimen two-grains: unknown option \"grains\"; known options: size")
    );
    assert!(
        refusal("grains", "noise", f64::NAN).ends_with("must be a number from 0 to 0.5; got NaN")
    );
}
