//! PNG, 8 and 16 bit: a browser's own decoder would lose the lower byte of 16-bit pictures.

use crate::error::{Error, Result};
use crate::tensor::Tensor;
use std::io::Cursor;

/// A decoded picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// (C, H, W), values 0 to 1: the stored number divided by the largest the bit depth allows.
    pub image: Tensor,
    /// Bits per sample in the file: 1, 2, 4, 8 or 16. For a palette, bits of an index.
    pub bit_depth: u8,
    /// C: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Palettes come out as RGB or RGBA.
    pub channels: usize,
}

/// The most memory a picture may take while it is decoded, in bytes.
const MEMORY: usize = 1 << 30;

/// Decodes a PNG file of any colour type and bit depth; of an animation, the first picture.
///
/// # Errors
/// If the bytes are not a PNG file, or it is broken or cut short.
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    let problem = |problem: String| Error::File {
        format: "png",
        problem,
    };
    let broken = |e: png::DecodingError| problem(format!("the file cannot be decoded: {e}"));
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let kind = kind_of(bytes).map_or(String::new(), |kind| format!("; it looks like {kind}"));
        return Err(problem(format!(
            "the file does not start with the PNG signature{kind}"
        )));
    }
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MEMORY });
    // Palettes become colours, 1, 2 and 4 bits become 8, a transparent colour becomes alpha; 16 bits stay.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let bit_depth = reader.info().bit_depth as u8;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let Some(size) = reader.output_buffer_size().filter(|&size| size <= MEMORY) else {
        return Err(problem(format!(
            "a picture of {width}×{height} pixels does not fit into memory"
        )));
    };
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(broken)?;
    let samples = &buffer[..frame.buffer_size()];
    let channels = frame.color_type.samples();
    let mut data = vec![0.0f32; channels * width * height];
    let mut put =
        |i: usize, value: f32| data[(i % channels) * width * height + i / channels] = value;
    match frame.bit_depth {
        png::BitDepth::Sixteen => {
            for (i, pair) in samples.chunks_exact(2).enumerate() {
                put(
                    i,
                    f32::from(u16::from_be_bytes([pair[0], pair[1]])) / 65535.0,
                );
            }
        }
        _ => {
            for (i, &sample) in samples.iter().enumerate() {
                put(i, f32::from(sample) / 255.0);
            }
        }
    }
    Ok(Picture {
        image: Tensor::new(&[channels, height, width], data)?,
        bit_depth,
        channels,
    })
}

/// What else a file may be, by its first bytes.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => Some("an empty file"),
        [0xff, 0xd8, ..] => Some("a JPEG file"),
        [b'G', b'I', b'F', ..] => Some("a GIF file"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("a TIFF file"),
        [b'R', b'I', b'F', b'F', ..] => Some("a WebP file"),
        [b'<', ..] => Some("an SVG or HTML file"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::{BitDepth, ColorType};

    fn encode(
        color: ColorType,
        depth: BitDepth,
        [w, h]: [u32; 2],
        data: &[u8],
        palette: Option<&[u8]>,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, w, h);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if let Some(palette) = palette {
            encoder.set_palette(palette.to_vec());
        }
        encoder
            .write_header()
            .unwrap()
            .write_image_data(data)
            .unwrap();
        bytes
    }

    #[test]
    fn eight_bits_of_every_colour_type() -> Result<()> {
        let types = [
            ColorType::Grayscale,
            ColorType::GrayscaleAlpha,
            ColorType::Rgb,
            ColorType::Rgba,
        ];
        for (channels, color) in (1..).zip(types) {
            let data: Vec<u8> = (0..6 * channels as u8).map(|i| i * 10).collect();
            let picture = decode(&encode(color, BitDepth::Eight, [3, 2], &data, None))?;
            assert_eq!((picture.channels, picture.bit_depth), (channels, 8));
            assert_eq!(picture.image.shape(), [channels, 2, 3]);
            for c in 0..channels {
                for pixel in 0..6 {
                    let expected = f32::from(data[pixel * channels + c]) / 255.0;
                    assert_eq!(picture.image.data()[c * 6 + pixel], expected);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn sixteen_bits_keep_the_lower_byte() -> Result<()> {
        let data = [0x00, 0x01, 0x12, 0x34, 0xff, 0xff, 0x80, 0x00];
        let picture = decode(&encode(
            ColorType::Grayscale,
            BitDepth::Sixteen,
            [2, 2],
            &data,
            None,
        ))?;
        assert_eq!(picture.bit_depth, 16);
        assert_eq!(
            picture.image.data(),
            [1.0, 4660.0, 65535.0, 32768.0].map(|v: f32| v / 65535.0)
        );
        Ok(())
    }

    #[test]
    fn few_bits_span_black_to_white() -> Result<()> {
        let one = decode(&encode(
            ColorType::Grayscale,
            BitDepth::One,
            [3, 1],
            &[0b1010_0000],
            None,
        ))?;
        assert_eq!((one.bit_depth, one.image.data()), (1, &[1.0, 0.0, 1.0][..]));
        let two = decode(&encode(
            ColorType::Grayscale,
            BitDepth::Two,
            [4, 1],
            &[0b00_01_10_11],
            None,
        ))?;
        assert_eq!(
            (two.bit_depth, two.image.data()),
            (2, &[0.0, 85.0 / 255.0, 170.0 / 255.0, 1.0][..])
        );
        let four = decode(&encode(
            ColorType::Grayscale,
            BitDepth::Four,
            [2, 1],
            &[0x1f],
            None,
        ))?;
        assert_eq!(
            (four.bit_depth, four.image.data()),
            (4, &[17.0 / 255.0, 1.0][..])
        );
        Ok(())
    }

    #[test]
    fn a_palette_becomes_colours() -> Result<()> {
        let palette = [255, 0, 0, 0, 0, 255];
        let picture = decode(&encode(
            ColorType::Indexed,
            BitDepth::One,
            [2, 1],
            &[0b0100_0000],
            Some(&palette),
        ))?;
        assert_eq!((picture.channels, picture.bit_depth), (3, 1));
        assert_eq!(picture.image.data(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        Ok(())
    }

    #[test]
    fn broken_files_say_what_is_wrong() {
        let message = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        let whole = encode(
            ColorType::Grayscale,
            BitDepth::Eight,
            [16, 16],
            &[7; 256],
            None,
        );
        for cut in 8..whole.len() - 12 {
            assert!(
                message(&whole[..cut]).starts_with("png: the file cannot be decoded: "),
                "cut at {cut}"
            );
        }
        assert_eq!(
            message(b""),
            "png: the file does not start with the PNG signature; it looks like an empty file"
        );
        assert!(message(&[0xff, 0xd8, 0xff]).ends_with("it looks like a JPEG file"));
        assert_eq!(
            message(b"hello"),
            "png: the file does not start with the PNG signature"
        );
        let mut flipped = whole.clone();
        flipped[20] ^= 1; // in the header, which a checksum guards
        assert!(message(&flipped).contains("CRC"), "{}", message(&flipped));
    }
}
