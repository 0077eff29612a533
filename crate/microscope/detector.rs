//! Counting electrons: shot noise, gain, read noise.

use crate::random::{Poisson, Random};

/// A detector with an exposure.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// Electrons that hit a pixel of value 1; 0 for an ideal detector, which leaves the picture alone.
    pub dose: f64,
    /// Counts that the converter makes of one electron.
    pub gain: f64,
    /// Standard deviation of the amplifier's noise, in counts.
    pub read_noise: f64,
}

impl Detector {
    /// Replaces each value v by (round(gain · N + read noise · z)) / (gain · dose), N of Poisson's distribution with mean
    /// dose · v and z normal: the picture as the converter's whole counts tell it, on the old scale. Mean dose · v and variance
    /// dose · v electrons from the counting, (read noise / gain)² from the amplifier (Janesick, *Photon Transfer*, SPIE 2007;
    /// Williams and Carter, *Transmission Electron Microscopy*, 2009, ch. 7). No upper limit: full scale is the caller's.
    pub fn count(&self, values: &mut [f64], random: &mut Random) {
        if self.dose == 0.0 {
            return;
        }
        let scale = 1.0 / (self.gain * self.dose);
        let mut counted = |expected: Poisson| {
            let electrons = expected.draw(random);
            let amplifier = if self.read_noise > 0.0 {
                self.read_noise * random.normal()
            } else {
                0.0
            };
            (self.gain * electrons + amplifier + 0.5).floor() * scale
        };
        let (eights, rest) = values.as_chunks_mut::<8>();
        for eight in eights {
            *eight = Poisson::several(eight.map(|v| self.dose * v)).map(&mut counted);
        }
        for value in rest {
            *value = counted(Poisson::new(self.dose * *value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(detector: Detector, value: f64) -> (f64, f64) {
        let mut values = vec![value; 80_000];
        detector.count(&mut values, &mut Random::new(9));
        let electrons: Vec<f64> = values.iter().map(|v| v * detector.dose).collect();
        let mean = electrons.iter().sum::<f64>() / electrons.len() as f64;
        let variance =
            electrons.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / electrons.len() as f64;
        (mean, variance)
    }

    #[test]
    fn electrons_have_their_mean_as_variance() {
        for (dose, value) in [(5.0, 0.4), (100.0, 0.5), (2000.0, 0.9)] {
            let detector = Detector {
                dose,
                gain: 10.0,
                read_noise: 0.0,
            };
            let (mean, variance) = statistics(detector, value);
            assert!((mean / (dose * value) - 1.0).abs() < 0.02, "{dose}: {mean}");
            assert!((variance / mean - 1.0).abs() < 0.03, "{dose}: {variance}");
        }
    }

    #[test]
    fn read_noise_adds_its_square_in_electrons() {
        let detector = Detector {
            dose: 50.0,
            gain: 4.0,
            read_noise: 20.0,
        };
        let (mean, variance) = statistics(detector, 0.5);
        assert!((mean - 25.0).abs() < 0.1, "{mean}");
        assert!((variance - (25.0 + 25.0)).abs() < 1.5, "{variance}");
    }

    #[test]
    fn a_low_gain_loses_electrons_to_rounding() {
        let detector = Detector {
            dose: 100.0,
            gain: 0.1,
            read_noise: 0.0,
        };
        let mut values = vec![0.5; 200];
        detector.count(&mut values, &mut Random::new(1));
        assert!(
            values
                .iter()
                .all(|v| ((v * 10.0) - (v * 10.0).round()).abs() < 1e-12)
        );
    }
}
