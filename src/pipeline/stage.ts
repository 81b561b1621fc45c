/**
 * What a stage is: a name, the component it needs, the component it makes, and the work.
 * @module
 */
import type { ComponentName, Components } from './components.js';
import type { Entity } from './entity.js';
import type { World } from './world.js';

/** Numbers that a stage adds to its trace record, for example `inferenceMs`. */
export type StageDetails = Readonly<Record<string, number>>;

/**
 * One step of a pipe. `Requires` and `Produces` are component names, so that a pipe whose stage misses its input
 * does not compile.
 */
export interface Stage<Requires extends ComponentName, Produces extends ComponentName> {
  readonly name: string;
  readonly requires: readonly Requires[];
  readonly produces: readonly Produces[];
  /** Whether the entity has all that the stage needs. */
  canRun(entity: Entity): boolean;
  /** Does the work for all entities of the pipe; each gets what `produces` says. */
  run(
    entities: readonly Entity<Requires>[],
    world: World,
  ): Promise<StageDetails | undefined> | StageDetails | undefined;
}

/** The definition of a stage whose work looks at one entity at a time. */
export interface EntityStage<Requires extends ComponentName, Produces extends ComponentName> {
  readonly name: string;
  readonly requires: Requires;
  readonly produces: Produces;
  /** Makes the component for one entity; tensors come from `world.arena` and stay until it is cleared. */
  transform(
    input: Components[Requires],
    world: World,
    entity: Entity<Requires>,
  ): Components[Produces] | Promise<Components[Produces]>;
}

/** Makes a stage of a function from one component to the next. */
export function defineStage<Requires extends ComponentName, Produces extends ComponentName>(
  definition: EntityStage<Requires, Produces>,
): Stage<Requires, Produces> {
  const { name, requires, produces, transform } = definition;
  return {
    name,
    requires: [requires],
    produces: [produces],
    canRun: (entity) => entity.has(requires),
    async run(entities, world) {
      for (const entity of entities) {
        world.checkAborted();
        entity.add(produces, await transform(entity.get(requires), world, entity));
      }
      return undefined;
    },
  };
}
