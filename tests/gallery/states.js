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
};
if (typeof module !== "undefined") module.exports = states;
