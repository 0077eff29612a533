// In a page before everything else: counts what is asked of WebGPU. `counted()` gives the counts since the last time.
(() => {
  if (!globalThis.GPUDevice) return;
  const fresh = () => ({ dispatches: 0, passes: 0, submits: 0, writes: 0, uploaded: 0, readBack: 0, buffers: 0, bindGroups: 0, pipelines: 0 });
  let now = fresh();
  globalThis.counted = () => {
    const before = now;
    now = fresh();
    return before;
  };
  const hear = (owner, method, note) => {
    const original = owner.prototype[method];
    owner.prototype[method] = function (...given) {
      note.apply(this, given);
      return original.apply(this, given);
    };
  };
  hear(GPUComputePassEncoder, "dispatchWorkgroups", () => now.dispatches++);
  hear(GPUComputePassEncoder, "dispatchWorkgroupsIndirect", () => now.dispatches++);
  hear(GPUCommandEncoder, "beginComputePass", () => now.passes++);
  hear(GPUQueue, "submit", () => now.submits++);
  hear(GPUQueue, "writeBuffer", (buffer, offset, data, from = 0, size = undefined) => {
    const unit = data.BYTES_PER_ELEMENT ?? 1;
    now.writes++;
    now.uploaded += size === undefined ? data.byteLength - from * unit : size * unit;
  });
  hear(GPUBuffer, "mapAsync", function (mode, offset = 0, size = this.size - offset) {
    if (mode & GPUMapMode.READ) now.readBack += size;
  });
  hear(GPUDevice, "createBuffer", ({ size, mappedAtCreation }) => {
    now.buffers++;
    if (mappedAtCreation) now.uploaded += size;
  });
  hear(GPUDevice, "createBindGroup", () => now.bindGroups++);
  hear(GPUDevice, "createComputePipeline", () => now.pipelines++);
  hear(GPUDevice, "createComputePipelineAsync", () => now.pipelines++);
})();
