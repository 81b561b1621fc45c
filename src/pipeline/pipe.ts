/**
 * The schedule: which stages run, in which order, on which entities. A pipe is a description until `out` is
 * awaited; every method returns a new one. `Has` is what the next stage can see, `Known` all that entities carry by
 * then.
 * @module
 */
import { UsageError } from '../errors.js';
import {
  COMPONENT_MAKERS,
  type ComponentName,
  type Components,
  checkComponentName,
  tensorsOf,
} from './components.js';
import type { Entity } from './entity.js';
import type { Stage } from './stage.js';
import { type TracedTensor, traceTensor } from './trace.js';
import type { World } from './world.js';

type AnyStage = Stage<ComponentName, ComponentName>;

type Step =
  | { readonly kind: 'stage'; readonly stage: AnyStage }
  | { readonly kind: 'fork'; readonly steps: readonly Step[] };

/** One record for a pipe over one entity, a list in their order for a pipe over many. */
export type Output<Count extends 'one' | 'many', T> = Count extends 'one' ? T : T[];

/** What a pipe is at one point of its description; the names are the types' `Known` and `Has` for plain JavaScript. */
interface PipeState<Count extends 'one' | 'many'> {
  readonly world: World;
  readonly entities: readonly Entity[];
  readonly count: Count;
  readonly steps: readonly Step[];
  readonly known: readonly ComponentName[];
  readonly visible: readonly ComponentName[];
}

export class Pipe<
  Has extends ComponentName,
  Known extends ComponentName,
  Count extends 'one' | 'many',
> {
  readonly #state: PipeState<Count>;

  /** Use `world.pipe`. */
  constructor(state: PipeState<Count>) {
    this.#state = state;
  }

  /**
   * Adds a stage; what it requires must be visible here.
   * @throws UsageError when, from plain JavaScript, it is not; the message names the stage that makes it
   */
  to<Requires extends Has, Produces extends ComponentName>(
    stage: Stage<Requires, Produces>,
  ): Pipe<Has | Produces, Known | Produces, Count> {
    if (typeof stage !== 'object' || !Array.isArray(stage?.requires)) {
      throw new UsageError(
        `pipe: expected a stage as vaeEncode() returns it, got a ${typeof stage}`,
      );
    }
    for (const name of stage.requires) this.#checkVisible(name, `before stage ${stage.name}`);
    return this.#with<Has | Produces, Known | Produces>(
      { kind: 'stage', stage: stage as unknown as AnyStage },
      stage.produces,
    );
  }

  /**
   * Narrows what the next stages see to one component.
   * @throws UsageError when it is not visible here
   */
  select<Name extends Has>(name: Name): Pipe<Name, Known, Count> {
    this.#checkVisible(name, 'to select');
    return new Pipe<Name, Known, Count>({ ...this.#state, visible: [name] });
  }

  /**
   * Brings a component back that `select` had hidden.
   * @throws UsageError when nothing has made it so far
   */
  use<Name extends Known>(name: Name): Pipe<Has | Name, Known, Count> {
    this.#checkKnown(name, 'to use');
    const visible = [...this.#state.visible, name];
    return new Pipe<Has | Name, Known, Count>({ ...this.#state, visible });
  }

  /**
   * Runs a branch from here; what it makes is there for the stages that follow, what it selects is its own affair.
   * @throws UsageError when `branch` returns anything but the pipe that it was given, with stages added
   */
  fork<BranchHas extends ComponentName, BranchKnown extends ComponentName>(
    branch: (pipe: Pipe<Has, Known, Count>) => Pipe<BranchHas, BranchKnown, Count>,
  ): Pipe<Has | BranchKnown, Known | BranchKnown, Count> {
    const grown: unknown = branch(new Pipe<Has, Known, Count>({ ...this.#state, steps: [] }));
    if (!(grown instanceof Pipe)) {
      throw new UsageError(`pipe: expected a fork to return its pipe, got ${typeof grown}`);
    }
    const { steps, known } = grown.#state;
    return this.#with<Has | BranchKnown, Known | BranchKnown>({ kind: 'fork', steps }, known);
  }

  /**
   * Runs the pipe and gives the component of every entity. Awaited twice, it runs twice.
   * @throws UsageError when, from plain JavaScript, nothing makes the component, or an entity lost one meanwhile
   * @throws AbortedError within one tile of the context's signal
   */
  async out<Name extends Known>(name: Name): Promise<Output<Count, Components[Name]>> {
    this.#checkKnown(name, 'at the end');
    const { steps, count } = this.#state;
    await this.#run(steps);
    const results = this.#entities<Name>().map((entity) => entity.get(name));
    return (count === 'one' ? results[0] : results) as Output<Count, Components[Name]>;
  }

  async #run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#state.world.checkAborted();
      if (step.kind === 'fork') await this.#run(step.steps);
      else await this.#runStage(step.stage);
    }
  }

  async #runStage(stage: AnyStage): Promise<void> {
    const { world } = this.#state;
    const entities = this.#entities<ComponentName>();
    const unfit = entities.find((entity) => !stage.canRun(entity));
    if (unfit !== undefined) {
      throw new UsageError(
        `${stage.name}: expected ${stage.requires.join(' and ')}, got entity ${unfit.id} with ${unfit.names.join(', ') || 'nothing'}`,
      );
    }
    const { trace } = world.context;
    if (trace === undefined) {
      await stage.run(entities, world);
      return;
    }
    await trace.measure(
      stage.name,
      () => stage.run(entities, world),
      (details) => ({
        entities: entities.length,
        inputs: this.#describe(stage.requires),
        outputs: this.#describe(stage.produces),
        details: { ...details, ...this.#entropy(stage) },
      }),
    );
  }

  #entropy(stage: AnyStage): Record<string, number> {
    const { core, context } = this.#state.world;
    if (!context.trace?.entropy || !stage.produces.includes('Symbols')) return {};
    const bits = this.#entities<'Symbols'>()
      .flatMap((entity) => entity.get('Symbols').grids)
      .map((grid) => core.symbolsEntropyBits(grid));
    return { order0EntropyBytes: bits.reduce((sum, value) => sum + value / 8, 0) };
  }

  /** The tensors of the first entity stand for the batch. */
  #describe(names: readonly ComponentName[]): TracedTensor[] {
    const [entity] = this.#entities<ComponentName>();
    if (entity === undefined) return [];
    return names.flatMap((name) =>
      tensorsOf(entity.get(name)).map((tensor) => traceTensor(name, tensor)),
    );
  }

  #with<NewHas extends ComponentName, NewKnown extends ComponentName>(
    step: Step,
    made: readonly ComponentName[],
  ): Pipe<NewHas, NewKnown, Count> {
    const { steps, known, visible } = this.#state;
    return new Pipe<NewHas, NewKnown, Count>({
      ...this.#state,
      steps: [...steps, step],
      known: [...known, ...made],
      visible: [...visible, ...made],
    });
  }

  /** The entities as what the description has made of them by the time a step runs. */
  #entities<Name extends ComponentName>(): readonly Entity<Name>[] {
    return this.#state.entities as unknown as readonly Entity<Name>[];
  }

  #checkVisible(name: ComponentName, where: string): void {
    this.#checkKnown(name, where);
    if (!this.#state.visible.includes(name)) {
      throw new UsageError(
        `pipe: expected ${name} ${where}, got it hidden by a select; bring it back with use('${name}')`,
      );
    }
  }

  #checkKnown(name: ComponentName, where: string): void {
    const { known } = this.#state;
    if (known.includes(name)) return;
    const got = [...new Set(known)].join(', ') || 'nothing';
    checkComponentName('pipe', name);
    throw new UsageError(
      `pipe: expected ${name} ${where}, got ${got}; ${name} comes from ${COMPONENT_MAKERS[name]}`,
    );
  }
}
