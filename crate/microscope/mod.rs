//! What a microscope does to a specimen: every nuisance that a network meets, with units and a source.
//!
//! [`Microscope::expose`] applies them along the beam's path, always in this order:
//! damage ([`damage`]) → defocus ([`optics`]) → pixel size, drift and scan distortion ([`scan`], labels go along) →
//! blur, background ([`optics`]) → dose, gain, read noise ([`detector`]) → inversion, gamma ([`display`]).
//! Each step is a pure function of pictures, numbers and its own random numbers, so that turning one knob leaves the
//! others' noise what it was. The defaults change nothing.

pub mod damage;
pub mod detector;
pub mod display;
pub mod optics;
pub mod scale_bar;
pub mod scan;

use crate::error::{Error, Result};
use crate::knob::{Knob, Settled, knob};
use crate::labels;
use crate::options::{Options, Reader};
use crate::random::Random;
use crate::tensor::Tensor;

/// What can be set, with units; 0 means "off" for everything but gain and gamma.
pub const KNOBS: &[Knob] = &[
    knob(
        "dose",
        "Dose (electrons a pixel; 0: no noise)",
        [0.0, 10_000.0, 0.5],
        0.0,
    ),
    knob("gain", "Gain (counts an electron)", [0.1, 100.0, 0.1], 10.0),
    knob("readNoise", "Read noise (counts)", [0.0, 100.0, 0.5], 0.0),
    knob("blur", "Blur (pixels)", [0.0, 8.0, 0.1], 0.0),
    knob("defocus", "Defocus (nm)", [-200.0, 200.0, 2.0], 0.0),
    knob("drift", "Drift (pixels a frame)", [-64.0, 64.0, 0.5], 0.0),
    knob(
        "distortion",
        "Scan distortion (pixels)",
        [0.0, 8.0, 0.1],
        0.0,
    ),
    knob(
        "background",
        "Background (part of full scale)",
        [0.0, 1.0, 0.05],
        0.0,
    ),
    knob("invert", "Inverted contrast", [0.0, 1.0, 1.0], 0.0),
    knob("gamma", "Gamma", [0.2, 5.0, 0.05], 1.0),
    knob(
        "pixelSize",
        "Pixel size (nm; 0: as it is)",
        [0.0, 1e6, 0.001],
        0.0,
    ),
    knob(
        "damage",
        "Beam damage (critical doses)",
        [0.0, 4.0, 0.05],
        0.0,
    ),
    knob("seed", "Seed of the noise", [0.0, 1e9, 1.0], 1.0),
];

/// A picture with its labels, as one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// (C, H, W), values 0 to 1.
    pub image: Tensor,
    /// Label maps by name, each (1, H, W).
    pub labels: Vec<(String, Tensor)>,
    /// Edge of a pixel in nanometres.
    pub pixel_size: f64,
}

/// A microscope with its knobs set.
pub struct Microscope(Settled);

/// The state of the random numbers of one step: independent of the other steps.
fn random(seed: u64, step: u64) -> Random {
    Random::new(seed ^ (step.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

impl Microscope {
    /// Reads the knobs ([`KNOBS`]).
    ///
    /// # Errors
    /// On an unknown name or a value out of range.
    pub fn read(options: &Options) -> Result<Microscope> {
        let mut reader = Reader::new("microscope", options);
        let settled = Settled::read(KNOBS, &mut reader)?;
        reader.finish()?;
        Ok(Microscope(settled))
    }

    /// Takes the picture. Labels move, shear and are sampled with it; the map `boundaries`, if there is one, is drawn anew from
    /// the first label, so that it stays one pixel on either side. With beam damage there is a label `damage` more: 0 intact,
    /// 1 amorphous, 2 hole. All other labels tell what was there before the beam came.
    ///
    /// # Errors
    /// If the image is no (C, H, W), a label has another height or width, or the new pixel size makes the picture smaller
    /// than 8 or larger than 2048 pixels.
    pub fn expose(&self, view: View) -> Result<View> {
        let get = |name: &str| self.0.get(name);
        let seed = self.0.whole("seed") as u64;
        let &[channels, mut height, mut width] = view.image.shape() else {
            return Err(Error::Shape {
                op: "microscope".into(),
                input: "image".into(),
                expected: "(C, H, W)".into(),
                got: view.image.shape().to_vec(),
            });
        };
        for (name, map) in &view.labels {
            if map.shape() != [1, height, width] {
                return Err(Error::Shape {
                    op: "microscope".into(),
                    input: format!("label {name}"),
                    expected: format!("(1, {height}, {width}), as the image"),
                    got: map.shape().to_vec(),
                });
            }
        }
        let View {
            image,
            labels,
            mut pixel_size,
        } = view;
        let mut planes: Vec<Vec<f64>> = (image.data().chunks(height * width))
            .map(|plane| plane.iter().map(|&v| f64::from(v)).collect())
            .collect();
        let mut maps: Vec<(String, Vec<f32>)> = (labels.into_iter())
            .map(|(name, map)| (name, map.into_data()))
            .collect();

        if get("damage") > 0.0 {
            let harm = damage::Harm::new(&mut random(seed, 1), [height, width], get("damage"));
            for plane in &mut planes {
                harm.strike(plane);
            }
            maps.push(("damage".into(), harm.label()));
        }
        if get("defocus") != 0.0 {
            for plane in &mut planes {
                optics::defocus(plane, [height, width], pixel_size, get("defocus"));
            }
        }
        let wanted = get("pixelSize");
        if wanted > 0.0 && wanted != pixel_size {
            let size = [height, width].map(|n| (n as f64 * pixel_size / wanted + 0.5) as usize);
            if size.iter().any(|n| !(8..=2048).contains(n)) {
                return Err(Error::Option {
                    op: "microscope".into(),
                    name: "pixelSize".into(),
                    expected: "such that the picture keeps 8 to 2048 pixels a side".into(),
                    got: format!("{wanted} nm, which makes {} × {} pixels", size[0], size[1]),
                });
            }
            for plane in &mut planes {
                *plane = scan::resample(plane, [height, width], size);
            }
            for (_, map) in &mut maps {
                *map = scan::resample_labels(map, [height, width], size);
            }
            // The field of view is kept to the pixel; the edge of a pixel follows from it.
            ([height, width], pixel_size) = (size, wanted);
        }
        let path = scan::Path::new(
            &mut random(seed, 3),
            [height, width],
            get("drift"),
            get("distortion"),
        );
        if !path.is_straight() {
            for plane in &mut planes {
                *plane = path.sample(plane);
            }
            for (_, map) in &mut maps {
                *map = path.sample_labels(map);
            }
        }
        redraw_boundaries(&mut maps, [height, width]);
        let detector = detector::Detector {
            dose: get("dose"),
            gain: get("gain"),
            read_noise: get("readNoise"),
        };
        let slope = optics::Background::new(&mut random(seed, 4), get("background"));
        let mut noise = random(seed, 5);
        for plane in &mut planes {
            optics::blur(plane, [height, width], get("blur"));
            slope.add(plane, [height, width]);
            detector.count(plane, &mut noise);
            if self.0.whole("invert") == 1 {
                display::invert(plane);
            }
            display::gamma(plane, get("gamma"));
        }
        let values = planes.concat();
        let image = values.iter().map(|v| v.clamp(0.0, 1.0) as f32).collect();
        Ok(View {
            image: Tensor::new(&[channels, height, width], image)?,
            labels: (maps.into_iter())
                .map(|(name, map)| Ok((name, Tensor::new(&[1, height, width], map)?)))
                .collect::<Result<_>>()?,
            pixel_size,
        })
    }
}

fn redraw_boundaries(maps: &mut [(String, Vec<f32>)], size: [usize; 2]) {
    let Some(at) = maps.iter().position(|(name, _)| name == "boundaries") else {
        return;
    };
    if at > 0 {
        let ids: Vec<u32> = maps[0].1.iter().map(|&id| id as u32).collect();
        maps[at].1 = labels::boundaries(&ids, size);
    }
}
