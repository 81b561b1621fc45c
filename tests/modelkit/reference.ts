/**
 * The architectures by plain loops, from their published descriptions: what the written graphs are compared with.
 * Slow and readable; nothing is shared with src/modelkit.
 */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type WeightsByName = ReadonlyMap<string, Weights>;

function planes(channels: number, height: number, width: number): Planes {
  return { channels, height, width, values: new Float64Array(channels * height * width) };
}

function get(weights: WeightsByName, name: string): Weights {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`no '${name}'`);
  return found;
}

/** @param pads [top, left, bottom, right], zeros */
export function conv(
  x: Planes,
  weights: WeightsByName,
  name: string,
  stride = 1,
  pads?: readonly [number, number, number, number],
): Planes {
  const { shape, values } = get(weights, `${name}.weight`);
  const bias = weights.get(`${name}.bias`)?.values;
  const [out = 0, into = 0, side = 1] = shape;
  const half = (side - 1) / 2;
  const [top, left, bottom, right] = pads ?? [half, half, half, half];
  const height = Math.floor((x.height + top + bottom - side) / stride) + 1;
  const width = Math.floor((x.width + left + right - side) / stride) + 1;
  const y = planes(out, height, width);
  for (let o = 0; o < out; o++) {
    const sums = y.values.subarray(o * height * width, (o + 1) * height * width);
    sums.fill(bias?.[o] ?? 0);
    for (let tap = 0; tap < into * side * side; tap++) {
      const weight = values[o * into * side * side + tap] ?? 0;
      const dx = (tap % side) - left;
      const dy = (Math.floor(tap / side) % side) - top;
      const plane = Math.floor(tap / side ** 2) * x.height * x.width;
      for (let row = 0; row < height; row++) {
        const sy = row * stride + dy;
        if (sy < 0 || sy >= x.height) continue;
        for (let column = 0; column < width; column++) {
          const sx = column * stride + dx;
          if (sx < 0 || sx >= x.width) continue;
          const at = row * width + column;
          sums[at] = (sums[at] ?? 0) + weight * (x.values[plane + sy * x.width + sx] ?? 0);
        }
      }
    }
  }
  return y;
}

export function map(x: Planes, change: (value: number) => number): Planes {
  return { ...x, values: x.values.map(change) };
}

export const relu = (x: Planes): Planes => map(x, (value) => Math.max(0, value));
export const silu = (x: Planes): Planes => map(x, (value) => value / (1 + Math.exp(-value)));

export function add(a: Planes, b: Planes): Planes {
  return { ...a, values: a.values.map((value, i) => value + (b.values[i] ?? 0)) };
}

export function double(x: Planes): Planes {
  const y = planes(x.channels, 2 * x.height, 2 * x.width);
  for (let i = 0; i < y.values.length; i++) {
    const column = i % y.width;
    const row = Math.floor(i / y.width) % y.height;
    const channel = Math.floor(i / (y.width * y.height));
    y.values[i] = x.values[(channel * x.height + (row >> 1)) * x.width + (column >> 1)] ?? 0;
  }
  return y;
}

export function groupNorm(
  x: Planes,
  weights: WeightsByName,
  name: string,
  groups: number,
  epsilon: number,
): Planes {
  const area = x.height * x.width;
  const length = (x.channels / groups) * area;
  const y = planes(x.channels, x.height, x.width);
  for (let group = 0; group < groups; group++) {
    const part = x.values.subarray(group * length, (group + 1) * length);
    const mean = part.reduce((sum, value) => sum + value, 0) / length;
    const variance = part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
    for (let i = group * length; i < (group + 1) * length; i++) {
      const channel = Math.floor(i / area);
      const scale = get(weights, `${name}.weight`).values[channel] ?? 0;
      const shift = get(weights, `${name}.bias`).values[channel] ?? 0;
      y.values[i] = (((x.values[i] ?? 0) - mean) / Math.sqrt(variance + epsilon)) * scale + shift;
    }
  }
  return y;
}

function attention(x: Planes, weights: WeightsByName, name: string, groups: number): Planes {
  const even = groupNorm(x, weights, `${name}.group_norm`, groups, 1e-6);
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((part) => conv(even, weights, `${name}.${part}`));
  if (!q || !k || !v) throw new Error('no projections');
  const area = x.height * x.width;
  const mixed = planes(x.channels, x.height, x.width);
  for (let i = 0; i < area; i++) {
    const scores = Float64Array.from({ length: area }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < x.channels; c++) {
        sum += (q.values[c * area + i] ?? 0) * (k.values[c * area + j] ?? 0);
      }
      return sum / Math.sqrt(x.channels);
    });
    const most = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - most));
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (let c = 0; c < x.channels; c++) {
      let sum = 0;
      for (let j = 0; j < area; j++) sum += (shares[j] ?? 0) * (v.values[c * area + j] ?? 0);
      mixed.values[c * area + i] = sum / total;
    }
  }
  return add(x, conv(mixed, weights, `${name}.to_out.0`));
}

function tinyBlock(input: Planes, weights: WeightsByName, name: string): Planes {
  let x = input;
  if (weights.has(`${name}.pool.0.weight`)) {
    const wide = conv(x, weights, `${name}.pool.0`);
    const even = relu(groupNorm(wide, weights, `${name}.pool.1`, 4, 1e-5));
    x = add(x, conv(even, weights, `${name}.pool.3`));
  }
  let y = relu(conv(x, weights, `${name}.conv.0`));
  y = relu(conv(y, weights, `${name}.conv.2`));
  y = conv(y, weights, `${name}.conv.4`);
  return relu(add(y, x));
}

/** Layer numbers as in taesd.py; what stands between them is written out here. */
export function tinyEncoder(x: Planes, weights: WeightsByName): Planes {
  let y = tinyBlock(conv(x, weights, '0'), weights, '1');
  for (const down of [2, 6, 10]) {
    y = conv(y, weights, `${down}`, 2, [1, 1, 1, 1]);
    for (const index of [1, 2, 3]) y = tinyBlock(y, weights, `${down + index}`);
  }
  return conv(y, weights, '14');
}

export function tinyDecoder(x: Planes, weights: WeightsByName): Planes {
  let y = map(x, (value) => 3 * Math.tanh(value / 3));
  y = relu(conv(y, weights, '1'));
  for (const first of [3, 8, 13]) {
    for (const index of [0, 1, 2]) y = tinyBlock(y, weights, `${first + index}`);
    y = conv(double(y), weights, `${first + 4}`);
  }
  return conv(tinyBlock(y, weights, '18'), weights, '19');
}

export interface KlShape {
  readonly groups: number;
  readonly levels: number;
  readonly scale: number;
  readonly shift: number;
}

function resnet(x: Planes, weights: WeightsByName, name: string, groups: number): Planes {
  const first = silu(groupNorm(x, weights, `${name}.norm1`, groups, 1e-6));
  const middle = conv(first, weights, `${name}.conv1`);
  const last = silu(groupNorm(middle, weights, `${name}.norm2`, groups, 1e-6));
  const skip = weights.has(`${name}.conv_shortcut.weight`)
    ? conv(x, weights, `${name}.conv_shortcut`)
    : x;
  return add(conv(last, weights, `${name}.conv2`), skip);
}

function klMiddle(x: Planes, weights: WeightsByName, side: string, groups: number): Planes {
  let y = resnet(x, weights, `${side}.mid_block.resnets.0`, groups);
  y = attention(y, weights, `${side}.mid_block.attentions.0`, groups);
  return resnet(y, weights, `${side}.mid_block.resnets.1`, groups);
}

/** The scaled mean of AutoencoderKL's encoder, two resnets a level. */
export function klEncoder(x: Planes, weights: WeightsByName, shape: KlShape): Planes {
  let y = conv(x, weights, 'encoder.conv_in');
  for (let level = 0; level < shape.levels; level++) {
    const name = `encoder.down_blocks.${level}`;
    for (const index of [0, 1]) y = resnet(y, weights, `${name}.resnets.${index}`, shape.groups);
    if (level < shape.levels - 1) {
      y = conv(y, weights, `${name}.downsamplers.0.conv`, 2, [0, 0, 1, 1]);
    }
  }
  y = klMiddle(y, weights, 'encoder', shape.groups);
  y = silu(groupNorm(y, weights, 'encoder.conv_norm_out', shape.groups, 1e-6));
  y = conv(y, weights, 'encoder.conv_out');
  if (weights.has('quant_conv.weight')) y = conv(y, weights, 'quant_conv');
  const channels = y.channels / 2;
  const means = { ...y, channels, values: y.values.slice(0, y.values.length / 2) };
  return map(means, (value) => (value - shape.shift) * shape.scale);
}

export function klDecoder(x: Planes, weights: WeightsByName, shape: KlShape): Planes {
  let y = map(x, (value) => value / shape.scale + shape.shift);
  if (weights.has('post_quant_conv.weight')) y = conv(y, weights, 'post_quant_conv');
  y = klMiddle(conv(y, weights, 'decoder.conv_in'), weights, 'decoder', shape.groups);
  for (let level = 0; level < shape.levels; level++) {
    const name = `decoder.up_blocks.${level}`;
    for (const index of [0, 1, 2]) y = resnet(y, weights, `${name}.resnets.${index}`, shape.groups);
    if (level < shape.levels - 1) y = conv(double(y), weights, `${name}.upsamplers.0.conv`);
  }
  y = silu(groupNorm(y, weights, 'decoder.conv_norm_out', shape.groups, 1e-6));
  return conv(y, weights, 'decoder.conv_out');
}
