/** The registry: one line a figure. */
import { host } from "../figure/host";
import { Channels } from "./channels/channels";
import { Convolution } from "./convolution/convolution";
import { Filters } from "./filters/filters";
import { Geometry } from "./geometry/geometry";
import { KernelLab } from "./kernel-lab/kernel-lab";
import { LayerTable } from "./layer-table/layer-table";
import { ParameterCount } from "./parameter-count/parameter-count";
import { PixelShuffle } from "./pixel-shuffle/pixel-shuffle";
import { Pooling } from "./pooling/pooling";
import { ReceptiveField } from "./receptive-field/receptive-field";
import { Shapes } from "./shapes/shapes";
import { SpecimenFigure } from "./specimen/specimen";
import { Translation } from "./translation/translation";
import { Unet } from "./unet/unet";
import { WeightSharing } from "./weight-sharing/weight-sharing";

const figures: Record<string, CustomElementConstructor> = {
  "ks-convolution": Convolution,
  "ks-pooling": Pooling,
  "ks-receptive-field": ReceptiveField,
  "ks-specimen": SpecimenFigure,
  "ks-unet": Unet,
  "ks-filters": Filters,
  "ks-geometry": Geometry,
  "ks-kernel-lab": KernelLab,
  "ks-channels": Channels,
  "ks-shapes": Shapes,
  "ks-weight-sharing": WeightSharing,
  "ks-layer-table": LayerTable,
  "ks-parameter-count": ParameterCount,
  "ks-pixel-shuffle": PixelShuffle,
  "ks-translation": Translation,
};

for (const [name, figure] of Object.entries(figures)) if (!customElements.get(name)) customElements.define(name, figure);

host.provide("widgets", Object.keys(figures));
