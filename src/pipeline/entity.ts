/**
 * One image or one tile of a world: components by name, and what was measured of it.
 * @module
 */
import { BackendError } from '../errors.js';
import { type ComponentName, type Components, checkComponent } from './components.js';

/** Values that metrics and callers attach to an entity. */
export type Metadata = Map<string, number | string>;

/**
 * One image or one tile: components by name. `Has` is what the type system knows to be there; an entity that has
 * more may stand where less is asked for, so plain `Entity` is any entity.
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

  /**
   * Adds or replaces a component.
   * @throws BackendError or UsageError when the data does not fit the component
   */
  add<Name extends ComponentName>(name: Name, data: Components[Name]): Entity<Has | Name> {
    checkComponent(name, data);
    this.#components.set(name, data);
    return this as unknown as Entity<Has | Name>;
  }

  /** @throws BackendError when the entity has no such component */
  get<Name extends ComponentName>(name: Name): Components[Name] {
    const data = this.#components.get(name);
    if (data === undefined) {
      throw new BackendError(
        `entity ${this.id}: expected a ${name}, got ${[...this.#components.keys()].join(', ') || 'none'}`,
      );
    }
    return data as Components[Name];
  }

  has(...names: readonly ComponentName[]): boolean {
    return names.every((name) => this.#components.has(name));
  }

  remove(name: ComponentName): void {
    this.#components.delete(name);
  }
}
