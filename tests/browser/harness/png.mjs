// Reading and writing PNG files, after the specification alone: the page decodes them with code of its own.
import { deflateSync, inflateSync } from "node:zlib";

const MAGIC = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** { width, height, channels, data }: 8 bits a sample, grey, RGB or RGBA, not interlaced. */
export function decode(bytes) {
  if (!bytes.subarray(0, 8).equals(MAGIC)) throw new Error("no PNG file");
  const parts = [];
  let head;
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") head = body;
    if (type === "IDAT") parts.push(body);
    at += length + 12;
  }
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const channels = { 0: 1, 2: 3, 6: 4 }[head[9]];
  if (head[8] !== 8 || !channels || head[12] !== 0) throw new Error("a kind of PNG that is not read here");
  return { width, height, channels, data: unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels) };
}

function unfilter(raw, row, height, step) {
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const kind = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x < step ? 0 : out[y * row + x - step];
      const up = y === 0 ? 0 : out[(y - 1) * row + x];
      const corner = x < step || y === 0 ? 0 : out[(y - 1) * row + x - step];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A grey picture of 8 bits a pixel. */
export function encodeGrey({ width, height, data }) {
  const chunk = (type, body) => {
    const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
    const out = Buffer.alloc(named.length + 8);
    out.writeUInt32BE(body.length, 0);
    named.copy(out, 4);
    out.writeUInt32BE(crc32(named), named.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  // Each row as differences from the row above: flat pages become small.
  const raw = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    raw[y * (width + 1)] = 2;
    for (let x = 0; x < width; x++) raw[y * (width + 1) + 1 + x] = data[y * width + x] - (y === 0 ? 0 : data[(y - 1) * width + x]);
  }
  return Buffer.concat([MAGIC, chunk("IHDR", head), chunk("IDAT", deflateSync(raw, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
