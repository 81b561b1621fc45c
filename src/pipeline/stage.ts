/**
 * What a stage is: a name, the components it needs, the components it makes, and the work.
 * @module
 */
import { UsageError } from '../errors.js';
import { type ComponentName, type Components, checkComponentName } from './components.js';
import type { Entity } from './entity.js';
import type { World } from './world.js';

/** Numbers that a stage adds to its trace record, for example `inferenceMs`. */
export type StageDetails = Readonly<Record<string, number>>;

/**
 * One step of a pipe. `Requires` and `Produces` are component names, so that a pipe whose stage misses its input
 * does not compile. A stage that only measures produces nothing: `Stage<'Rgb', never>`.
 */
export interface Stage<Requires extends ComponentName, Produces extends ComponentName> {
  readonly name: string;
  readonly requires: readonly Requires[];
  readonly produces: readonly Produces[];
  /** Whether the entity has all that the stage needs; the pipe asks for every entity before it runs the stage. */
  canRun(entity: Entity): boolean;
  /** Does the work for all entities of the pipe; each gets what `produces` says. */
  run(
    entities: readonly Entity<Requires>[],
    world: World,
  ): Promise<StageDetails | undefined> | StageDetails | undefined;
}

/** Components by name: what a stage's work is handed, and what it hands back. */
export type ComponentsOf<Name extends ComponentName> = Readonly<Pick<Components, Name>>;

/** The definition of a stage whose work looks at one entity at a time. */
export interface EntityStage<Requires extends ComponentName, Produces extends ComponentName> {
  readonly name: string;
  readonly requires: readonly Requires[];
  readonly produces: readonly Produces[];
  /**
   * Makes the components for one entity; tensors come from `world.arena` and stay until it is cleared. A measure
   * returns `{}` and writes `entity.metadata`.
   */
  transform(
    inputs: ComponentsOf<Requires>,
    world: World,
    entity: Entity<Requires>,
  ): ComponentsOf<Produces> | Promise<ComponentsOf<Produces>>;
}

/**
 * Makes a stage of a function from some components of an entity to others.
 * @throws UsageError when, from plain JavaScript, it names no components of ours
 */
export function defineStage<Requires extends ComponentName, Produces extends ComponentName>(
  definition: EntityStage<Requires, Produces>,
): Stage<Requires, Produces> {
  const { name, requires, produces } = definition;
  if (![requires, produces].every(Array.isArray)) {
    throw new UsageError(`${name}: expected requires and produces to be lists of components`);
  }
  for (const component of [...requires, ...produces]) checkComponentName(name, component);
  return {
    name,
    requires,
    produces,
    canRun: (entity) => entity.has(...requires),
    async run(entities, world) {
      for (const entity of entities) {
        world.checkAborted();
        const inputs = entity.pick(...requires);
        const made = await definition.transform(inputs, world, entity);
        for (const component of produces) {
          if (made?.[component] === undefined) {
            throw new UsageError(`${name}: expected transform to return ${component}, got none`);
          }
          entity.add(component, made[component]);
        }
      }
      return undefined;
    },
  };
}
