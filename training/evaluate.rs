//! Scores the shipped networks through the crate, on frozen lists of specimens that none was trained on and on real micrographs:
//!
//! ```text
//! cargo run --release --example evaluate
//! ```
//!
//! Settings of the post-processing and of the baselines are chosen on the first 24 specimens of a list; what is printed are the
//! others. The real micrographs decide nothing.

use kernelscope::baselines::{difference_of_gaussians, gaussian_sobel};
use kernelscope::files::png::decode;
use kernelscope::grains::{Settings as Flood, grains, matched};
use kernelscope::graph::Keep;
use kernelscope::metrics::{Settings, metrics};
use kernelscope::options::Value;
use kernelscope::specimen::{Specimen, specimen};
use kernelscope::{Tensor, weights};
use std::sync::Arc;

type Any<T> = Result<T, Box<dyn std::error::Error>>;

const CHOOSE: usize = 24;
const THRESHOLDS: [f32; 9] = [0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7];

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

struct Network {
    name: &'static str,
    model: weights::Model,
    threshold: f32,
}

impl Network {
    fn open(name: &'static str) -> Any<Option<Network>> {
        let file = path(&format!("www/models/{name}.safetensors"));
        if !std::path::Path::new(&file).exists() {
            println!("{name}: not there");
            return Ok(None);
        }
        let model = weights::load(&std::fs::read(file)?)?;
        let threshold = match &model.card {
            Value::Object(card) => match card.get("threshold") {
                Some(Value::Number(threshold)) => *threshold as f32,
                _ => 0.5,
            },
            _ => 0.5,
        };
        Ok(Some(Network {
            name,
            model,
            threshold,
        }))
    }

    /// Class probabilities of a picture: (K, H, W) or (K).
    fn run(&self, image: &Tensor) -> Any<Tensor> {
        let graph = Arc::new(self.model.graph.clone());
        Ok((*graph.run(image.clone(), &Keep::Output)?.output()).clone())
    }

    /// The map of class 1.
    fn foreground(&self, image: &Tensor) -> Any<Tensor> {
        let output = self.run(image)?;
        let &[2, h, w] = output.shape() else {
            return Err(format!("{} has no two classes", self.name).into());
        };
        Ok(Tensor::new(&[1, h, w], output.data()[h * w..].to_vec())?)
    }
}

/// The specimens of a list, with their names.
fn list(name: &str) -> Any<Vec<(String, Specimen)>> {
    let text = std::fs::read_to_string(path(&format!("training/held_out/{name}.jsonl")))?;
    text.lines()
        .map(|line| {
            let Value::Object(mut options) = kernelscope::json::parse(line)? else {
                return Err("a line must be an object".into());
            };
            let Some(Value::Text(kind)) = options.remove("kind") else {
                return Err("a line must name its kind".into());
            };
            let drawn = specimen(&kind, &options)?;
            Ok((kind, drawn))
        })
        .collect()
}

fn label<'a>(drawn: &'a Specimen, name: &str) -> &'a Tensor {
    &drawn
        .labels
        .iter()
        .find(|(label, _)| label == name)
        .expect("the label")
        .1
}

fn above(map: &Tensor, threshold: f32) -> Any<Tensor> {
    let mask = map
        .data()
        .iter()
        .map(|&v| f32::from(u8::from(v > threshold)));
    Ok(Tensor::new(map.shape(), mask.collect())?)
}

fn f1(mask: &Tensor, truth: &Tensor, tolerance: f64) -> Any<f64> {
    let settings = Settings {
        tolerance,
        ..Settings::default()
    };
    Ok(metrics(mask, truth, &settings)?.boundary.f1)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// IoU over all pixels of several pictures.
fn iou(pairs: &[(Tensor, &Tensor)]) -> f64 {
    let (mut both, mut either) = (0u64, 0u64);
    for (mask, truth) in pairs {
        for (&m, &t) in mask.data().iter().zip(truth.data()) {
            both += u64::from(m > 0.0 && t > 0.0);
            either += u64::from(m > 0.0 || t > 0.0);
        }
    }
    both as f64 / either.max(1) as f64
}

fn picture(name: &str) -> Any<Tensor> {
    let image = decode(&std::fs::read(path(name))?)?.image;
    let &[_, h, w] = image.shape() else {
        return Err("a picture is (C, H, W)".into());
    };
    Ok(Tensor::new(&[1, h, w], image.data()[..h * w].to_vec())?)
}

fn boundaries() -> Any<()> {
    let specimens = list("grains")?;
    let (choose, score) = specimens.split_at(CHOOSE);
    let truth = |drawn: &Specimen| label(drawn, "boundaries").clone();
    // The micrograph: scored inside `valid` only.
    let titanium = picture("www/images/grain_ti_sem.png")?;
    let valid = picture("www/images/labels/grain_ti_sem_valid.png")?;
    let drawn = picture("www/images/grain_ti_sem_boundaries.png")?;
    let known = drawn.data().iter().zip(valid.data()).map(|(&b, &v)| {
        if v > 0.0 {
            f32::from(u8::from(b > 0.0))
        } else {
            -1.0
        }
    });
    let known = Tensor::new(drawn.shape(), known.collect())?;
    let true_grains = picture("www/images/labels/grain_ti_sem_grains16.png")?;
    // 16 bits come as parts of the whole range.
    let true_grains = Tensor::new(
        true_grains.shape(),
        true_grains
            .data()
            .iter()
            .map(|v| (v * 65535.0).round())
            .collect(),
    )?;

    let score_at =
        |maps: &[Tensor], set: &[(String, Specimen)], t: f32, tolerance: f64| -> Any<f64> {
            let each: Any<Vec<f64>> = maps
                .iter()
                .zip(set)
                .map(|(map, (_, s))| f1(&above(map, t)?, &truth(s), tolerance))
                .collect();
            Ok(mean(&each?))
        };
    type Baseline = fn(&Tensor) -> kernelscope::Result<Tensor>;
    let baselines: [(&str, Baseline); 2] = [
        ("Gaussian + Sobel", gaussian_sobel),
        ("difference of Gaussians", difference_of_gaussians),
    ];
    for (name, filter) in baselines {
        let maps = |set: &[(String, Specimen)]| -> Any<Vec<Tensor>> {
            set.iter().map(|(_, s)| Ok(filter(&s.image)?)).collect()
        };
        let tried = maps(choose)?;
        let mut best = (0.0, 0.5);
        for t in THRESHOLDS {
            let value = score_at(&tried, choose, t, 2.0)?;
            if value > best.0 {
                best = (value, t);
            }
        }
        println!(
            "{name}, threshold {} chosen on specimens: F1 at 2 px {:.3} on specimens, {:.3} on titanium",
            best.1,
            score_at(&maps(score)?, score, best.1, 2.0)?,
            f1(&above(&filter(&titanium)?, best.1)?, &known, 2.0)?
        );
    }

    for name in ["grains", "grains_deep", "grains_deep_noskip"] {
        let Some(network) = Network::open(name)? else {
            continue;
        };
        let maps = |set: &[(String, Specimen)]| -> Any<Vec<Tensor>> {
            set.iter()
                .map(|(_, s)| network.foreground(&s.image))
                .collect()
        };
        let found = maps(score)?;
        let t = network.threshold;
        let real = network.foreground(&titanium)?;
        // The watershed's settings: most grains on the specimens to choose on.
        let (chosen, mut most, mut flood) = (maps(choose)?, -1.0, Flood::default());
        let asked = [0.1f32, 0.2, 0.3, 0.5].into_iter();
        let asked =
            asked.flat_map(|threshold| [0.0, 1.0, 2.0, 3.0].map(|clear| (threshold, clear)));
        let necks = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9];
        let asked = asked.flat_map(|(threshold, clear)| necks.map(|neck| (threshold, clear, neck)));
        for (threshold, clear, neck) in asked {
            for least in [5, 20] {
                let settings = Flood {
                    threshold,
                    clear,
                    least,
                    neck,
                };
                let (mut of, mut hits) = (0, 0);
                for (map, (_, s)) in chosen.iter().zip(choose) {
                    let matched = matched(&grains(map, &settings)?, label(s, "grains"), None, 30)?;
                    (of, hits) = (of + matched.of, hits + matched.found);
                }
                let share = f64::from(hits as u32) / f64::from(of as u32);
                if share > most {
                    (most, flood) = (share, settings);
                }
            }
        }
        let regained = matched(&grains(&real, &flood)?, &true_grains, Some(&valid), 30)?;
        println!(
            "{name}: F1 at 2 px {:.3}, at 1 px {:.3} on specimens (threshold {t}); titanium F1 at 2 px {:.3}, at 1 px {:.3}; grains regained {} of {} = {:.1} % (markers below {}, {} px clear, of {} px, necks of {}; {:.1} % on specimens)",
            score_at(&found, score, t, 2.0)?,
            score_at(&found, score, t, 1.0)?,
            f1(&above(&real, t)?, &known, 2.0)?,
            f1(&above(&real, t)?, &known, 1.0)?,
            regained.found,
            regained.of,
            100.0 * regained.found as f64 / regained.of as f64,
            flood.threshold,
            flood.clear,
            flood.least,
            flood.neck,
            100.0 * most
        );
    }
    Ok(())
}

fn particles() -> Any<()> {
    let lists = [list("particles")?, list("particles_whole")?];
    for name in ["particles", "particles_noskip"] {
        let Some(network) = Network::open(name)? else {
            continue;
        };
        let mut shares = Vec::new();
        for specimens in &lists {
            let masks: Any<Vec<_>> = specimens[CHOOSE..]
                .iter()
                .map(|(_, s)| {
                    let found = above(&network.foreground(&s.image)?, network.threshold)?;
                    Ok((found, label(s, "crystalline")))
                })
                .collect();
            shares.push(iou(&masks?));
        }
        let mut tiles = Vec::new();
        let mut words = Vec::new();
        for tile in ["2p2nm_0", "2p2nm_2", "5nm_1", "5nm_2", "10nm_0", "10nm_1"] {
            let file = format!("www/images/hrtem_au_{tile}.png");
            let file = if std::path::Path::new(&path(&file)).exists() {
                file
            } else {
                format!("training/tiles/hrtem_au_{tile}.png")
            };
            let mask = picture(&file.replace(".png", "_mask.png"))?;
            let found = above(&network.foreground(&picture(&file)?)?, network.threshold)?;
            tiles.push(iou(&[(found, &mask)]));
            words.push(format!("{tile} {:.3}", tiles[tiles.len() - 1]));
        }
        println!(
            "{name}: IoU {:.3} on specimens, {:.3} on those of another look (threshold {}); real tiles mean {:.3}: {}",
            shares[0],
            shares[1],
            network.threshold,
            mean(&tiles),
            words.join(", ")
        );
    }
    Ok(())
}

fn classes() -> Any<()> {
    for (name, lists) in [
        ("microstructure", ["classes", "classes_nuisances"]),
        ("lenet5", ["patches", "patches_nuisances"]),
    ] {
        let Some(network) = Network::open(name)? else {
            continue;
        };
        let Value::Object(card) = &network.model.card else {
            return Err("no card".into());
        };
        let Some(Value::List(names)) = card.get("classes") else {
            return Err("no classes".into());
        };
        let mut shares = Vec::new();
        for set in lists {
            let specimens = list(set)?;
            let mut right = 0;
            for (kind, s) in &specimens {
                let &[_, h, w] = s.image.shape() else {
                    return Err("a specimen is (C, H, W)".into());
                };
                let plane = Tensor::new(&[1, h, w], s.image.data()[..h * w].to_vec())?;
                let p = network.run(&plane)?;
                let best = (0..p.data().len())
                    .max_by(|&a, &b| p.data()[a].total_cmp(&p.data()[b]))
                    .expect("classes");
                right += usize::from(names[best] == Value::Text(kind.clone()));
            }
            shares.push(100.0 * right as f64 / specimens.len() as f64);
        }
        println!(
            "{name}: accuracy {:.1} % on specimens, {:.1} % under a poor microscope",
            shares[0], shares[1]
        );
    }
    Ok(())
}

/// How far the crate is from PyTorch, for the kept values of every node (tests/golden/networks.json), relative to numbers above 1.
fn agreement() -> Any<()> {
    let text = std::fs::read_to_string(path("tests/golden/networks.json"))?;
    let golden: serde_json::Value = serde_json::from_str(&text)?;
    let titanium = picture("www/images/grain_ti_sem.png")?;
    let across = titanium.shape()[2];
    for case in golden["cases"].as_array().ok_or("no cases")? {
        let name = case["name"].as_str().ok_or("no name")?;
        let model = weights::load(&std::fs::read(path(&format!(
            "www/models/{name}.safetensors"
        )))?)?;
        let part: Vec<usize> = serde_json::from_value(case["part"].clone())?;
        let &[top, left, height, width] = &part[..] else {
            return Err("a part is top, left, height and width".into());
        };
        let rows = (top..top + height).flat_map(|y| &titanium.data()[y * across + left..][..width]);
        let image = Tensor::new(&[1, height, width], rows.copied().collect())?;
        let trace = Arc::new(model.graph).run(image, &Keep::All)?;
        let nodes = case["nodes"].as_object().ok_or("no nodes")?;
        let mut worst = (0.0f32, "");
        for (node, kept) in nodes {
            let map = trace.node(node)?;
            let at: Vec<usize> = serde_json::from_value(kept["at"].clone())?;
            let values: Vec<f32> = serde_json::from_value(kept["values"].clone())?;
            for (&i, &wanted) in at.iter().zip(&values) {
                let off = (map.data()[i] - wanted).abs() / wanted.abs().max(1.0);
                if off > worst.0 {
                    worst = (off, node);
                }
            }
        }
        println!(
            "{name}: {} nodes as in PyTorch to {:.1e} (farthest: {})",
            nodes.len(),
            worst.0,
            worst.1
        );
    }
    Ok(())
}

fn main() -> Any<()> {
    agreement()?;
    boundaries()?;
    particles()?;
    classes()
}
