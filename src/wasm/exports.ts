/**
 * The functions of the WASM module, as crates/vaerans-wasm declares them.
 * @module
 */

/** Offsets and counts in, status out: what crates/vaerans-wasm exports. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  arena_reserve(byteLength: number): number;
  rgb8_to_planar(
    src: number,
    srcWidth: number,
    srcHeight: number,
    x0: number,
    y0: number,
    dst: number,
    dstWidth: number,
    dstHeight: number,
    scale: number,
    bias: number,
  ): number;
  planar_to_rgb8(
    src: number,
    srcWidth: number,
    srcHeight: number,
    x0: number,
    y0: number,
    dst: number,
    dstWidth: number,
    dstHeight: number,
    width: number,
    height: number,
    dstX: number,
    dstY: number,
    scale: number,
    bias: number,
  ): number;
  copy_window_f32(
    src: number,
    srcWidth: number,
    srcHeight: number,
    x0: number,
    y0: number,
    dst: number,
    dstWidth: number,
    dstHeight: number,
    dstX: number,
    dstY: number,
    width: number,
    height: number,
    channels: number,
  ): number;
  restore_rgb8(
    file: number,
    fileLength: number,
    rate: number,
    adjustment: number,
    rgb: number,
    width: number,
    height: number,
    x: number,
    y: number,
    windowWidth: number,
    windowHeight: number,
  ): number;
  restore_observe(
    file: number,
    fileLength: number,
    rate: number,
    decoded: number,
    original: number,
    width: number,
    height: number,
    x: number,
    y: number,
    windowWidth: number,
    windowHeight: number,
    sums: number,
  ): number;
  hadamard4_forward(data: number, channels: number, planeLength: number): number;
  hadamard4_inverse(data: number, channels: number, planeLength: number): number;
  wavelet_scratch_length(width: number, height: number): number;
  wavelet_forward(
    kind: number,
    data: number,
    planes: number,
    width: number,
    height: number,
    levels: number,
    scratch: number,
  ): number;
  wavelet_inverse(
    kind: number,
    data: number,
    planes: number,
    width: number,
    height: number,
    levels: number,
    scratch: number,
  ): number;
  klt_forward(
    src: number,
    dst: number,
    mean: number,
    matrix: number,
    channels: number,
    planeLength: number,
  ): number;
  klt_inverse(
    src: number,
    dst: number,
    mean: number,
    matrix: number,
    channels: number,
    planeLength: number,
  ): number;
  gains_at_rate(
    logKnots: number,
    knotCount: number,
    channels: number,
    rate: number,
    dst: number,
  ): number;
  quantise(src: number, dst: number, gains: number, channels: number, planeLength: number): number;
  dequantise(
    src: number,
    dst: number,
    inverseGains: number,
    channels: number,
    planeLength: number,
  ): number;
  symbols_entropy(src: number, channels: number, planeLength: number, dst: number): number;
  static_encode_bound(channels: number, planeLength: number): number;
  static_encode(
    src: number,
    channels: number,
    planeLength: number,
    planeStride: number,
    dst: number,
    dstCapacity: number,
    writtenLength: number,
  ): number;
  static_decode(
    src: number,
    srcLength: number,
    dst: number,
    channels: number,
    planeLength: number,
    planeStride: number,
  ): number;
  context_model_load(src: number, length: number): number;
  context_model_channels(handle: number, grid: number): number;
  context_encode_bound(handle: number, grids: number): number;
  context_encode(
    handle: number,
    rate: number,
    grids: number,
    dst: number,
    dstCapacity: number,
    writtenLength: number,
  ): number;
  context_cost(handle: number, rate: number, grids: number): number;
  context_choose(
    handle: number,
    rate: number,
    lambda: number,
    gains: number,
    grids: number,
  ): number;
  context_decode(
    handle: number,
    rate: number,
    src: number,
    srcLength: number,
    grids: number,
  ): number;
  planes_encode_bound(dtype: number, width: number, rows: number, components: number): number;
  planes_encode(
    dtype: number,
    src: number,
    width: number,
    rows: number,
    components: number,
    maxError: number,
    step: number,
    dst: number,
    dstCapacity: number,
    writtenLength: number,
  ): number;
  planes_decode(
    dtype: number,
    src: number,
    srcLength: number,
    dst: number,
    width: number,
    rows: number,
    components: number,
  ): number;
  planes_round_trip(
    dtype: number,
    data: number,
    width: number,
    rows: number,
    components: number,
    step: number,
  ): number;
  sum_squared_error_u8(a: number, b: number, length: number, dst: number): number;
  blur_scratch_length(width: number, sigma: number): number;
  blur_gaussian_rgb8(
    src: number,
    dst: number,
    width: number,
    height: number,
    sigma: number,
    scratch: number,
  ): number;
}
