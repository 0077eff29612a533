//! What the first layer of a network costs: fully connected, or a convolution.

use crate::error::Result;
use crate::options::{Options, Reader};
use serde::Serialize;

const OP: &str = "first layer";

/// What one way of building the layer costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Without biases.
    pub weights: u64,
    /// One for each unit or filter.
    pub biases: u64,
    /// Weights and biases in 32-bit floating point.
    pub bytes: u64,
    /// Multiplications for one picture.
    pub products: u64,
    /// Numbers that come out.
    pub outputs: u64,
}

impl Cost {
    fn new(weights: u64, biases: u64, uses: u64, outputs: u64) -> Cost {
        // A build that lies forgets the biases' memory.
        let counted = if cfg!(feature = "sabotage") {
            0
        } else {
            biases
        };
        Cost {
            weights,
            biases,
            bytes: 4 * (weights + counted),
            products: weights * uses,
            outputs,
        }
    }
}

/// Three first layers on the same picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Every hidden unit sees every value of the picture: C·n² weights each.
    pub dense: Cost,
    /// Filters of k × k on every channel, moved over the picture: C·k² weights each, whatever its size.
    pub convolution: Cost,
    /// Fully connected from all pixels to one map of the same size, the dense counterpart of a filter: C·n⁴ weights.
    pub map: Cost,
    /// How many pictures a *single* dense unit learns by heart whatever their labels, if they lie in general position: C·n² + 1, one for
    /// each of its numbers (Cover 1965).
    pub by_heart: u64,
    /// The same for one filter, which sees k × k pixels at a time: C·k² + 1 windows.
    pub windows_by_heart: u64,
}

/// Counts for `size` (n, pixels a side), `channels` (C, 1), `hidden` (dense units), `filters` and `kernel` (k).
///
/// # Errors
/// On unknown names and numbers that are not whole, too small, or so large that counts would no longer be exact.
pub fn first_layer(spec: &Options) -> Result<Compared> {
    let mut reader = Reader::new(OP, spec);
    let mut whole = |name: &'static str, default: u64, most: usize| -> Result<u64> {
        match reader.whole(name, 1)? {
            Some(given) if given > most => {
                Err(reader.refuse(name, format!("a whole number from 1 to {most}"), given))
            }
            given => Ok(given.map_or(default, |given| given as u64)),
        }
    };
    let n = whole("size", 1024, 4096)?;
    let c = whole("channels", 1, 16)?;
    let hidden = whole("hidden", 1000, 100_000)?;
    let filters = whole("filters", 64, 4096)?;
    let k = whole("kernel", 3, 31)?;
    reader.finish()?;
    let (inputs, window) = (c * n * n, c * k * k);
    Ok(Compared {
        dense: Cost::new(inputs * hidden, hidden, 1, hidden),
        convolution: Cost::new(window * filters, filters, n * n, filters * n * n),
        map: Cost::new(inputs * n * n, n * n, 1, n * n),
        by_heart: inputs + 1,
        windows_by_heart: window + 1,
    })
}

#[cfg(all(test, not(feature = "sabotage")))]
mod tests {
    use super::*;
    use crate::options::Value;

    fn of(given: &[(&str, f64)]) -> Result<Compared> {
        let pairs = given.iter();
        first_layer(
            &pairs
                .map(|(name, n)| (name.to_string(), Value::Number(*n)))
                .collect(),
        )
    }

    #[test]
    fn the_lectures_numbers() -> Result<()> {
        let plain = of(&[])?;
        assert_eq!(plain.dense.weights, 1_048_576_000);
        assert_eq!(plain.convolution.weights, 576);
        assert_eq!(plain.convolution.weights + plain.convolution.biases, 640);
        assert_eq!(plain.dense.bytes, 4 * 1_048_577_000);
        assert_eq!(plain.convolution.products, 576 * 1_048_576);
        assert_eq!(plain.by_heart, 1_048_577);
        assert_eq!(of(&[("size", 256.0)])?.map.weights, 4_294_967_296);
        assert_eq!(
            of(&[
                ("channels", 3.0),
                ("size", 224.0),
                ("kernel", 11.0),
                ("filters", 96.0)
            ])?
            .convolution
            .weights,
            34_848 // AlexNet's first layer
        );
        Ok(())
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let message = of(&[("size", 5000.0)]).unwrap_err().to_string();
        assert!(
            message.contains("size") && message.contains("1 to 4096") && message.contains("5000"),
            "{message}"
        );
        assert!(of(&[("kernel", 0.0)]).is_err());
    }
}
