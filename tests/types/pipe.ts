/**
 * What must not compile, each with the line that says so; `tsc -p tests` fails when one of them does compile. Nothing
 * here is run.
 * @module
 */
import {
  addResidual,
  type BitstreamData,
  defineStage,
  dequantise,
  type Entity,
  entropyDecode,
  entropyEncode,
  gaussianBlur,
  type LatentData,
  measurePsnr,
  type Pixels,
  quantise,
  type ResidualData,
  type RgbData,
  residual,
  rotate,
  unrotate,
  vaeDecode,
  vaeEncode,
  type World,
  waveletForward,
  waveletInverse,
} from 'vaerans';

declare const world: World;
declare const pixels: Pixels;
declare const latent: LatentData;
declare const bitstream: BitstreamData;

/** Whether two types are the same, not only assignable. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <Claim extends true>(claim?: Claim): void => void claim;

const image = world.spawnImage(pixels);
const empty = world.newEntity();
const coded = world.newEntity().add('Bitstream', bitstream);

export function stagesLeftOut(): void {
  // 1. No picture at all.
  // @ts-expect-error Rgb was never made
  world.pipe(empty).to(vaeEncode());

  // 2. The encoder network left out.
  // @ts-expect-error Latent was never made
  world.pipe(image).to(rotate());

  // 3. The channel transform left out.
  // @ts-expect-error Rotated was never made
  world.pipe(image).to(vaeEncode()).to(waveletForward());

  // 4. The wavelet left out.
  const rotated = world.pipe(image).to(vaeEncode()).to(rotate());
  // @ts-expect-error WaveletPyramid was never made
  rotated.to(quantise({ rate: 0 }));

  // 5. The quantiser left out.
  // @ts-expect-error Symbols were never made
  rotated.to(waveletForward()).to(entropyEncode());

  // 6. The entropy decoder left out.
  // @ts-expect-error Symbols were never made
  world.pipe(coded).to(dequantise());

  // 7. The inverse quantiser left out.
  // @ts-expect-error WaveletPyramid was never made
  world.pipe(coded).to(entropyDecode()).to(waveletInverse());

  // 8. The inverse wavelet left out.
  // @ts-expect-error Rotated was never made
  world.pipe(coded).to(entropyDecode()).to(dequantise()).to(unrotate());

  // 9. The inverse channel transform left out.
  // @ts-expect-error Latent was never made
  world.pipe(coded).to(entropyDecode()).to(dequantise()).to(waveletInverse()).to(vaeDecode());

  // 10. One of two inputs left out: the reconstruction.
  // @ts-expect-error ReconRgb was never made
  world.pipe(image).to(residual());

  // 11. The other: a decoder has no original to measure against.
  const decoded = world.pipe(coded).to(entropyDecode()).to(dequantise()).to(waveletInverse());
  // @ts-expect-error Rgb was never made
  decoded.to(unrotate()).to(vaeDecode()).to(measurePsnr());

  // 12. The residual left out.
  // @ts-expect-error Residual was never made
  world.pipe(image).to(vaeEncode()).to(vaeDecode()).to(addResidual());

  // 13. The blur of a reconstruction that is not there.
  // @ts-expect-error ReconRgb was never made
  world.pipe(image).to(gaussianBlur({ of: 'ReconRgb' }));

  // 14. The result that nothing makes.
  // @ts-expect-error Bitstream was never made
  void world.pipe(image).to(vaeEncode()).out('Bitstream');

  // 15. Asking a measure for a component.
  // @ts-expect-error a measure makes none
  void world.pipe(image).to(vaeEncode()).to(vaeDecode()).to(measurePsnr()).out('Residual');

  // 16. A stage left out of one entity of many.
  // @ts-expect-error the second has no Latent
  world.pipe([image.add('Latent', latent), world.spawnImage(pixels)]).to(rotate());
}

export function selections(): void {
  const pipe = world.pipe(image).to(vaeEncode());

  // 17. Hidden by a select.
  // @ts-expect-error Rgb is hidden
  pipe.select('Latent').to(gaussianBlur());

  // 18. Selecting what is not there.
  // @ts-expect-error Rotated was never made
  pipe.select('Rotated');

  // 19. Using what is not there.
  // @ts-expect-error Rotated was never made
  pipe.use('Rotated');

  // 20. A branch that lacks a stage of its own.
  // @ts-expect-error Rotated was never made
  pipe.fork((p) => p.to(waveletForward()));

  // Brought back, carried past a fork, and out although hidden: all these compile.
  pipe.select('Latent').use('Rgb').to(gaussianBlur());
  pipe.fork((p) => p.to(rotate())).to(waveletForward());
  void pipe.select('Latent').out('Rgb');
}

export function entities(entity: Entity): void {
  // 21. Reading what the type does not know of.
  // @ts-expect-error not known to be there
  entity.get('Latent');
  // @ts-expect-error taken away
  image.remove('Rgb').get('Rgb');
  // @ts-expect-error a latent is no picture
  empty.add('Rgb', latent);
  // @ts-expect-error no such component
  entity.has('Colour');
  if (entity.has('Latent')) void (entity.get('Latent') satisfies LatentData);
  const queried = world.query('Rgb', 'Residual');
  holds<Same<(typeof queried)[number], Entity<'Rgb' | 'Residual'>>>();
}

export async function results(): Promise<void> {
  const one = await world.pipe(image).to(vaeEncode()).out('Latent');
  holds<Same<typeof one, LatentData>>();
  const many = await world.pipe([image, image]).to(vaeEncode()).out('Latent');
  holds<Same<typeof many, LatentData[]>>();
  const recon = await world.pipe(image).to(vaeEncode()).to(vaeDecode()).out('ReconRgb');
  holds<Same<typeof recon, RgbData>>();
}

export function stagesOfOnesOwn(): void {
  defineStage({
    name: 'wrongInput',
    requires: ['Latent'],
    produces: ['Rotated'],
    // @ts-expect-error Symbols were not required
    transform: ({ Symbols }) => ({ Rotated: Symbols }),
  });
  defineStage({
    name: 'wrongOutput',
    requires: ['Latent'],
    produces: ['Symbols'],
    // @ts-expect-error a latent is no Symbols
    transform: ({ Latent }) => ({ Symbols: Latent }),
  });
  const two = defineStage({
    name: 'two',
    requires: ['Rgb', 'ReconRgb'],
    produces: ['Residual', 'BlurRgb'],
    transform: ({ Rgb }): { Residual: ResidualData; BlurRgb: RgbData } => {
      throw new Error(`never run, with ${Rgb.pixels.dtype}`);
    },
  });
  // @ts-expect-error ReconRgb was never made
  world.pipe(image).to(two);
}
