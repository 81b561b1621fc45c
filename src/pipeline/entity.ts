/**
 * One image or one tile of a world: components by name, and what was measured of it.
 * @module
 */
import { BackendError } from '../errors.js';
import {
  type ComponentName,
  type Components,
  checkComponent,
  checkSameSize,
} from './components.js';

/** Values that metrics and callers attach to an entity. */
export type Metadata = Map<string, number | string>;

/**
 * One image or one tile: components by name. `Has` is what the type system knows to be there; an entity that has
 * more may stand where less is asked for, so plain `Entity` is any entity. What a pipe has added since is known to
 * the compiler after `if (entity.has('Latent'))`, or from `world.query('Latent')`.
 */
export class Entity<in Has extends ComponentName = never> {
  readonly id: number;
  readonly metadata: Metadata = new Map();
  readonly #components = new Map<ComponentName, Components[ComponentName]>();
  /** Makes `Has` part of the type, so that entities with different components are not interchangeable. */
  declare readonly components: { readonly [Name in Has]: true };

  constructor(id: number) {
    this.id = id;
  }

  /** What is there now, in the order it was added. */
  get names(): ComponentName[] {
    return [...this.#components.keys()];
  }

  /**
   * Adds or replaces a component.
   * @throws BackendError or UsageError when the data does not fit the component, or is of a picture of another size
   */
  add<Name extends ComponentName>(name: Name, data: Components[Name]): Entity<Has | Name> {
    checkComponent(name, data);
    for (const [other, there] of this.#components) {
      if (other !== name) checkSameSize(name, data, other, there);
    }
    this.#components.set(name, data);
    return this as unknown as Entity<Has | Name>;
  }

  /** @throws BackendError when the entity has no such component */
  get<Name extends Has>(name: Name): Components[Name] {
    const data = this.#components.get(name);
    if (data === undefined) {
      throw new BackendError(
        `entity ${this.id}: expected a ${name}, got ${this.names.join(', ') || 'none'}`,
      );
    }
    return data as Components[Name];
  }

  /** Several components at once. @throws BackendError when one is missing */
  pick<Name extends Has>(...names: readonly Name[]): Pick<Components, Name> {
    const picked: Partial<Pick<Components, Name>> = {};
    for (const name of names) picked[name] = this.get(name);
    return picked as Pick<Components, Name>;
  }

  has<Name extends ComponentName>(...names: readonly Name[]): this is Entity<Has | Name> {
    return names.every((name) => this.#components.has(name));
  }

  /** Takes components away; their tensors stay in the arena until it is cleared. */
  remove<Name extends ComponentName>(...names: readonly Name[]): Entity<Exclude<Has, Name>> {
    for (const name of names) this.#components.delete(name);
    return this as unknown as Entity<Exclude<Has, Name>>;
  }
}
