//! Specimens and the microscope against what was asked for: sizes, spacings, fractions, noise, scale, places.
#![cfg(not(feature = "sabotage"))]

use kernelscope::analysis::power;
use kernelscope::microscope::{KNOBS, Microscope, View};
use kernelscope::options::{Options, Value};
use kernelscope::specimen::{KINDS, Specimen, specimen};
use kernelscope::{Result, Tensor};

fn options(list: &[(&str, f64)]) -> Options {
    (list.iter())
        .map(|(name, value)| (name.to_string(), Value::Number(*value)))
        .collect()
}

fn draw(kind: &str, list: &[(&str, f64)]) -> Specimen {
    specimen(kind, &options(list)).unwrap_or_else(|e| panic!("{e}"))
}

fn under(kind: &str, list: &[(&str, f64)], microscope: &[(&str, f64)]) -> Result<Specimen> {
    let mut all = options(list);
    all.insert("microscope".into(), Value::Object(options(microscope)));
    specimen(kind, &all)
}

fn label<'a>(drawn: &'a Specimen, name: &str) -> &'a [f32] {
    let found = drawn.labels.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no label {name}")).1.data()
}

fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + f64::from(v), n + 1.0));
    assert!(n > 0.0, "nothing to average");
    sum / n
}

/// Mean of the image where a label has a value.
fn grey(drawn: &Specimen, name: &str, value: f32) -> f64 {
    let marks = label(drawn, name).iter();
    mean(
        drawn
            .image
            .data()
            .iter()
            .zip(marks)
            .filter(|(_, m)| **m == value)
            .map(|(v, _)| *v),
    )
}

fn part(drawn: &Specimen, name: &str, value: f32) -> f64 {
    mean(
        label(drawn, name)
            .iter()
            .map(|m| f32::from(u8::from(*m == value))),
    )
}

#[test]
fn the_polycrystal_has_the_grains_asked_for() {
    for wanted in [20.0, 60.0, 150.0] {
        let drawn = draw(
            "grains",
            &[("grains", wanted), ("warp", 0.0), ("seed", 5.0)],
        );
        let ids = label(&drawn, "grains");
        let count = ids.iter().copied().fold(0.0, f32::max);
        assert!(
            (f64::from(count) - wanted).abs() <= 1.0,
            "{count} of {wanted}"
        );
        let mut areas = vec![0.0; count as usize];
        ids.iter().for_each(|id| areas[*id as usize - 1] += 1.0f64);
        let average = 65536.0 / f64::from(count);
        let spread = areas.iter().map(|a| (a - average).powi(2)).sum::<f64>() / f64::from(count);
        // A Poisson–Voronoi diagram has 0.53; centres that keep clear of each other are more even.
        let relative = spread.sqrt() / average;
        assert!((0.1..0.5).contains(&relative), "{relative}");
    }
}

#[test]
fn grain_sizes_vary_as_asked_for() {
    // Standard deviation over mean of the areas, over several seeds.
    let variety = |spread: f64| {
        let one = |seed: f64| {
            let list = [
                ("grains", 120.0),
                ("spread", spread),
                ("warp", 0.0),
                ("seed", seed),
            ];
            let drawn = draw("grains", &list);
            let ids = label(&drawn, "grains");
            let count = ids.iter().copied().fold(0.0, f32::max);
            let mut areas = vec![0.0f64; count as usize];
            ids.iter().for_each(|id| areas[*id as usize - 1] += 1.0);
            let average = 65536.0 / f64::from(count);
            let variance = areas.iter().map(|a| (a - average).powi(2)).sum::<f64>();
            (variance / f64::from(count)).sqrt() / average
        };
        (1..=6).map(|seed| one(f64::from(seed))).sum::<f64>() / 6.0
    };
    let [even, middle, wild] = [0.0, 0.5, 1.0].map(variety);
    assert!(even < middle && middle < wild, "{even} {middle} {wild}");
    // One candidate a centre is a Poisson–Voronoi diagram: the areas' variance is 0.280 (Gilbert 1962), 0.53 squared; grains
    // that the rim cuts add some.
    assert!((0.45..0.65).contains(&wild), "{wild}");
}

#[test]
fn fringes_come_and_go_with_defocus() {
    // How strongly the particles' own pixels vary, without film, noise or rims.
    let contrast = |defocus: f64| {
        let list = [
            ("film", 0.0),
            ("noise", 0.0),
            ("rim", 0.0),
            ("darkness", 0.0),
            ("orientations", 1.0),
            ("visibility", 1.0),
            ("particles", 1.0),
            ("spacing", 0.235),
            ("defocus", defocus),
        ];
        let drawn = draw("nanoparticles", &list);
        let marks = label(&drawn, "crystalline").iter();
        let on = drawn.image.data().iter().zip(marks);
        mean(
            on.filter(|(_, m)| **m == 1.0)
                .map(|(v, _)| (v - 0.5).powi(2)),
        )
        .sqrt()
    };
    // |sin(π λ Δf g² + φ)| is what it was d²/λ = 28.0 nm of defocus ago, whatever φ is, and vanishes once in between.
    let period = (0.235f64 * 0.235 / 0.001_969).round() as usize;
    for start in [20.0, 41.0, 90.0] {
        let seen: Vec<f64> = (0..=36).map(|i| contrast(start + f64::from(i))).collect();
        let most = seen.iter().copied().fold(0.0, f64::max);
        let least = seen.iter().copied().fold(1.0, f64::min);
        assert!(least < 0.25 * most, "{least} {most}");
        let change = (seen[0] - seen[period]).abs();
        assert!(change < 0.25 * most, "{} {}", seen[0], seen[period]);
    }
}

#[test]
fn triple_points_lie_where_three_grains_meet() -> Result<()> {
    let drawn = draw(
        "grains",
        &[("grains", 60.0), ("warp", 0.0), ("size", 256.0)],
    );
    let derived = drawn.derived()?;
    let [(first, triples), (second, angles)] = &derived[..] else {
        panic!("two maps")
    };
    assert_eq!((*first, *second), ("triplePoints", "boundaryAngle"));
    // Euler: a plane diagram of n cells has nearly 2n corners.
    let corners = triples.data().iter().sum::<f32>() / 4.0;
    assert!((70.0..140.0).contains(&corners), "{corners}");
    let marks = label(&drawn, "boundaries");
    for ((angle, mark), triple) in angles.data().iter().zip(marks).zip(triples.data()) {
        assert_eq!(*angle >= 0.0, *mark == 1.0);
        assert!(*angle < 180.0 && (*triple == 0.0 || *mark == 1.0));
    }
    let two = draw("two-grains", &[]);
    let angles = &two.derived()?[1].1;
    for (name, wanted) in [("vertical", 90.0f32), ("horizontal", 0.0)] {
        let other = if name == "vertical" {
            "horizontal"
        } else {
            "vertical"
        };
        let only = label(&two, name).iter().zip(label(&two, other)).enumerate();
        let only = only.filter(|(_, (on, off))| **on == 1.0 && **off == 0.0);
        // Near the corner both boundaries count.
        let far = only.filter(|(i, _)| {
            (i % 64 > 40 || name == "vertical") && (i / 64 > 33 || name == "horizontal")
        });
        let mut seen = 0;
        for (i, _) in far {
            let off = (angles.data()[i] - wanted + 90.0).rem_euclid(180.0) - 90.0;
            assert!(off.abs() < 1.0, "{name} {i}: {}", angles.data()[i]);
            seen += 1;
        }
        assert!(seen > 30);
    }
    Ok(())
}

#[test]
fn fringes_have_their_spacing_in_the_power_spectrum() -> Result<()> {
    for (spacing, pixel) in [(0.235, 0.05), (0.2, 0.04), (0.24, 0.06)] {
        let list = [
            ("spacing", spacing),
            ("pixelSize", pixel),
            ("orientations", 1.0),
            ("particles", 3.0),
            ("visibility", 1.0),
            ("film", 0.2),
            ("diameter", 6.0),
        ];
        let drawn = draw("nanoparticles", &list);
        let (n, power) = power(&drawn.image)?;
        let strongest = (0..n * n)
            .filter(|i| (i / n).abs_diff(n / 2) + (i % n).abs_diff(n / 2) > 12)
            .max_by(|a, b| power[*a].total_cmp(&power[*b]))
            .expect("a frequency");
        let at = [strongest / n, strongest % n].map(|k| k as f64 - (n / 2) as f64);
        let found = n as f64 * pixel / at[0].hypot(at[1]);
        assert!(
            (found / spacing - 1.0).abs() < 0.02,
            "{spacing} nm: {found} nm"
        );
    }
    Ok(())
}

#[test]
fn the_films_spectrum_has_the_rings_of_its_defocus() -> Result<()> {
    let (defocus, pixel) = (60.0, 0.05);
    let drawn = draw(
        "nanoparticles",
        &[
            ("particles", 0.0),
            ("film", 1.0),
            ("noise", 0.0),
            ("defocus", defocus),
            ("pixelSize", pixel),
        ],
    );
    let (n, power) = power(&drawn.image)?;
    let ring = |g: f64| {
        let at =
            |i: usize| ((i / n) as f64 - (n / 2) as f64).hypot((i % n) as f64 - (n / 2) as f64);
        let radius = g * n as f64 * pixel;
        let on: Vec<f64> = (0..n * n)
            .filter(|i| (at(*i) - radius).abs() < 0.7)
            .map(|i| power[i])
            .collect();
        on.iter().sum::<f64>() / on.len() as f64
    };
    // sin(π λ Δf g²) is 1 where g² = 1/(2 λ Δf) and vanishes at twice that.
    let first = (1.0 / (0.001_969 * defocus)).sqrt();
    let bright = ring(first * 0.5f64.sqrt());
    assert!(ring(first) < 0.02 * bright, "{} {bright}", ring(first));
    assert!(ring(first * 1.5f64.sqrt()) > 0.1 * bright);
    Ok(())
}

#[test]
fn particles_fringes_lie_where_the_label_says_so() {
    let list = [
        ("film", 0.1),
        ("noise", 0.0),
        ("visibility", 1.0),
        ("particles", 5.0),
    ];
    let drawn = draw("nanoparticles", &list);
    let variance = |value: f32| {
        let middle = grey(&drawn, "crystalline", value);
        let marks = label(&drawn, "crystalline").iter();
        let on = drawn
            .image
            .data()
            .iter()
            .zip(marks)
            .filter(|(_, m)| **m == value);
        mean(on.map(|(v, _)| (v - middle as f32).powi(2)))
    };
    assert!(
        variance(1.0) > 8.0 * variance(0.0),
        "{} {}",
        variance(1.0),
        variance(0.0)
    );
    for (a, b) in label(&drawn, "crystalline")
        .iter()
        .zip(label(&drawn, "particles"))
    {
        assert_eq!(*a == 1.0, *b > 0.0);
    }
}

#[test]
fn columns_are_bright_and_vacancies_dim() {
    let drawn = draw(
        "columns",
        &[("vacancies", 12.0), ("noise", 0.02), ("dislocations", 0.0)],
    );
    assert!(grey(&drawn, "columns", 1.0) > 1.5 * grey(&drawn, "columns", 0.0));
    let at = |defect: f32| {
        let (columns, defects) = (label(&drawn, "columns"), label(&drawn, "defects"));
        let pixels = drawn.image.data().iter().zip(columns.iter().zip(defects));
        mean(
            pixels
                .filter(|(_, (c, d))| **c == 1.0 && **d == defect)
                .map(|(v, _)| *v),
        )
    };
    assert!(at(1.0) < 0.75 * at(0.0), "{} {}", at(1.0), at(0.0));
    let plain = draw(
        "columns",
        &[
            ("vacancies", 0.0),
            ("dislocations", 0.0),
            ("misorientation", 0.0),
        ],
    );
    assert_eq!(part(&plain, "defects", 0.0), 1.0);
    assert!(part(&draw("columns", &[]), "defects", 2.0) > 0.0);
    assert!(part(&draw("columns", &[]), "defects", 3.0) > 0.02);
}

#[test]
fn column_spacing_is_what_was_asked_for() -> Result<()> {
    let (spacing, pixel) = (0.25, 0.02);
    let list = [
        ("spacing", spacing),
        ("pixelSize", pixel),
        ("misorientation", 0.0),
        ("dislocations", 0.0),
    ];
    let (n, power) = power(&draw("columns", &list).image)?;
    let strongest = (0..n * n)
        .filter(|i| (i / n).abs_diff(n / 2) + (i % n).abs_diff(n / 2) > 6)
        .max_by(|a, b| power[*a].total_cmp(&power[*b]))
        .expect("a frequency");
    let at = [strongest / n, strongest % n].map(|k| k as f64 - (n / 2) as f64);
    let found = n as f64 * pixel / at[0].hypot(at[1]);
    // Either row of the cell: the spacing, or 1.08 times it.
    assert!(
        (found / spacing - 1.0).abs() < 0.03 || (found / spacing - 1.08).abs() < 0.03,
        "{found}"
    );
    Ok(())
}

#[test]
fn phases_take_the_part_asked_for_and_their_grey() {
    for fraction in [0.1, 0.45, 0.8] {
        let drawn = draw("two-phase", &[("fraction", fraction)]);
        assert!((part(&drawn, "phases", 2.0) - fraction).abs() < 0.002);
        assert!(grey(&drawn, "phases", 2.0) > grey(&drawn, "phases", 1.0) + 0.2);
        let pores = draw("porous", &[("porosity", fraction.min(0.7))]);
        let found = part(&pores, "phases", 2.0);
        assert!((found - fraction.min(0.7)).abs() < 0.02, "{found}");
        assert!(grey(&pores, "phases", 2.0) < grey(&pores, "phases", 1.0) - 0.15);
    }
    let precipitates = draw("precipitate", &[("count", 12.0), ("radius", 60.0)]);
    assert!(grey(&precipitates, "phases", 2.0) < grey(&precipitates, "phases", 1.0) - 0.2);
    let fibres = draw("fibres", &[]);
    assert!(grey(&fibres, "fibre", 1.0) > 1.5 * grey(&fibres, "fibre", 0.0));
    let laths = draw("laths", &[]);
    assert!(grey(&laths, "boundaries", 1.0) > grey(&laths, "boundaries", 0.0) + 0.08);
}

#[test]
fn one_precipitate_has_its_area() {
    for radius in [100.0, 160.0] {
        let drawn = draw("precipitate", &[("radius", radius), ("cube", 0.0)]);
        let area = part(&drawn, "phases", 2.0) * 65536.0 * 16.0;
        let wanted = std::f64::consts::PI * radius * radius;
        assert!((area / wanted - 1.0).abs() < 0.2, "{area} of {wanted}");
    }
}

#[test]
fn elements_count_as_poisson_does() {
    let counts = 10.0;
    let drawn = draw(
        "element-map",
        &[
            ("counts", counts),
            ("elements", 4.0),
            ("size", 200.0),
            ("oxides", 0.0),
        ],
    );
    assert_eq!(drawn.image.shape(), [4, 200, 200]);
    let phases = label(&drawn, "phases");
    for channel in drawn.image.data().chunks(200 * 200) {
        for phase in [1.0, 2.0] {
            let on = || {
                channel
                    .iter()
                    .zip(phases)
                    .filter(move |(_, p)| **p == phase)
                    .map(|(v, _)| v * counts as f32)
            };
            let average = mean(on());
            let variance = mean(on().map(|c| (c - average as f32).powi(2)));
            assert!(on().all(|c| (c - c.round()).abs() < 1e-3));
            // Bright channels are cut at full scale, the dim ones are not.
            if average < 0.3 * counts {
                assert!(
                    (variance / average - 1.0).abs() < 0.08,
                    "{average} {variance}"
                );
            }
        }
    }
}

#[test]
fn the_default_microscope_changes_nothing() -> Result<()> {
    for kind in &KINDS {
        let list = [("size", 64.0)];
        assert_eq!(
            under(kind.name, &list, &[])?,
            draw(kind.name, &list),
            "{}",
            kind.name
        );
    }
    Ok(())
}

#[test]
fn every_knob_does_something_and_its_extremes_are_computable() -> Result<()> {
    let plain = under("nanoparticles", &[("size", 80.0)], &[("dose", 100.0)])?;
    for knob in KNOBS {
        for extreme in [knob.min, knob.max] {
            if knob.name == "pixelSize" && extreme > 0.0 {
                continue;
            }
            let seen = under(
                "nanoparticles",
                &[("size", 80.0)],
                &[("dose", 100.0), (knob.name, extreme)],
            );
            let seen = seen.unwrap_or_else(|e| panic!("{} = {extreme}: {e}", knob.name));
            assert!(
                seen.image.data().iter().all(|v| (0.0..=1.0).contains(v)),
                "{}",
                knob.name
            );
            // Without read noise a gain of whole counts loses nothing.
            let whole_gain = knob.name == "gain" && extreme >= 1.0;
            if extreme != knob.default {
                assert!(seen.image != plain.image || whole_gain, "{}", knob.name);
            }
        }
    }
    let coarse = under("nanoparticles", &[("size", 80.0)], &[("pixelSize", 0.1)])?;
    assert_eq!(coarse.image.shape(), [1, 40, 40]);
    Ok(())
}

#[test]
fn pixel_size_scales_picture_and_labels() -> Result<()> {
    let list = [("grains", 12.0), ("noise", 0.0)];
    let fine = draw("grains", &list);
    for (pixel, size) in [(1260.0, 128), (945.0, 171), (315.0, 512)] {
        let seen = under("grains", &list, &[("pixelSize", pixel)])?;
        assert_eq!(seen.image.shape(), [1, size, size]);
        assert_eq!(seen.pixel_size, pixel);
        // Every grain keeps its area on the specimen and its grey.
        for id in 1..=12 {
            let id = id as f32;
            let (before, after) = (part(&fine, "grains", id), part(&seen, "grains", id));
            assert!(
                (before - after).abs() < 0.004,
                "grain {id}: {before} {after}"
            );
            assert!((grey(&fine, "grains", id) - grey(&seen, "grains", id)).abs() < 0.02);
        }
        // Boundaries stay one pixel on either side: they are drawn anew.
        let share = part(&seen, "boundaries", 1.0) / part(&fine, "boundaries", 1.0);
        assert!((share / (pixel / 630.0) - 1.0).abs() < 0.25, "{share}");
    }
    let refused = under("grains", &list, &[("pixelSize", 1e6)]).expect_err("too coarse");
    assert!(
        refused
            .to_string()
            .starts_with("microscope: pixelSize must be such that"),
        "{refused}"
    );
    Ok(())
}

#[test]
fn labels_move_with_the_picture() -> Result<()> {
    let list = [
        ("noise", 0.0),
        ("blur", 0.0),
        ("size", 128.0),
        ("contrast", 1.0),
        ("seed", 3.0),
    ];
    for nuisance in [("drift", 20.0), ("distortion", 3.0)] {
        let seen = under("two-grains", &list, &[nuisance])?;
        assert_ne!(seen.labels, draw("two-grains", &list).labels);
        // The bright grain is where the label has it; only interpolated pixels lie between the two levels.
        let wrong = seen.image.data().iter().zip(label(&seen, "grains"));
        let wrong = wrong.filter(|(v, id)| (**v > 0.5) != (**id == 2.0)).count();
        assert!(wrong < 128, "{nuisance:?}: {wrong}");
    }
    Ok(())
}

#[test]
fn dose_makes_noise_of_its_own_size() -> Result<()> {
    let list = [
        ("contrast", 0.0),
        ("noise", 0.0),
        ("blur", 0.0),
        ("size", 200.0),
    ];
    for dose in [20.0, 200.0, 2000.0] {
        let seen = under("two-grains", &list, &[("dose", dose)])?;
        let electrons = || seen.image.data().iter().map(|v| v * dose as f32);
        let average = mean(electrons());
        let variance = mean(electrons().map(|e| (e - average as f32).powi(2)));
        assert!(
            (average / (0.5 * dose) - 1.0).abs() < 0.02,
            "{dose}: {average}"
        );
        assert!(
            (variance / average - 1.0).abs() < 0.04,
            "{dose}: {variance}"
        );
    }
    Ok(())
}

#[test]
fn seeds_count_and_repeat() -> Result<()> {
    let seen = |seed: f64| under("two-grains", &[], &[("dose", 20.0), ("seed", seed)]);
    assert_eq!(seen(1.0)?, seen(1.0)?);
    assert_ne!(seen(1.0)?.image, seen(2.0)?.image);
    assert_eq!(seen(1.0)?.labels, seen(2.0)?.labels);
    Ok(())
}

#[test]
fn real_pictures_of_any_shape_are_taken() -> Result<()> {
    let image = Tensor::from_fn(&[2, 33, 70], |i| (i % 11) as f32 / 11.0)?;
    let marks = Tensor::from_fn(&[1, 33, 70], |i| (i % 2) as f32)?;
    let view = View {
        image,
        labels: vec![("mask".into(), marks)],
        pixel_size: 2.0,
    };
    let all = options(&[
        ("dose", 30.0),
        ("blur", 1.0),
        ("defocus", 4.0),
        ("drift", 3.0),
        ("distortion", 1.0),
        ("background", 0.3),
        ("invert", 1.0),
        ("gamma", 1.4),
        ("pixelSize", 3.0),
        ("damage", 1.5),
        ("readNoise", 2.0),
    ]);
    let seen = Microscope::read(&all)?.expose(view)?;
    assert_eq!(seen.image.shape(), [2, 22, 47]);
    let names: Vec<&str> = seen.labels.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mask", "damage"]);
    assert!(
        seen.labels
            .iter()
            .all(|(_, map)| map.shape() == [1, 22, 47])
    );
    Ok(())
}

#[test]
fn refusals_say_what_is_allowed() {
    let refusal = |name: &str, value: Value| {
        Microscope::read(&[(name.to_string(), value)].into())
            .map(|_| ())
            .expect_err("a refusal")
            .to_string()
    };
    assert_eq!(
        refusal("dose", (-1.0).into()),
        "microscope: dose must be a number from 0 to 10000; got -1"
    );
    assert!(
        refusal("astigmatism", 1.0.into())
            .starts_with("microscope: unknown option \"astigmatism\"; known options: dose")
    );
    assert_eq!(
        refusal("invert", 0.5.into()),
        "microscope: invert must be a whole number from 0 to 1; got 0.5"
    );
    assert!(Microscope::read(&[("invert".to_string(), true.into())].into()).is_ok());
    let nested = [("microscope".to_string(), 3.0.into())].into();
    let refused = specimen("grains", &nested)
        .expect_err("a refusal")
        .to_string();
    assert_eq!(
        refused,
        "specimen grains: microscope must be an object of the microscope's options; got 3"
    );
}
