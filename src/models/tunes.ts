/**
 * The models that ship with the program: one architecture, trained for two things. Apart from the registry, so that a
 * header can be told of without a schema library.
 * @module
 */

/** `psnr` keeps samples: least squared error. `eye` keeps what is seen: MS-SSIM and SSIMULACRA2. */
export const TUNES = ['psnr', 'eye'] as const;

export type Tune = (typeof TUNES)[number];

/** Where neither a tune nor a model is asked for; decided by docs/tune.md. */
export const DEFAULT_TUNE: Tune = 'eye';

/** Identities of the embedded models, which lie in folders of their tune's name. Files of these carry no name. */
export const EMBEDDED_IDS: Readonly<Record<Tune, string>> = {
  psnr: '91d98443b0b73830',
  eye: '9ede690815c9f3ed',
};

/** The tune of the embedded model with this identity, if it is one of them. */
export function embeddedTune(modelId: string): Tune | undefined {
  return TUNES.find((tune) => EMBEDDED_IDS[tune] === modelId);
}
