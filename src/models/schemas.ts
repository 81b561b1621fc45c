/**
 * What a manifest and a configuration may say, field by field.
 * @module
 */
import { z } from 'zod';
import { parseByteCount } from '../limits.js';
import { RESTORATION_REACH_PX, SEARCHED_TILE_PX } from './reach.js';
import { TUNES } from './tunes.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected a plain file name inside the model folder');
const finite = z.number().refine(Number.isFinite, 'expected a finite number');

/** A file of the model folder and the hash that it must have. */
const modelFile = z.strictObject({ file: fileName, sha256 });

const network = z.strictObject({
  ...modelFile.shape,
  /** Name of the graph's input and output; the session's first where absent. */
  input: z.string().min(1).optional(),
  output: z.string().min(1).optional(),
  variants: z.strictObject({ fp16: modelFile, int8: modelFile }).partial().optional(),
  /** Pixels beyond a tile's edge that the network sees; tiles are run with this margin and cropped. */
  marginPx: z.int().min(0).max(1024),
  /** For networks that see the whole window: neighbours are mixed over their margins instead of cropped. */
  blend: z.literal(true).optional(),
  /** f32 planes of the window's size that a run holds at its peak; 8 where left out. */
  activationPlanes: z.int().min(1).max(65_536).optional(),
});

const logTable = z.array(z.array(finite)).min(2).max(64);

/** As many as the context coder knows. */
const GRIDS_MAX = 2;

/** DESIGN section 11; unknown fields are refused. */
export const manifestSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'expected 1 to 32 plain characters'),
    version: z.string().min(1).max(32),
    licence: z.string().min(1),
    /** What the model was trained to keep; quality then grows by it. Squared error where it does not say. */
    tune: z.enum(TUNES).optional(),
    encoder: network,
    decoder: network,
    /** Latent grids, coarse to fine. */
    grids: z
      .array(
        z.strictObject({
          channels: z.int().min(1).max(1024),
          /** Pixels per latent sample along each side; a multiple of the next grid's. */
          stridePx: z.int().min(1).max(64),
          /** Its tensor in both graphs; where absent, encoder.output and decoder.input, or the graphs' own order. */
          name: z.string().min(1).optional(),
        }),
      )
      .min(1)
      .max(GRIDS_MAX, `expected at most ${GRIDS_MAX} latent grids`),
    /** The values that samples 0 and 255 become. */
    inputRange: z.tuple([finite, finite]),
    /** The picture is padded to a multiple of this before the encoder runs. */
    padToPx: z.int().min(1).max(256),
    /** Tile side without margin, a multiple of every stride. */
    tilePx: z.int().min(64).max(8192),
    transform: z
      .strictObject({
        channel: z.enum(['none', 'hadamard4', 'klt']),
        /** Little-endian f32: mean[channels], then the orthonormal matrix, row by row. */
        klt: modelFile.optional(),
        wavelet: z
          .strictObject({ kind: z.enum(['cdf53', 'haar']), levels: z.int().min(1).max(10) })
          .optional(),
      })
      .optional(),
    rate: z.strictObject({
      /** Natural logarithms, [knots][channels], at equally spaced rates from 0 to 4095. */
      logGain: logTable,
      logInverseGain: logTable,
    }),
    /** Weights and tables of the context coder; the static coder is used without it. */
    context: modelFile.optional(),
    /**
     * For an encoder: how the loss that the model was trained for changes with its symbols (training/gradient.py). Inputs
     * `symbols`, `image` and `rate`, output `gradient`; with gains that are in it, so tuning to others drops it.
     */
    gradient: z
      .strictObject({
        ...modelFile.shape,
        activationPlanes: z.int().min(1).max(65_536),
        /** Windows with a smaller side are not searched. */
        leastSidePx: z.int().min(1).max(1024),
      })
      .optional(),
    /** The filter that decoded pictures go through; `decoder.marginPx` counts the pixels around a tile that it sees too. */
    restoration: modelFile.optional(),
    /**
     * Squared steps that a bit is worth to an encoder for squared error up to the first rate, falling evenly to nothing at the
     * second. Measured for these gains: tuning to others drops it.
     */
    choosing: z
      .object({
        lambda: z.number().min(0).max(1),
        rates: z.array(z.int().min(0).max(4095)).length(2),
      })
      .strict()
      .optional(),
    /** Rate (0 to 4095) of quality 1, 2, ... 100. */
    quality: z.array(z.int().min(0).max(4095)).length(100),
    /** Rate from which a residual or planes serve better; 4096 for never. */
    residualFrom: z.int().min(0).max(4096),
    /**
     * A linear map from the coarsest grid to a picture of one pixel for each of its samples, 0 to 255: bias[3] and
     * weights[3][channels], or weights[3][channels * 9] of the 3 by 3 samples around (channel, then row, then column), for red,
     * green and blue. Another way to show a latent, so it is no part of the model's identity.
     */
    previewHead: z
      .strictObject({
        weights: z.array(z.array(finite)).length(3),
        bias: z.array(finite).length(3),
      })
      .optional(),
    card: z.string().optional(),
  })
  .superRefine((manifest, context) => {
    const channels = manifest.grids[0]?.channels ?? 0;
    const allChannels = manifest.grids.reduce((sum, grid) => sum + grid.channels, 0);
    for (const key of ['logGain', 'logInverseGain'] as const) {
      if (manifest.rate[key].some((knot) => knot.length !== allChannels)) {
        context.addIssue({
          code: 'custom',
          path: ['rate', key],
          message: `expected ${allChannels} values in every knot`,
        });
      }
    }
    const finer = manifest.grids[1]?.stridePx;
    if (finer !== undefined) {
      const stridePx = manifest.grids[0]?.stridePx ?? 1;
      if (stridePx % finer !== 0) {
        context.addIssue({
          code: 'custom',
          path: ['grids'],
          message: `expected strides from coarse to fine, each a multiple of the next, got ${stridePx} and ${finer} px`,
        });
      }
      if (manifest.transform !== undefined || manifest.context === undefined) {
        context.addIssue({
          code: 'custom',
          path: ['grids'],
          message: 'expected a context model and no transform for several latent grids',
        });
      }
    }
    const lengths = manifest.previewHead?.weights.map(({ length }) => length) ?? [];
    if (![channels, channels * 9].some((length) => lengths.every((own) => own === length))) {
      context.addIssue({
        code: 'custom',
        path: ['previewHead', 'weights'],
        message: `expected ${channels} values for every colour, or ${channels * 9}`,
      });
    }
    if (manifest.rate.logGain.length !== manifest.rate.logInverseGain.length) {
      context.addIssue({
        code: 'custom',
        path: ['rate'],
        message: 'expected as many knots in logGain as in logInverseGain',
      });
    }
    if ((manifest.transform?.channel === 'klt') !== (manifest.transform?.klt !== undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['transform', 'klt'],
        message: 'expected a file exactly when the channel transform is klt',
      });
    }
    if (manifest.transform?.channel === 'hadamard4' && channels % 4 !== 0) {
      context.addIssue({
        code: 'custom',
        path: ['transform', 'channel'],
        message: `expected a multiple of 4 channels for hadamard4, got ${channels}`,
      });
    }
    const stridePx = manifest.grids[0]?.stridePx ?? 1;
    if (manifest.inputRange[0] === manifest.inputRange[1]) {
      context.addIssue({
        code: 'custom',
        path: ['inputRange'],
        message: 'expected two different values',
      });
    }
    for (const key of ['encoder', 'decoder'] as const) {
      if (manifest[key].blend && 2 * manifest[key].marginPx > manifest.tilePx) {
        context.addIssue({
          code: 'custom',
          path: [key, 'marginPx'],
          message: `expected at most half a tile of ${manifest.tilePx} px to blend over`,
        });
      }
    }
    const { gradient, inputRange, grids, transform, encoder, padToPx } = manifest;
    const isSearchable =
      grids.length === 1 &&
      transform === undefined &&
      !encoder.blend &&
      inputRange[0] === 0 &&
      inputRange[1] === 1 &&
      SEARCHED_TILE_PX % padToPx === 0;
    if (gradient !== undefined && !isSearchable) {
      context.addIssue({
        code: 'custom',
        path: ['gradient'],
        message: `expected one grid without a transform, tiles that are not mixed, inputs of 0 to 1 and a padToPx that divides ${SEARCHED_TILE_PX}`,
      });
    }
    if (manifest.restoration !== undefined && manifest.decoder.blend) {
      context.addIssue({
        code: 'custom',
        path: ['restoration'],
        message: 'expected no restoration filter beside tiles that are mixed',
      });
    }
    if (manifest.restoration !== undefined && manifest.decoder.marginPx < RESTORATION_REACH_PX) {
      context.addIssue({
        code: 'custom',
        path: ['decoder', 'marginPx'],
        message: `expected at least the ${RESTORATION_REACH_PX} px that a restoration filter sees`,
      });
    }
    if (manifest.tilePx % manifest.padToPx !== 0) {
      context.addIssue({
        code: 'custom',
        path: ['tilePx'],
        message: `expected a multiple of padToPx, ${manifest.padToPx} px`,
      });
    }
    const multiples = { padToPx: manifest.padToPx, tilePx: manifest.tilePx };
    for (const [key, value] of Object.entries(multiples)) {
      if (value % stridePx !== 0) {
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `expected a multiple of the stride, ${stridePx} px`,
        });
      }
    }
    if (manifest.quality.some((rate, index) => rate < (manifest.quality[index - 1] ?? 0))) {
      context.addIssue({
        code: 'custom',
        path: ['quality'],
        message: 'expected rates that never fall as quality rises',
      });
    }
  });

export type Manifest = z.infer<typeof manifestSchema>;
export type ModelFile = z.infer<typeof modelFile>;

/** Bytes as a number, or as text such as `512M` or `2G`. */
const byteCount = z.union([z.int().min(1), z.string()]).transform((value, context) => {
  const bytes = typeof value === 'number' ? value : parseByteCount(value);
  if (bytes === undefined) {
    context.addIssue(`expected bytes such as 536870912, "512M" or "2G", got '${value}'`);
    return z.NEVER;
  }
  return bytes;
});

/** `vaerans.toml`. */
export const configSchema = z
  .strictObject({
    /** Name or folder of the model to use when none is given. */
    model: z.string().min(1).optional(),
    /** What runs the model where nothing else is asked for. */
    provider: z.enum(['auto', 'cpu', 'cuda', 'dml', 'coreml', 'webgpu']).optional(),
    deterministic: z.boolean().optional(),
    /** Cores to keep busy. */
    threads: z.int().min(1).max(1024).optional(),
    /** Most memory of a call. */
    max_memory: byteCount.optional(),
    compress: z
      .strictObject({
        /** Where no other aim is given. */
        quality: z.number().min(1).max(100).optional(),
        /** Which embedded model; instead of `model`. */
        tune: z.enum(TUNES).optional(),
      })
      .optional(),
    models: z.record(z.string(), z.strictObject({ path: z.string().min(1) })).optional(),
  })
  .superRefine(({ model, compress }, context) => {
    if (model === undefined || compress?.tune === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['compress', 'tune'],
      message: 'expected a model or a tune, which is one of the embedded models, got both',
    });
  });

export type Config = z.infer<typeof configSchema>;
