//! Random numbers that are the same on every machine: only integers and exactly rounded arithmetic.

use crate::math::exp_lanes;

/// The generator SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(u64);

impl Random {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A count of mean and variance `mean`: see [`Poisson`].
    pub fn poisson(&mut self, mean: f64) -> f64 {
        Poisson::new(mean).draw(self)
    }

    /// A nearly normal number of mean 0 and variance 1: the sum of eight uniform ones (Irwin–Hall), within ±4.9.
    pub fn normal(&mut self) -> f64 {
        let quarters = |bits: u64| (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum::<u64>();
        let sum = (quarters(self.bits()) + quarters(self.bits())) as f64 / 65535.0;
        (sum - 4.0) / (8.0f64 / 12.0).sqrt()
    }
}

/// Below this mean counts are drawn by inversion.
const FEW: f64 = 12.0;
/// No count of so small a mean is larger.
const MOST: usize = 200;
/// 1, 1/2, 1/3, …: a division for each step would be most of the work.
const PARTS: [f64; MOST] = {
    let mut list = [1.0; MOST];
    let mut n = 0;
    while n < MOST {
        list[n] = 1.0 / (n + 1) as f64;
        n += 1;
    }
    list
};

/// Poisson's distribution of one mean: by inversion of one uniform number below 12, above it a normal approximation with the right
/// skewness (Cornish and Fisher 1937), its variance less what skewing and rounding add.
#[derive(Clone, Copy, Debug)]
pub struct Poisson {
    mean: f64,
    /// The chance of none, for small means.
    none: f64,
}

impl Poisson {
    /// The distribution of this mean; 0 and below give nothing but 0.
    pub fn new(mean: f64) -> Poisson {
        Poisson::several([mean])[0]
    }

    /// The distributions of several means, cheaper than one by one.
    pub fn several<const N: usize>(means: [f64; N]) -> [Poisson; N] {
        let small = |mean: f64| mean > 0.0 && mean < FEW;
        let none = if means.into_iter().any(small) {
            exp_lanes(means.map(|mean| -mean))
        } else {
            [0.0; N]
        };
        std::array::from_fn(|i| Poisson {
            mean: means[i],
            none: none[i],
        })
    }

    /// A count.
    pub fn draw(self, random: &mut Random) -> f64 {
        let mean = self.mean;
        if mean <= 0.0 {
            return 0.0;
        }
        if mean >= FEW {
            let z = random.normal();
            return (mean
                + (mean - 1.0 / 12.0 - 1.0 / 18.0).sqrt() * z
                + (z * z - 1.0) / 6.0
                + 0.5)
                .floor()
                .max(0.0);
        }
        let (mut left, mut chance, mut count) = (random.uniform(), self.none, 0);
        while left > chance && count < MOST {
            left -= chance;
            chance *= mean * PARTS[count];
            count += 1;
        }
        count as f64
    }
}

/// [`Poisson`] for many counts of one mean: with the sums of its chances, and where to begin among them, written down.
#[derive(Clone, Debug)]
pub struct Counts {
    poisson: Poisson,
    /// The chance of no more than 0, 1, 2, … counts.
    sums: Vec<f64>,
    /// For each 1/256 of the chances, the first count that it can be.
    first: Vec<u16>,
}

impl Counts {
    /// The distribution of this mean.
    pub fn new(mean: f64) -> Counts {
        let poisson = Poisson::new(mean);
        let (mut sums, mut first) = (Vec::new(), Vec::new());
        if poisson.none > 0.0 {
            let (mut sum, mut chance) = (0.0, poisson.none);
            for part in PARTS {
                sum += chance;
                sums.push(sum);
                chance *= mean * part;
            }
            let start = |i: usize| sums.iter().take_while(|&&s| s < i as f64 / 256.0).count();
            first = (0..256).map(|i| start(i) as u16).collect();
        }
        Counts {
            poisson,
            sums,
            first,
        }
    }

    /// A count.
    pub fn draw(&self, random: &mut Random) -> f64 {
        if self.first.is_empty() {
            return self.poisson.draw(random);
        }
        let at = random.uniform();
        let mut count = usize::from(self.first[(at * 256.0) as usize]);
        while count < MOST && at > self.sums[count] {
            count += 1;
        }
        count as f64
    }
}

/// Smooth random noise between −1 and 1 on a square, with features of about `scale` pixels.
pub struct Smooth {
    values: Vec<f64>,
    across: usize,
    scale: f64,
}

impl Smooth {
    /// Noise that covers `size` pixels in both directions.
    pub fn new(random: &mut Random, size: usize, scale: f64) -> Smooth {
        let across = (size as f64 / scale) as usize + 3;
        let values = (0..across * across)
            .map(|_| 2.0 * random.uniform() - 1.0)
            .collect();
        Smooth {
            values,
            across,
            scale,
        }
    }

    /// The noise at all pixels (row + offset, column + offset) of a picture: as [`Smooth::at`] but for the last bits, and many times
    /// faster, since along a row only one of four interpolations is left.
    pub fn plane(&self, [height, width]: [usize; 2], offset: f64) -> Vec<f64> {
        let ease = |t: f64| t * t * (3.0 - 2.0 * t);
        let place = |i: usize| {
            let at = (i as f64 + offset) / self.scale;
            (at as usize, ease(at - (at as usize) as f64))
        };
        let columns: Vec<(usize, f64)> = (0..width).map(place).collect();
        let mut line = vec![0.0; self.across];
        let mut out = Vec::with_capacity(height * width);
        for (row, t) in (0..height).map(place) {
            let (top, bottom) = self.values[row * self.across..].split_at(self.across);
            for ((value, a), b) in line.iter_mut().zip(top).zip(bottom) {
                *value = a + t * (b - a);
            }
            out.extend(
                columns
                    .iter()
                    .map(|&(col, t)| line[col] + t * (line[col + 1] - line[col])),
            );
        }
        out
    }

    /// The noise at a point, y and x from 0 to the size.
    pub fn at(&self, y: f64, x: f64) -> f64 {
        let ease = |t: f64| t * t * (3.0 - 2.0 * t);
        let (y, x) = (y / self.scale, x / self.scale);
        let (row, col) = (y as usize, x as usize);
        let (ty, tx) = (ease(y - row as f64), ease(x - col as f64));
        let node = |dy: usize, dx: usize| self.values[(row + dy) * self.across + col + dx];
        let top = node(0, 0) + tx * (node(0, 1) - node(0, 0));
        let bottom = node(1, 0) + tx * (node(1, 1) - node(1, 0));
        top + ty * (bottom - top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_its_points() {
        let smooth = Smooth::new(&mut Random::new(5), 50, 7.3);
        for (i, value) in smooth.plane([40, 50], 0.5).into_iter().enumerate() {
            let point = smooth.at((i / 50) as f64 + 0.5, (i % 50) as f64 + 0.5);
            assert!((value - point).abs() < 1e-12, "{i}: {value}, {point}");
        }
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let mut random = Random::new(1);
        let values: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn poisson_has_its_mean_as_variance() {
        for mean in [0.3, 4.0, 11.9, 12.1, 31.0, 400.0] {
            let mut random = Random::new(3);
            let counts: Vec<f64> = (0..60_000).map(|_| random.poisson(mean)).collect();
            let average = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance =
                counts.iter().map(|c| (c - average).powi(2)).sum::<f64>() / counts.len() as f64;
            assert!((average / mean - 1.0).abs() < 0.02, "{mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.03, "{mean}: {variance}");
            assert!(counts.iter().all(|c| c.fract() == 0.0 && *c >= 0.0));
        }
    }

    #[test]
    fn counts_are_those_of_their_distribution() {
        for mean in [0.0, 0.02, 0.6, 4.7, 11.9, 40.0] {
            let (counts, poisson) = (Counts::new(mean), Poisson::new(mean));
            let (mut a, mut b) = (Random::new(8), Random::new(8));
            for _ in 0..20_000 {
                assert_eq!(counts.draw(&mut a), poisson.draw(&mut b), "{mean}");
            }
        }
    }

    #[test]
    fn uniform_covers_its_range_evenly() {
        let mut random = Random::new(2);
        let mut bins = [0; 10];
        (0..10_000).for_each(|_| bins[(random.uniform() * 10.0) as usize] += 1);
        assert!(bins.iter().all(|&n| (900..1100).contains(&n)), "{bins:?}");
    }
}
