// One row a kind of specimen, one column a nuisance, the real kin at the end. ?size=256 sets the specimens' size.
const NUISANCES = {
  "as drawn": {},
  "25 electrons a pixel": { dose: 25 },
  "blur 2 pixels": { blur: 2 },
  "defocus 60 nm": { defocus: 60 },
  "drift 30, distortion 1": { drift: 30, distortion: 1 },
  "background, gamma 1.6": { background: 0.5, gamma: 1.6 },
  "inverted, read noise": { invert: true, dose: 100, readNoise: 60 },
  "damage 1.5": { damage: 1.5 },
  "pixels 2.5 times as large": (pixelSize) => ({ pixelSize: 2.5 * pixelSize }),
};
const KIN = {
  grains: "grain_ti_sem",
  precipitate: "ood_nisuperalloy_sem_b",
  nanoparticles: "hrtem_au_5nm_1",
  columns: "stem_au_grainboundary",
  laths: "lath_ti64_bse",
};
const OPTIONS = { grains: { edge: -0.3, texture: 0.4, spread: 0.6 }, precipitate: { count: 40, radius: 90 } };

function cell({ data, shape: [, height, width] }, words) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) pixels.data.set([0, 1, 2].map(() => 255 * data[i]).concat(255), 4 * i);
  context.putImageData(pixels, 0, 0);
  const td = document.createElement("td");
  const note = document.createElement("span");
  note.textContent = words;
  td.append(canvas, note);
  return td;
}

function heading(words) {
  const th = document.createElement("th");
  th.textContent = words;
  return th;
}

async function lay() {
  const engine = await kernelscope.createEngine();
  const size = Number(new URLSearchParams(location.search).get("size") || 192);
  const sheet = document.getElementById("sheet");
  const head = sheet.insertRow();
  head.append(heading(""), ...Object.keys(NUISANCES).map(heading), heading("real kin"));
  for (const { name, label } of await engine.kinds()) {
    const row = sheet.insertRow();
    row.append(heading(label));
    const options = { size, ...OPTIONS[name] };
    const plain = await engine.specimen(name, options);
    for (const nuisance of Object.values(NUISANCES)) {
      const microscope = typeof nuisance === "function" ? nuisance(plain.pixelSize) : nuisance;
      const start = performance.now();
      const { image, pixelSize } = await engine.specimen(name, { ...options, microscope });
      row.append(cell(image, `${Math.round(performance.now() - start)} ms · ${Number(pixelSize.toPrecision(3))} nm`));
    }
    if (!KIN[name]) {
      const none = document.createElement("td");
      none.textContent = "no real picture with a licence at hand";
      row.append(none);
      continue;
    }
    const file = await kernelscope.load(`image-${KIN[name]}`);
    const { image } = await engine.decode(Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0)));
    // The same number of pixels as the specimen has, from the upper left, so that grain meets grain.
    const [, height, width] = image.shape;
    const side = Math.min(size, height, width);
    const data = new Float32Array(side * side);
    for (let y = 0; y < side; y++) data.set(image.data.subarray((y + 20) % height * width, (y + 20) % height * width + side), y * side);
    row.append(cell({ data, shape: [1, side, side] }, KIN[name]));
  }
  document.documentElement.dataset.ready = "";
}
lay();
