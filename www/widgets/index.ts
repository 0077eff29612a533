/**
 * The registry: one line a figure. The bundler reads it and makes a chunk of each, so that a page loads what it shows;
 * `elements.json` describes each to those who write pages.
 */
import { Backend } from "./backend/backend";
import { Channels } from "./channels/channels";
import { Convolution } from "./convolution/convolution";
import { Filters } from "./filters/filters";
import { Geometry } from "./geometry/geometry";
import { Grains } from "./grains/grains";
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

export const figures: Record<string, CustomElementConstructor> = {
  "ks-convolution": Convolution,
  "ks-pooling": Pooling,
  "ks-receptive-field": ReceptiveField,
  "ks-specimen": SpecimenFigure,
  "ks-unet": Unet,
  "ks-filters": Filters,
  "ks-geometry": Geometry,
  "ks-grains": Grains,
  "ks-kernel-lab": KernelLab,
  "ks-channels": Channels,
  "ks-shapes": Shapes,
  "ks-weight-sharing": WeightSharing,
  "ks-layer-table": LayerTable,
  "ks-parameter-count": ParameterCount,
  "ks-pixel-shuffle": PixelShuffle,
  "ks-translation": Translation,
  "ks-backend": Backend,
};
