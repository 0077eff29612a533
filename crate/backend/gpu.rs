//! A graphics card through wgpu: WebGPU in a browser, Vulkan in native tests. The only file that knows wgpu.
//!
//! A list of calls is prepared once for a network, a size of picture and the maps that are asked for: buffers, bind groups and pipelines are
//! made then. A run after that writes the picture, submits one command buffer with one pass, and reads back what was asked for.

use super::memory::{bytes, lay_out};
use crate::error::{Error, Result};
use crate::graph::gpu::Recording;
use crate::graph::{Graph, Keep, Trace};
use crate::ops::Op;
use crate::ops::gpu::{COMMON, Card, MadeOf, Map, Operand, Program, Recorder, THIS_TIME};
use crate::tensor::Tensor;
use futures_channel::oneshot;
use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};

/// Uniform buffers start at multiples of this on every card.
const STEP: u64 = 256;
/// Prepared lists that are remembered, the latest first.
const REMEMBERED: usize = 6;

fn refuse(problem: impl Into<String>) -> Error {
    Error::Other {
        op: "webgpu".into(),
        problem: problem.into(),
    }
}

/// A refusal that says nothing about the card.
fn not_this(problem: impl Into<String>) -> Error {
    Error::Other {
        op: THIS_TIME.into(),
        problem: problem.into(),
    }
}

/// What is asked of a card.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Maps are stored in half precision if the card can: half the memory, about three digits.
    pub half: bool,
}

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// Its name, as far as it is told.
    pub adapter: String,
    /// Whether the processor imitates it.
    pub software: bool,
    /// What of it is in use: "float16", "timestamps".
    pub features: Vec<&'static str>,
}

impl Described {
    /// From what a driver tells. Imitations are known by their names too, since not all of them admit it.
    pub fn new(parts: &[&str], imitated: bool, features: Vec<&'static str>) -> Described {
        let mut told: Vec<&str> = Vec::new();
        for part in parts.iter().map(|part| part.trim()) {
            if !part.is_empty() && !told.contains(&part) {
                told.push(part);
            }
        }
        let adapter = told.join(", ");
        let names = [
            "swiftshader",
            "llvmpipe",
            "lavapipe",
            "softpipe",
            "basic render",
            "warp",
        ];
        let lower = adapter.to_ascii_lowercase();
        Described {
            software: imitated || names.iter().any(|name| lower.contains(name)),
            adapter,
            features,
        }
    }
}

/// What the last run cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Calls of programs.
    pub dispatches: u32,
    /// Compute passes.
    pub passes: u32,
    /// Command buffers submitted.
    pub submits: u32,
    /// Writes from the processor's memory.
    pub writes: u32,
    /// Bytes written.
    pub uploaded: u64,
    /// Bytes read back.
    pub read_back: u64,
    /// Different pipelines used.
    pub pipelines: u32,
    /// Buffers made for it.
    pub buffers_created: u32,
    /// Bind groups made for it.
    pub bind_groups_created: u32,
    /// Pipelines made for it.
    pub pipelines_created: u32,
    /// Bytes of weights and tables written for it.
    pub constants_uploaded: u64,
    /// Multiplications and additions.
    pub flops: u64,
    /// Bytes of all buffers of the prepared list.
    pub memory: u64,
}

struct Pipeline {
    program: &'static Program,
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

struct Step {
    pipeline: Rc<Pipeline>,
    binds: wgpu::BindGroup,
    groups: [u32; 3],
    node: usize,
}

/// A prepared list of calls.
struct Prepared {
    steps: Vec<Step>,
    /// Nodes, or places among an operator's inputs, and where their values go.
    inputs: Vec<(usize, Rc<wgpu::Buffer>)>,
    /// What is read back: its node, its shape, its buffer and its place among what is read.
    outputs: Vec<(usize, Vec<usize>, Rc<wgpu::Buffer>, u64)>,
    read: wgpu::Buffer,
    timing: Option<(wgpu::QuerySet, wgpu::Buffer, u64)>,
    /// Weights live as long as a list that uses them.
    _constants: Vec<Rc<wgpu::Buffer>>,
    stats: Stats,
}

/// What a prepared list is for.
struct Purpose {
    graph: Arc<Graph>,
    shape: Vec<usize>,
    kept: Vec<bool>,
    timed: bool,
}

/// A device that computes.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    described: Described,
    half: bool,
    lost: Arc<Mutex<Option<String>>>,
    pipelines: RefCell<Vec<Rc<Pipeline>>>,
    weights: RefCell<Vec<(MadeOf, Weak<wgpu::Buffer>)>>,
    prepared: RefCell<Vec<(Purpose, Prepared)>>,
    stats: RefCell<Stats>,
    made: RefCell<Stats>,
    card: Cell<Card>,
}

/// A run: the maps, and each node's milliseconds where the card can tell them and was asked to.
pub type Ran = (Trace, Option<Vec<(String, f64)>>);

impl Gpu {
    /// Asks for a device.
    ///
    /// # Errors
    /// If there is no card, or it refuses.
    pub async fn open(wishes: Wishes) -> Result<Gpu> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await;
        let adapter = adapter.map_err(|_| refuse("the browser offers no graphics card"))?;
        let offered = adapter.features();
        let half = wishes.half && offered.contains(wgpu::Features::SHADER_F16);
        let mut features = wgpu::Features::empty();
        let mut names = Vec::new();
        if half {
            features |= wgpu::Features::SHADER_F16;
            names.push("float16");
        }
        if offered.contains(wgpu::Features::TIMESTAMP_QUERY) {
            features |= wgpu::Features::TIMESTAMP_QUERY;
            names.push("timestamps");
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("kernelscope"),
            required_features: features,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| refuse(format!("the graphics card could not be opened ({error})")))?;
        let info = adapter.get_info();
        let parts = [&info.name[..], &info.driver, &info.driver_info];
        let imitated = info.device_type == wgpu::DeviceType::Cpu;
        let described = Described::new(&parts, imitated, names);
        let lost = Arc::new(Mutex::new(None));
        let heard = lost.clone();
        device.set_device_lost_callback(move |_, message| {
            let message = if message.trim().is_empty() {
                "the browser gave no reason".into()
            } else {
                message
            };
            *heard.lock().expect("never poisoned") = Some(message);
        });
        // Errors are asked for where they matter; nothing shall end the program for the others.
        device.on_uncaptured_error(Arc::new(|_| {}));
        Ok(Gpu {
            card: Cell::new(Card {
                software: described.software,
            }),
            device,
            queue,
            described,
            half,
            lost,
            pipelines: RefCell::default(),
            weights: RefCell::default(),
            prepared: RefCell::default(),
            stats: RefCell::default(),
            made: RefCell::default(),
        })
    }

    /// The card.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Chooses programs as for another card. Lists that are prepared already stay as they are.
    pub fn choose_as_for(&self, card: Card) {
        self.card.set(card);
    }

    /// What the last run cost.
    pub fn stats(&self) -> Stats {
        self.stats.borrow().clone()
    }

    /// Why the device is lost, if it is.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().expect("never poisoned").clone()
    }

    /// Gives the device back.
    pub fn close(&self) {
        self.prepared.borrow_mut().clear();
        self.device.destroy();
    }

    /// Runs a network on an image: one upload, one submission, the asked maps read back. Values differ from the processor's in the
    /// last digits (1e-4 of the largest at most; with half precision 2e-2).
    ///
    /// # Errors
    /// As [`Graph::run`], if the image holds a value that is not finite, and if the card refuses, fails or is lost.
    pub async fn run(
        &self,
        graph: &Arc<Graph>,
        x: Arc<Tensor>,
        keep: &Keep,
        timed: bool,
    ) -> Result<Ran> {
        self.check()?;
        let kept = graph.kept(keep)?;
        let timed = timed && self.described.features.contains(&"timestamps");
        let shape = x.shape().to_vec();
        // Before anything is prepared: a picture may be refused.
        let mut values = graph.before_upload(x)?;
        let known = {
            let mut prepared = self.prepared.borrow_mut();
            let same = |(purpose, _): &(Purpose, Prepared)| {
                Arc::ptr_eq(&purpose.graph, graph)
                    && purpose.shape == shape
                    && purpose.kept == kept
                    && purpose.timed == timed
            };
            // Taken out while it runs: a second run at the same time prepares a list of its own.
            prepared.iter().position(same).map(|i| prepared.remove(i))
        };
        let (purpose, prepared) = match known {
            Some(known) => known,
            None => {
                let recording = graph.record(self.card.get(), &shape, &kept)?;
                let purpose = Purpose {
                    graph: graph.clone(),
                    shape,
                    kept,
                    timed,
                };
                (purpose, self.prepare(&recording, timed).await?)
            }
        };
        let inputs: Vec<_> = prepared
            .inputs
            .iter()
            .map(|(node, _)| values[*node].clone())
            .collect();
        let (maps, times) = self.carry_out(&prepared, &inputs).await?;
        for (node, map) in maps {
            values[node] = Some(Arc::new(map));
        }
        let forgotten = values.iter_mut().zip(&purpose.kept);
        forgotten
            .filter(|(_, kept)| !**kept)
            .for_each(|(value, _)| *value = None);
        let times = times.map(|times| {
            let named = times
                .into_iter()
                .map(|(node, ms)| (graph.name(node).to_string(), ms));
            named.collect()
        });
        let mut all = self.prepared.borrow_mut();
        all.insert(0, (purpose, prepared));
        all.truncate(REMEMBERED);
        Ok((graph.trace(values), times))
    }

    /// Computes one operator, as [`Op::run`] does.
    ///
    /// # Errors
    /// As [`Op::run`], and as [`Gpu::run`].
    pub async fn run_op(&self, op: &Op, inputs: &[Option<Arc<Tensor>>]) -> Result<Tensor> {
        self.check()?;
        let shapes: Vec<_> = inputs
            .iter()
            .map(|x| x.as_deref().map(Tensor::shape))
            .collect();
        op.shape(&shapes)?;
        let data = match op {
            Op::Concat(_) | Op::CropTo | Op::Add => inputs.len(),
            _ => 1,
        };
        let mut recorder = Recorder {
            card: self.card.get(),
            ..Recorder::default()
        };
        let mut given = Vec::new();
        let mut maps: Vec<Map> = Vec::new();
        for (i, x) in inputs[..data].iter().enumerate() {
            let Some(x) = x else { continue };
            if !x.data().iter().all(|value| value.is_finite()) {
                return Err(not_this(
                    "an input holds values that are not finite, about which graphics cards promise nothing",
                ));
            }
            let map = recorder.map(x.shape().to_vec());
            // Of the picture whose size is wanted only the size counts.
            if !(matches!(op, Op::CropTo) && i == 1) {
                given.push((i, map.clone()));
            }
            maps.push(map);
        }
        let output = op.record(&mut recorder, &maps, &inputs[data..])?;
        let recording = Recording {
            recorder,
            inputs: given,
            outputs: vec![(0, output)],
        };
        let prepared = self.prepare(&recording, false).await?;
        let given: Vec<_> = prepared
            .inputs
            .iter()
            .map(|(i, _)| inputs[*i].clone())
            .collect();
        let (mut maps, _) = self.carry_out(&prepared, &given).await?;
        let (_, map) = maps.pop().expect("one output");
        Ok(map)
    }

    fn check(&self) -> Result<()> {
        match self.lost() {
            Some(reason) => Err(refuse(format!("the graphics card was lost ({reason})"))),
            None => Ok(()),
        }
    }

    fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let limits = self.device.limits();
        let most = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        if bytes > most {
            return Err(not_this(format!(
                "a map of {} MB; the graphics card takes at most {} MB at once",
                bytes >> 20,
                most >> 20
            )));
        }
        self.made.borrow_mut().buffers_created += 1;
        Ok(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.max(16),
            usage,
            mapped_at_creation: false,
        }))
    }

    /// A buffer with these words in it.
    fn constant(&self, words: &[u32], usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let data: &[u8] = bytemuck::cast_slice(words);
        let buffer = self.buffer(data.len() as u64, usage | wgpu::BufferUsages::COPY_DST)?;
        self.queue.write_buffer(&buffer, 0, data);
        self.made.borrow_mut().constants_uploaded += data.len() as u64;
        Ok(buffer)
    }

    fn pipeline(&self, program: &'static Program) -> Rc<Pipeline> {
        let mut pipelines = self.pipelines.borrow_mut();
        if let Some(known) = pipelines
            .iter()
            .find(|known| known.program.name == program.name)
        {
            return known.clone();
        }
        let source = source(program, self.half);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(program.name),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let entry = |(binding, ty): (usize, wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let kinds = std::iter::once(wgpu::BufferBindingType::Uniform)
            .chain((0..program.reads).map(|_| storage(true)))
            .chain([storage(false)]);
        let entries: Vec<_> = kinds.enumerate().map(entry).collect();
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(program.name),
                entries: &entries,
            });
        let whole = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(program.name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(program.name),
                layout: Some(&whole),
                module: &module,
                entry_point: Some("main"),
                compilation_options: Default::default(),
                cache: None,
            });
        self.made.borrow_mut().pipelines_created += 1;
        let made = Rc::new(Pipeline {
            program,
            layout,
            pipeline,
        });
        pipelines.push(made.clone());
        made
    }

    /// Makes what a list of calls needs.
    async fn prepare(&self, recording: &Recording, timed: bool) -> Result<Prepared> {
        *self.made.borrow_mut() = Stats::default();
        let scopes = [
            wgpu::ErrorFilter::OutOfMemory,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::Validation,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let prepared = self.make(recording, timed);
        // The last one opened is closed first.
        let closed = scopes.map(Some);
        let mut problems = Vec::new();
        for scope in closed.into_iter().rev().flatten() {
            problems.push(scope.pop());
        }
        for problem in problems {
            if let Some(problem) = problem.await {
                self.pipelines.borrow_mut().clear();
                self.check()?;
                return Err(match problem {
                    wgpu::Error::OutOfMemory { .. } => {
                        refuse("the graphics card has not enough memory")
                    }
                    other => refuse(format!("the graphics card refuses a program ({other})")),
                });
            }
        }
        self.check()?;
        prepared
    }

    fn make(&self, recording: &Recording, timed: bool) -> Result<Prepared> {
        use wgpu::BufferUsages as Usage;
        let recorder = &recording.recorder;
        let ends = recording.inputs.iter().chain(&recording.outputs);
        let ends: Vec<usize> = ends.map(|(_, map)| map.id).collect();
        let layout = lay_out(recorder, &ends, self.half);
        let maps = layout.sizes.iter().map(|&size| {
            let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
            self.buffer(size, usage).map(Rc::new)
        });
        let maps: Vec<_> = maps.collect::<Result<_>>()?;
        for (map, tensor) in &recorder.filled {
            let data = self.stored(tensor.data());
            self.queue.write_buffer(&maps[layout.place[*map]], 0, &data);
        }
        let constants = recorder
            .constants
            .iter()
            .map(|constant| self.kept_constant(constant));
        let constants: Vec<_> = constants.collect::<Result<_>>()?;
        let mut numbers = Vec::new();
        for job in &recorder.jobs {
            numbers.extend(&job.numbers);
            numbers.resize(numbers.len().next_multiple_of(STEP as usize / 4), 0);
        }
        let numbers = self.constant(&numbers, Usage::UNIFORM)?;
        let mut steps = Vec::new();
        for (i, job) in recorder.jobs.iter().enumerate() {
            let pipeline = self.pipeline(job.program);
            let buffer = |operand: &Operand| match *operand {
                Operand::Map(map) => &maps[layout.place[map]],
                Operand::Constant(constant) => &constants[constant],
            };
            let own = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &numbers,
                offset: i as u64 * STEP,
                size: std::num::NonZeroU64::new(
                    (job.numbers.len() as u64 * 4).next_multiple_of(16),
                ),
            });
            let reads = job
                .reads
                .iter()
                .map(|read| buffer(read).as_entire_binding());
            let writes = maps[layout.place[job.writes]].as_entire_binding();
            let all = std::iter::once(own).chain(reads).chain([writes]);
            let entries = all.enumerate().map(|(i, resource)| wgpu::BindGroupEntry {
                binding: i as u32,
                resource,
            });
            let entries: Vec<_> = entries.collect();
            let binds = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(job.program.name),
                layout: &pipeline.layout,
                entries: &entries,
            });
            self.made.borrow_mut().bind_groups_created += 1;
            steps.push(Step {
                pipeline,
                binds,
                groups: job.groups,
                node: job.node,
            });
        }
        let mut end = 0;
        let mut outputs = Vec::new();
        for (node, map) in &recording.outputs {
            let buffer = maps[layout.place[map.id]].clone();
            outputs.push((*node, map.shape.clone(), buffer, end));
            end += bytes(&recorder.maps[map.id], self.half);
        }
        let read_back = end;
        let timing = if timed && !steps.is_empty() {
            let count = 2 * steps.len() as u32;
            let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count,
            });
            let times =
                self.buffer(u64::from(count) * 8, Usage::QUERY_RESOLVE | Usage::COPY_SRC)?;
            let start = end.next_multiple_of(8);
            end = start + u64::from(count) * 8;
            Some((queries, times, start))
        } else {
            None
        };
        let read = self.buffer(end, Usage::MAP_READ | Usage::COPY_DST)?;
        let mut used: Vec<&str> = steps
            .iter()
            .map(|step| step.pipeline.program.name)
            .collect();
        used.sort_unstable();
        used.dedup();
        let inputs: Vec<_> = recording
            .inputs
            .iter()
            .map(|(node, map)| (*node, maps[layout.place[map.id]].clone()))
            .collect();
        let uploaded = recording
            .inputs
            .iter()
            .map(|(_, map)| bytes(&recorder.maps[map.id], self.half))
            .sum();
        let stats = Stats {
            dispatches: steps.len() as u32,
            passes: if timing.is_some() {
                steps.len() as u32
            } else {
                u32::from(!steps.is_empty())
            },
            submits: 1,
            writes: inputs.len() as u32,
            uploaded,
            read_back,
            pipelines: used.len() as u32,
            flops: recorder.jobs.iter().map(|job| job.flops).sum(),
            memory: layout.sizes.iter().sum::<u64>()
                + recorder
                    .constants
                    .iter()
                    .map(|c| 4 * c.words.len() as u64)
                    .sum::<u64>()
                + end,
            ..Stats::default()
        };
        Ok(Prepared {
            steps,
            inputs,
            outputs,
            read,
            timing,
            _constants: constants,
            stats,
        })
    }

    /// A buffer of weights or tables: the same for all lists that are made of the same tensors.
    fn kept_constant(&self, constant: &crate::ops::gpu::Constant) -> Result<Rc<wgpu::Buffer>> {
        let make = || {
            self.constant(&constant.words, wgpu::BufferUsages::STORAGE)
                .map(Rc::new)
        };
        let Some(made_of) = constant.made_of else {
            return make();
        };
        let mut weights = self.weights.borrow_mut();
        // An address means something only as long as a list holds its tensors.
        weights.retain(|(_, buffer)| buffer.strong_count() > 0);
        let known = weights.iter().find(|(known, _)| *known == made_of);
        if let Some(buffer) = known.and_then(|(_, buffer)| buffer.upgrade()) {
            return Ok(buffer);
        }
        let buffer = make()?;
        weights.push((made_of, Rc::downgrade(&buffer)));
        Ok(buffer)
    }

    /// Values as maps are stored, in whole words.
    fn stored(&self, values: &[f32]) -> Vec<u8> {
        let mut halves = vec![f16::ZERO; values.len().next_multiple_of(2)];
        if !self.half {
            return bytemuck::cast_slice(values).to_vec();
        }
        halves[..values.len()].convert_from_f32_slice(values);
        bytemuck::cast_slice(&halves).to_vec()
    }

    /// Carries a prepared list out.
    async fn carry_out(
        &self,
        prepared: &Prepared,
        inputs: &[Option<Arc<Tensor>>],
    ) -> Result<(Vec<(usize, Tensor)>, Option<Vec<(usize, f64)>>)> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        for ((_, buffer), x) in prepared.inputs.iter().zip(inputs) {
            let x = x.as_deref().expect("known before the upload");
            if self.half {
                self.queue.write_buffer(buffer, 0, &self.stored(x.data()));
            } else {
                self.queue
                    .write_buffer(buffer, 0, bytemuck::cast_slice(x.data()));
            }
        }
        let mut encoder = self.device.create_command_encoder(&Default::default());
        match &prepared.timing {
            None if prepared.steps.is_empty() => {}
            None => {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                for step in &prepared.steps {
                    step.run(&mut pass);
                }
            }
            Some((queries, times, start)) => {
                for (i, step) in prepared.steps.iter().enumerate() {
                    let descriptor = wgpu::ComputePassDescriptor {
                        label: None,
                        timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                            query_set: queries,
                            beginning_of_pass_write_index: Some(2 * i as u32),
                            end_of_pass_write_index: Some(2 * i as u32 + 1),
                        }),
                    };
                    step.run(&mut encoder.begin_compute_pass(&descriptor));
                }
                let count = 2 * prepared.steps.len() as u32;
                encoder.resolve_query_set(queries, 0..count, times, 0);
                encoder.copy_buffer_to_buffer(
                    times,
                    0,
                    &prepared.read,
                    *start,
                    u64::from(count) * 8,
                );
            }
        }
        for (_, shape, buffer, start) in &prepared.outputs {
            let size = bytes(&(shape.iter().product(), false), self.half);
            encoder.copy_buffer_to_buffer(buffer, 0, &prepared.read, *start, size);
        }
        self.queue.submit([encoder.finish()]);
        let problem = scope.pop();
        let (send, receive) = oneshot::channel();
        prepared
            .read
            .map_async(wgpu::MapMode::Read, .., move |result| {
                // Nobody waits any more if the caller gave up.
                let _ = send.send(result);
            });
        #[cfg(not(target_arch = "wasm32"))]
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        if let Some(problem) = problem.await {
            self.check()?;
            return Err(refuse(format!(
                "the graphics card refuses a run ({problem})"
            )));
        }
        let mapped = receive.await;
        self.check()?;
        if !matches!(mapped, Ok(Ok(()))) {
            return Err(refuse(
                "the results could not be read back from the graphics card",
            ));
        }
        let view = prepared
            .read
            .get_mapped_range(..)
            .map_err(|error| refuse(format!("the results could not be read ({error})")))?;
        let mut maps = Vec::new();
        for (node, shape, _, start) in &prepared.outputs {
            let count: usize = shape.iter().product();
            let from = *start as usize;
            let values = if self.half {
                let halves: Vec<f16> = bytemuck::pod_collect_to_vec(&view[from..from + 2 * count]);
                halves.into_iter().map(f16::to_f32).collect()
            } else {
                bytemuck::pod_collect_to_vec(&view[from..from + 4 * count])
            };
            maps.push((*node, Tensor::new(shape, values)?));
        }
        let times = prepared.timing.as_ref().map(|(_, _, start)| {
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(
                &view[*start as usize..*start as usize + 16 * prepared.steps.len()],
            );
            let ms = f64::from(self.queue.get_timestamp_period()) * 1e-6;
            let pairs = prepared.steps.iter().zip(ticks.chunks(2));
            pairs
                .map(|(step, pair)| (step.node, pair[1].saturating_sub(pair[0]) as f64 * ms))
                .collect()
        });
        drop(view);
        prepared.read.unmap();
        let made = self.made.replace(Stats::default());
        *self.stats.borrow_mut() = Stats {
            buffers_created: made.buffers_created,
            bind_groups_created: made.bind_groups_created,
            pipelines_created: made.pipelines_created,
            constants_uploaded: made.constants_uploaded,
            ..prepared.stats.clone()
        };
        Ok((maps, times))
    }
}

impl Step {
    fn run(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.groups;
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.binds, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// A program's whole text.
pub fn source(program: &Program, half: bool) -> String {
    let store = if half {
        "enable f16;\nalias Store = f16;\n"
    } else {
        "alias Store = f32;\n"
    };
    [store, COMMON, program.source].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imitations_are_known_by_name_or_admission() {
        let card = |parts: &[&str], admitted| Described::new(parts, admitted, Vec::new());
        assert!(card(&["llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe"], false).software);
        assert!(card(&["Google SwiftShader"], false).software);
        assert!(card(&["Microsoft Basic Render Driver"], false).software);
        assert!(card(&[""], true).software);
        let real = card(
            &["NVIDIA GeForce RTX 3060", "", "NVIDIA GeForce RTX 3060"],
            false,
        );
        assert_eq!(
            (real.software, &real.adapter[..]),
            (false, "NVIDIA GeForce RTX 3060")
        );
    }
}
