// How long each specimen takes in wasm at 256² under the whole microscope, beside a reference loop in the same run. Not a test:
//   node tests/node/bench-specimens.mjs [rounds]
import { createEngine } from "../../pkg/kernelscope.mjs";

const ROUNDS = Number(process.argv[2] ?? 15);
const MICROSCOPE = { dose: 60, gain: 3, readNoise: 4, blur: 0.7, drift: 5, distortion: 0.8, background: 0.2, invert: true, gamma: 1.3, damage: 1.2 };
const engine = await createEngine({ thread: "here", backend: "cpu" });
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
// One convolution of 16 by 16 channels at 128²: a yardstick for how busy the machine is.
const x = { data: new Float32Array(16 * 128 * 128).fill(0.5), shape: [16, 128, 128] };
const weight = { data: new Float32Array(16 * 16 * 9).fill(0.1), shape: [16, 16, 3, 3] };
const yardstick = () => engine.conv2d(x, weight, null, { padding: 1 });

const rows = [];
for (const { name } of await engine.kinds()) {
  const own = (microscope) => engine.specimen(name, { size: 256, microscope });
  const plain = await own({});
  const settings = { ...MICROSCOPE, ...(plain.pixelSize <= 0.3 ? { defocus: 12 } : {}) };
  const times = { drawn: [], whole: [], yardstick: [] };
  for (let i = 0; i < ROUNDS; i++) {
    times.drawn.push(await timed(() => own({})));
    times.whole.push(await timed(() => own(settings)));
    times.yardstick.push(await timed(yardstick));
  }
  rows.push({ specimen: name, "drawn, ms": median(times.drawn).toFixed(1), "whole chain, ms": median(times.whole).toFixed(1), "least, ms": Math.min(...times.whole).toFixed(1), "yardstick, ms": median(times.yardstick).toFixed(1) });
}
console.table(rows);
engine.close();
