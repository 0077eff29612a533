// Engines with a graphics card in a page, and faults of the card. What runs in the page says `window.Float32Array`: a typed array
// made by Firefox's WebDriver belongs to another world, and the engine refuses it.

/**
 * Puts code in front of the program of the graphics cards' workers that the page starts from now on, the first `most` of them. The
 * program is found by what it alone calls.
 */
export async function before(browser, code, most = 99) {
  await browser.run(
    (code, most) => {
      const Plain = window.Blob;
      let left = most;
      window.Blob = class extends Plain {
        constructor(parts, options) {
          const program = options?.type === "text/javascript" && String(parts[0]).includes("gpu_open") && left-- > 0;
          super(program ? [`${code};\n`, ...parts] : parts, options);
        }
      };
    },
    code,
    most,
  );
}

/** Faults, as code for the worker of a graphics card. `after` counts the runs before it happens. */
export const FAULTS = {
  none: "",
  "no adapter": "GPU.prototype.requestAdapter = async () => null",
  "the device is refused": "GPUAdapter.prototype.requestDevice = async () => { throw new Error('limits too high') }",
  "no WebGPU in the worker": "Object.defineProperty(Object.getPrototypeOf(navigator), 'gpu', { get: () => undefined })",
  "a shader that does not compile": `
    const create = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (descriptor) { return create.call(this, { ...descriptor, code: "this is no program" }); }`,
  "not enough memory": `
    const pop = GPUDevice.prototype.popErrorScope;
    GPUDevice.prototype.popErrorScope = async function () { return (await pop.call(this)) ?? new GPUOutOfMemoryError("full"); }`,
  "results that cannot be read": "GPUBuffer.prototype.mapAsync = () => Promise.reject(new Error('no mapping'))",
};

/** The device is destroyed at the `nth` call of a method: before, during or after a run. */
export const destroyedAt = (owner, method, nth) => `
  let device;
  const open = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) { device = await open.apply(this, given); return device; };
  const original = ${owner}.prototype.${method};
  let calls = 0;
  ${owner}.prototype.${method} = function (...given) {
    const now = ++calls ${nth};
    if (now && "${method}" === "createCommandEncoder") device.destroy();
    const result = original.apply(this, given);
    if (now) device.destroy();
    return result;
  };`;
