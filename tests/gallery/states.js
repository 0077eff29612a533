// Every state worth looking at. `expect` maps a selector in the figure's shadow root to the text that must stand there.
const states = {
  "convolution": {
    figure: "ks-convolution",
    about: "as it begins",
    attributes: {},
    expect: { ".sum": "= −0.78", ".formula .out": "254" },
  },
  "convolution-whole": {
    figure: "ks-convolution",
    about: "the whole map of Sobel y, reflected rim",
    attributes: { kernel: "sobel-y", whole: "yes", padding: "1", mode: "reflect", at: "0.0" },
    expect: { ".formula .out": "256", ".place": "row 1 of 256" },
  },
  "convolution-stride": {
    figure: "ks-convolution",
    about: "64 pixels, stride 2: the last row and column are read by no window",
    attributes: { picture: "grains-64", stride: "2", at: "30.30" },
    expect: { ".formula .out": "31", ".dropped": "127 pixels" },
  },
  "convolution-products": {
    figure: "ks-convolution",
    about: "dilated, stepping by products",
    attributes: { kernel: "gaussian-5", dilation: "2", padding: "4", unit: "product", at: "0.3" },
    expect: { ".formula .out": "256", ".products ~ .sumline .sum": "= " },
  },
  "convolution-error": {
    figure: "ks-convolution",
    about: "a setting that cannot be computed",
    attributes: { stride: "0" },
    expect: { ".message": "stride must be a whole number of at least 1; got 0" },
  },
  "two-grains": {
    figure: "ks-convolution",
    about: "the lecture's two grains",
    attributes: { picture: "two-grains", whole: "yes", at: "31.31" },
    expect: { ".formula .out": "62" },
  },
  "specimen": {
    figure: "ks-specimen",
    about: "as it begins",
    attributes: {},
    expect: { ".bar span": "2 nm" },
  },
  "specimen-noisy": {
    figure: "ks-specimen",
    about: "40 electrons a pixel, drift, damage; the label moves along",
    attributes: { microscope: "dose:40,drift:12,distortion:0.6,damage:0.4", label: "crystalline" },
    expect: { ".bar span": "2 nm" },
  },
  "specimen-hrtem-real": {
    figure: "ks-specimen",
    about: "the real kin of the nanoparticles",
    attributes: { specimen: "real-gold-5nm", label: "crystalline" },
    expect: { ".bar span": "2 nm" },
  },
  "specimen-columns": {
    figure: "ks-specimen",
    about: "atomic columns and their defects",
    attributes: { specimen: "columns", label: "defects", microscope: "dose:200,distortion:0.5" },
    expect: { ".bar span": "1 nm" },
  },
  "specimen-columns-real": {
    figure: "ks-specimen",
    about: "the real kin of the columns; its pixel size is not known",
    attributes: { specimen: "real-gold-boundary" },
    expect: { ".picture .note": "gold" },
  },
  "specimen-laths": {
    figure: "ks-specimen",
    about: "laths, coarser pixels",
    attributes: { specimen: "laths", microscope: "pixelSize:100,dose:60", label: "grains" },
    expect: { ".bar span": "2 µm" },
  },
  "specimen-precipitates": {
    figure: "ks-specimen",
    about: "precipitates under an uneven background, out of focus",
    attributes: { specimen: "precipitate", knobs: "count:40,radius:70", microscope: "background:0.4,blur:1.5,dose:100" },
    expect: { ".bar span": "200 nm" },
  },
  "specimen-precipitates-real": {
    figure: "ks-specimen",
    about: "the real kin of the precipitates",
    attributes: { specimen: "real-superalloy", label: "precipitates" },
    expect: { ".picture .note": "superalloy" },
  },
  "specimen-elements": {
    figure: "ks-specimen",
    about: "an elemental map, chromium",
    attributes: { specimen: "element-map", channel: "2", label: "phases" },
    expect: { ".bar span": "100 nm" },
  },
  "specimen-porous": {
    figure: "ks-specimen",
    about: "pores, inverted, gamma",
    attributes: { specimen: "porous", microscope: "invert:1,gamma:1.6" },
    expect: { ".bar span": "500 nm" },
  },
  "specimen-fibres": {
    figure: "ks-specimen",
    about: "fibres under strong drift",
    attributes: { specimen: "fibres", microscope: "drift:40,dose:120" },
    expect: { ".bar span": "2 µm" },
  },
  "specimen-two-phase": {
    figure: "ks-specimen",
    about: "two phases, few electrons",
    attributes: { specimen: "two-phase", microscope: "dose:6,readNoise:10" },
    expect: { ".bar span": "500 nm" },
  },
  "specimen-grains": {
    figure: "ks-specimen",
    about: "the polycrystal, with the directions of its boundaries",
    attributes: { specimen: "grains", label: "boundaryAngle", knobs: "edge:-0.4,texture:0.5,pores:12" },
    expect: { ".bar span": "50 µm" },
  },
  "specimen-error": {
    figure: "ks-specimen",
    about: "a dial beyond its range",
    attributes: { microscope: "dose:-4" },
    expect: { ".message": "dose must be a number from 0 to 10000; got -4" },
  },
};
if (typeof module !== "undefined") module.exports = states;
