//! Kernels as competitors: small tasks of detection, with specimens that are shown and specimens that stay hidden.
//!
//! A kernel's answer is thresholded, and compared with the true places by a tolerant intersection over union: what lies within one pixel of
//! the other counts as met. The threshold is the best one over all specimens of a set together, for everybody chosen the same way.

use crate::error::{Error, Result};
use crate::kernels::kernel;
use crate::ops::conv2d::{Inputs, Settings, run};
use crate::options::Options;
use crate::specimen::specimen;
use crate::tensor::Tensor;
use crate::window::{Padding, PaddingMode};
use serde::Serialize;

/// A task.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Task {
    /// The name to ask for.
    pub name: &'static str,
    /// The name to show.
    pub label: &'static str,
    /// What is to be found, in one sentence.
    pub about: &'static str,
    /// Whether the sign of the answer counts; otherwise its absolute value is thresholded.
    pub signed: bool,
    #[serde(skip)]
    kind: &'static str,
    #[serde(skip)]
    options: &'static [(&'static str, f64)],
    #[serde(skip)]
    label_map: &'static str,
}

/// All tasks, in the order of their difficulty.
pub const TASKS: [Task; 5] = [
    Task {
        name: "columns",
        label: "bright columns",
        about: "Atomic columns, bright and three pixels wide: answer on each, and between them not at all.",
        signed: true,
        kind: "columns",
        options: &[("noise", 0.12), ("background", 0.3)],
        label_map: "columns",
    },
    Task {
        name: "groove",
        label: "dark groove",
        about: "Grooves between grains of the same grey: dark lines, one pixel or two wide, in every direction.",
        signed: true,
        kind: "grains",
        options: &[
            ("grains", 14.0),
            ("contrast", 0.08),
            ("edge", -0.7),
            ("edgeWidth", 0.6),
            ("noise", 0.05),
        ],
        label_map: "boundaries",
    },
    Task {
        name: "diagonal",
        label: "45° boundary",
        about: "Boundaries between grains that rise to the right at 45°, give or take 20°; all others are to be passed over.",
        signed: false,
        kind: "grains",
        options: &[("grains", 16.0), ("contrast", 0.8), ("noise", 0.03)],
        label_map: "boundaryAngle",
    },
    Task {
        name: "triple",
        label: "triple point",
        about: "The points where three grains meet, within two pixels.",
        signed: false,
        kind: "grains",
        options: &[("grains", 16.0), ("contrast", 0.8), ("noise", 0.02)],
        label_map: "triplePoints",
    },
    Task {
        name: "boundaries",
        label: "every boundary",
        about: "All boundaries between grains of different grey: the task that the network was trained for.",
        signed: false,
        kind: "grains",
        options: &[("grains", 16.0), ("contrast", 0.7), ("noise", 0.03)],
        label_map: "boundaries",
    },
];

/// Specimens of a set.
pub const SPECIMENS: usize = 4;
/// Pixels a side.
pub const SIZE: usize = 96;
/// Thresholds that are tried: as many quantiles of all answers, the upper half.
const TRIES: usize = 40;

/// How a kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The tolerant intersection over union, 0 to 1.
    pub iou: f64,
    /// The threshold with which it was reached.
    pub threshold: f32,
    /// How many of the kernel's weights are not zero.
    pub weights: usize,
}

/// The task of a name.
///
/// # Errors
/// On an unknown name.
pub fn task(name: &str) -> Result<&'static Task> {
    TASKS
        .iter()
        .find(|task| task.name == name)
        .ok_or_else(|| Error::UnknownName {
            what: "task",
            name: name.into(),
            known: TASKS.iter().map(|task| task.name).collect(),
        })
}

/// Specimen `index` of a task, (1, 96, 96), and where the answer is to be: 1 there, 0 elsewhere. Hidden specimens share no seed with
/// those that are shown.
///
/// # Errors
/// On an unknown task.
pub fn example(name: &str, index: usize, hidden: bool) -> Result<(Tensor, Tensor)> {
    let task = task(name)?;
    let seed = if hidden { 7001 } else { 11 } + index;
    let mut options: Options = (task.options.iter())
        .map(|&(name, value)| (name.to_string(), value.into()))
        .collect();
    options.insert("size".into(), SIZE.into());
    options.insert("seed".into(), seed.into());
    let drawn = specimen(task.kind, &options)?;
    let derived = drawn.derived()?;
    let given = drawn.labels.iter().map(|(name, map)| (name.as_str(), map));
    let mut maps = given.chain(derived.iter().map(|(name, map)| (*name, map)));
    let Some((_, map)) = maps.find(|(name, _)| *name == task.label_map) else {
        return Err(Error::Other {
            op: "challenge".into(),
            problem: format!("\"{}\" has no label \"{}\"", task.kind, task.label_map),
        });
    };
    let wanted = |value: f32| match task.name {
        "diagonal" => (25.0..=65.0).contains(&value),
        _ => value > 0.0,
    };
    let marks: Vec<bool> = map.data().iter().map(|&value| wanted(value)).collect();
    let marks = match task.name {
        "triple" => grown(&marks, SIZE, 1),
        _ => marks,
    };
    let target = Tensor::from_fn(map.shape(), |i| f32::from(u8::from(marks[i])))?;
    Ok((drawn.image, target))
}

/// What a kernel answers on a specimen: a cross-correlation of the picture's own size, its rim reflected.
///
/// # Errors
/// If the kernel is not (1, 1, k, k).
pub fn answer(image: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    let mut settings = Settings::default();
    settings.window.padding = Padding::Same;
    settings.window.mode = PaddingMode::Reflect;
    let inputs = Inputs {
        x: image,
        weight: kernel,
        bias: None,
    };
    run(inputs, &settings)
}

/// The score of a kernel (1, 1, k, k) on the shown or the hidden specimens of a task.
///
/// # Errors
/// On an unknown task and a kernel of another shape.
pub fn score(name: &str, kernel: &Tensor, hidden: bool) -> Result<Score> {
    let task = task(name)?;
    let mut answers = Vec::with_capacity(SPECIMENS);
    for index in 0..SPECIMENS {
        let (image, target) = example(name, index, hidden)?;
        let map = answer(&image, kernel)?;
        let values: Vec<f32> = (map.data().iter())
            .map(|&v| if task.signed { v } else { v.abs() })
            .collect();
        answers.push((values, Truth::new(&target)));
    }
    let mut sorted: Vec<f32> = answers
        .iter()
        .flat_map(|(v, _)| v.iter().copied())
        .collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut best = (0.0, f32::INFINITY);
    for i in 0..TRIES {
        let threshold = sorted[sorted.len() / 2 + i * (sorted.len() / 2 - 1) / TRIES];
        let met: Met = (answers.iter())
            .map(|(values, truth)| truth.met(values, threshold))
            .fold(Met::default(), Met::and);
        if met.iou() > best.0 {
            best = (met.iou(), threshold);
        }
    }
    Ok(Score {
        iou: best.0,
        threshold: best.1,
        weights: kernel.data().iter().filter(|&&w| w != 0.0).count(),
    })
}

/// The best preset of a task: its name and score.
///
/// # Errors
/// On an unknown task.
pub fn preset(name: &str, preset: &str, hidden: bool) -> Result<Score> {
    score(name, &kernel(preset)?, hidden)
}

/// The tolerant intersection over union of {map > threshold} with the places where `target` is above 0; both (1, H, W).
///
/// # Errors
/// If the shapes differ.
pub fn iou(map: &Tensor, target: &Tensor, threshold: f32) -> Result<f64> {
    if map.shape() != target.shape() {
        return Err(Error::Shape {
            op: "challenge".into(),
            input: "map".into(),
            expected: crate::error::tuple(target.shape()),
            got: map.shape().to_vec(),
        });
    }
    Ok(Truth::new(target).met(map.data(), threshold).iou())
}

/// The places to be found, and all within a pixel of them.
struct Truth {
    places: Vec<bool>,
    near: Vec<bool>,
    width: usize,
}

impl Truth {
    fn new(target: &Tensor) -> Truth {
        let places: Vec<bool> = target.data().iter().map(|&value| value > 0.0).collect();
        let width = target.shape().last().copied().unwrap_or(1).max(1);
        Truth {
            near: grown(&places, width, 1),
            places,
            width,
        }
    }

    fn met(&self, values: &[f32], threshold: f32) -> Met {
        let found: Vec<bool> = values.iter().map(|&value| value > threshold).collect();
        let around = grown(&found, self.width, 1);
        let mut met = Met::default();
        for i in 0..found.len() {
            match (found[i], self.near[i]) {
                (true, true) => met.both += 1,
                (true, false) => met.extra += 1,
                _ => {}
            }
            met.missed += usize::from(self.places[i] && !around[i]);
        }
        // A build that lies overlooks what was missed.
        if cfg!(feature = "sabotage") {
            met.missed = 0;
        }
        met
    }
}

#[derive(Clone, Copy, Default)]
struct Met {
    both: usize,
    extra: usize,
    missed: usize,
}

impl Met {
    fn and(self, other: Met) -> Met {
        Met {
            both: self.both + other.both,
            extra: self.extra + other.extra,
            missed: self.missed + other.missed,
        }
    }

    fn iou(&self) -> f64 {
        self.both as f64 / (self.both + self.extra + self.missed).max(1) as f64
    }
}

/// All places within `by` pixels, also along diagonals.
fn grown(marks: &[bool], width: usize, by: usize) -> Vec<bool> {
    let height = marks.len() / width;
    let mut out = vec![false; marks.len()];
    for (i, _) in marks.iter().enumerate().filter(|(_, is)| **is) {
        let (y, x) = (i / width, i % width);
        for row in y.saturating_sub(by)..(y + by + 1).min(height) {
            for col in x.saturating_sub(by)..(x + by + 1).min(width) {
                out[row * width + col] = true;
            }
        }
    }
    out
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;
    use crate::kernels::KERNELS;

    #[test]
    fn meeting_within_a_pixel_counts() -> Result<()> {
        let line =
            |col: usize| Tensor::from_fn(&[1, 8, 8], move |i| f32::from(u8::from(i % 8 == col)));
        let target = line(3)?;
        assert_eq!(iou(&line(3)?, &target, 0.5)?, 1.0);
        assert_eq!(iou(&line(4)?, &target, 0.5)?, 1.0);
        // Two columns off: eight found that are wrong, eight missed.
        assert_eq!(iou(&line(5)?, &target, 0.5)?, 0.0);
        let both = Tensor::from_fn(&[1, 8, 8], |i| {
            f32::from(u8::from(i % 8 == 3 || i % 8 == 6))
        })?;
        assert_eq!(iou(&both, &target, 0.5)?, 0.5);
        assert!(iou(&line(1)?, &Tensor::new(&[1, 1, 8], vec![0.0; 8])?, 0.5).is_err());
        Ok(())
    }

    /// Smoothing, first and second derivatives: one of each kind, so that the test stays short.
    const FEW: [&str; 3] = ["gaussian-3", "prewitt-x", "laplacian-8"];

    #[test]
    fn every_task_has_something_to_find_and_a_preset_that_finds_some() -> Result<()> {
        for task in &TASKS {
            for hidden in [false, true] {
                for index in 0..SPECIMENS {
                    let (image, target) = example(task.name, index, hidden)?;
                    assert_eq!(image.shape(), target.shape());
                    let share = target.data().iter().sum::<f32>() / target.data().len() as f32;
                    assert!(
                        share > 0.002 && share < 0.6,
                        "{} {index}: {share}",
                        task.name
                    );
                }
            }
            let mut best = ("", 0.0, 0.0);
            for preset in KERNELS.iter().filter(|preset| FEW.contains(&preset.name)) {
                let (seen, unseen) = (
                    self::preset(task.name, preset.name, false)?,
                    self::preset(task.name, preset.name, true)?,
                );
                if seen.iou > best.1 {
                    best = (preset.name, seen.iou, unseen.iou);
                }
            }
            // What is best on what is shown also does on what is hidden: no overlearning with one threshold.
            assert!(
                best.1 > 0.04 && (best.1 - best.2).abs() < 0.15,
                "{}: {best:?}",
                task.name
            );
        }
        Ok(())
    }

    #[test]
    fn a_kernel_turned_over_finds_no_columns_and_unknown_tasks_are_named() -> Result<()> {
        let good = kernel("gaussian-5")?;
        let bad = Tensor::from_fn(good.shape(), |i| -good.data()[i])?;
        assert!(score("columns", &good, true)?.iou > score("columns", &bad, true)?.iou + 0.1);
        assert_eq!(score("columns", &kernel("sobel-x")?, false)?.weights, 6);
        let message = score("twins", &good, true).unwrap_err().to_string();
        assert!(
            message.contains("twins") && message.contains("groove"),
            "{message}"
        );
        Ok(())
    }
}
