/**
 * The schedule: which stages run, in which order, on which entities. A pipe is a description until `out` is
 * awaited. `Has` is what the next stage can see, `Known` all that entities carry by then.
 * @module
 */
import { UsageError } from '../errors.js';
import { type ComponentName, type Components, tensorsOf } from './components.js';
import type { Entity } from './entity.js';
import type { Stage } from './stage.js';
import { type TracedTensor, traceTensor } from './trace.js';
import type { World } from './world.js';

type AnyStage = Stage<ComponentName, ComponentName>;

type Step =
  | { readonly kind: 'stage'; readonly stage: AnyStage }
  | { readonly kind: 'fork'; readonly branch: Pipe<ComponentName, ComponentName, 'one' | 'many'> };

/** One record for a pipe over one entity, a list in their order for a pipe over many. */
export type Output<Count extends 'one' | 'many', T> = Count extends 'one' ? T : T[];

export class Pipe<
  Has extends ComponentName,
  Known extends ComponentName,
  Count extends 'one' | 'many',
> {
  readonly #world: World;
  readonly #entities: readonly Entity[];
  readonly #count: Count;
  readonly #steps: readonly Step[];
  /** What `select` left visible; undefined for all. */
  readonly #visible: readonly ComponentName[] | undefined;

  constructor(
    world: World,
    entities: readonly Entity[],
    count: Count,
    steps: readonly Step[],
    visible?: readonly ComponentName[],
  ) {
    this.#world = world;
    this.#entities = entities;
    this.#count = count;
    this.#steps = steps;
    this.#visible = visible;
  }

  /** Adds a stage; what it requires must be visible here. */
  to<Requires extends Has, Produces extends ComponentName>(
    stage: Stage<Requires, Produces>,
  ): Pipe<Has | Produces, Known | Produces, Count> {
    const visible = this.#visible;
    this.#checkInput(stage);
    return this.#with<Has | Produces, Known | Produces>(
      { kind: 'stage', stage: stage as unknown as AnyStage },
      visible && [...visible, ...stage.produces],
    );
  }

  /** Narrows what the next stages see to one component. */
  select<Name extends Has>(name: Name): Pipe<Name, Known, Count> {
    return new Pipe<Name, Known, Count>(this.#world, this.#entities, this.#count, this.#steps, [
      name,
    ]);
  }

  /** Brings a component back that `select` had hidden. */
  use<Name extends Known>(name: Name): Pipe<Has | Name, Known, Count> {
    return new Pipe<Has | Name, Known, Count>(
      this.#world,
      this.#entities,
      this.#count,
      this.#steps,
      this.#visible && [...this.#visible, name],
    );
  }

  /** Runs a branch from here; what it makes is there for the stages that follow. */
  fork<BranchHas extends ComponentName, BranchKnown extends ComponentName>(
    branch: (pipe: Pipe<Has, Known, Count>) => Pipe<BranchHas, BranchKnown, Count>,
  ): Pipe<Has | BranchKnown, Known | BranchKnown, Count> {
    const start = new Pipe<Has, Known, Count>(
      this.#world,
      this.#entities,
      this.#count,
      [],
      this.#visible,
    );
    const grown = branch(start);
    return this.#with<Has | BranchKnown, Known | BranchKnown>(
      {
        kind: 'fork',
        branch: grown as unknown as Pipe<ComponentName, ComponentName, 'one' | 'many'>,
      },
      this.#visible && [...this.#visible, ...grown.#produced()],
    );
  }

  /**
   * Runs the pipe and gives the component of every entity.
   * @throws UsageError when, from plain JavaScript, a stage's input was never made
   * @throws AbortedError within one tile of the context's signal
   */
  async out<Name extends Known>(name: Name): Promise<Output<Count, Components[Name]>> {
    for (const entity of this.#entities) {
      if (!entity.has(name) && !this.#produced().includes(name)) {
        throw new UsageError(
          `pipe: expected a stage that makes ${name}, got ${this.#names().join(', ') || 'none'}`,
        );
      }
    }
    await this.#run();
    const results = this.#entities.map((entity) => entity.get(name));
    return (this.#count === 'one' ? results[0] : results) as Output<Count, Components[Name]>;
  }

  async #run(): Promise<void> {
    for (const step of this.#steps) {
      this.#world.checkAborted();
      if (step.kind === 'fork') await step.branch.#run();
      else await this.#runStage(step.stage);
    }
  }

  async #runStage(stage: AnyStage): Promise<void> {
    const { trace } = this.#world.context;
    // `to` has made sure that every entity carries what the stage requires.
    const entities = this.#entities as unknown as readonly Entity<ComponentName>[];
    if (trace === undefined) {
      await stage.run(entities, this.#world);
      return;
    }
    await trace.measure(
      stage.name,
      () => stage.run(entities, this.#world),
      (details) => ({
        entities: entities.length,
        inputs: this.#describe(stage.requires),
        outputs: this.#describe(stage.produces),
        details: { ...details, ...this.#entropy(stage) },
      }),
    );
  }

  #entropy(stage: AnyStage): Record<string, number> {
    if (!this.#world.context.trace?.entropy || !stage.produces.includes('Symbols')) return {};
    const bits = this.#entities.map((entity) =>
      this.#world.core.symbolsEntropyBits(entity.get('Symbols').values),
    );
    return { order0EntropyBytes: bits.reduce((sum, value) => sum + value / 8, 0) };
  }

  /** The tensors of the first entity stand for the batch. */
  #describe(names: readonly ComponentName[]): TracedTensor[] {
    const [entity] = this.#entities;
    if (entity === undefined) return [];
    return names.flatMap((name) =>
      tensorsOf(entity.get(name)).map((tensor) => traceTensor(name, tensor)),
    );
  }

  #with<NewHas extends ComponentName, NewKnown extends ComponentName>(
    step: Step,
    visible: readonly ComponentName[] | undefined,
  ): Pipe<NewHas, NewKnown, Count> {
    return new Pipe<NewHas, NewKnown, Count>(
      this.#world,
      this.#entities,
      this.#count,
      [...this.#steps, step],
      visible,
    );
  }

  #produced(): ComponentName[] {
    return this.#steps.flatMap((step) =>
      step.kind === 'stage' ? step.stage.produces : step.branch.#produced(),
    );
  }

  #names(): string[] {
    return this.#steps.flatMap((step) =>
      step.kind === 'stage' ? [step.stage.name] : step.branch.#names(),
    );
  }

  /** The compiler's check again, for callers without one. */
  #checkInput<Requires extends ComponentName>(stage: Stage<Requires, ComponentName>): void {
    const made = this.#produced();
    for (const name of stage.requires) {
      const there = this.#visible
        ? this.#visible.includes(name)
        : made.includes(name) || this.#entities.every((entity) => entity.has(name));
      if (!there) {
        throw new UsageError(
          `pipe: expected ${name} before stage ${stage.name}, got ${[...made, ...(this.#visible ?? [])].join(', ') || 'nothing made yet'}; add the stage that makes it (${MAKERS[name]})`,
        );
      }
    }
  }
}

/** The stage of ours that makes each component, for the message above. */
const MAKERS: Readonly<Record<ComponentName, string>> = {
  Rgb: 'world.spawnImage',
  ReconRgb: 'vaeDecode',
  BlurRgb: 'gaussianBlur',
  Latent: 'vaeEncode or unrotate',
  Rotated: 'rotate or waveletInverse',
  WaveletPyramid: 'waveletForward or dequantise',
  Symbols: 'quantise or entropyDecode',
  Bitstream: 'entropyEncode',
  Residual: 'residual',
};
