/**
 * A world holds the images that are worked on together: entities with components, and the arena their tensors
 * lie in. It is given its execution context once.
 * @module
 */
import { AbortedError, UsageError } from '../errors.js';
import { checkPlainPixels, type Pixels, type PlainPixels } from '../image/pixels.js';
import type { RowMargin } from '../image/tiles.js';
import type { Model, ModelTables } from '../models/registry.js';
import type { VaePool } from '../vae/pool.js';
import type { ProviderChoice } from '../vae/providers.js';

import type { Arena, TensorRef } from '../wasm/arena.js';
import type { Core } from '../wasm/core.js';
import type { ComponentName, RgbData } from './components.js';
import { Entity } from './entity.js';
import { Pipe } from './pipe.js';
import type { Slots } from './slots.js';
import type { Trace } from './trace.js';

/** What stages may use, given once. */
export interface ExecutionContext {
  readonly model: Model;
  readonly tables: ModelTables;
  /** The threads that run the model on work of so many pixels. */
  readonly vae: (pixels: number) => VaePool;
  /** What was asked for; `vae` gives the threads that it comes to. */
  readonly provider: ProviderChoice;
  /** Precision of the networks; fp32 is the one that files are defined by. */
  readonly precision: 'fp32';
  readonly threads: number;
  readonly maxMemoryBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly trace?: Trace | undefined;
  /** Called as tiles are done by the networks. */
  readonly onProgress?: ((tilesDone: number, tilesTotal: number) => void) | undefined;
  /** Shared by worlds that work on one picture: the tiles that they may have in flight together. */
  readonly tileSlots?: Slots | undefined;
}

export class World {
  readonly context: ExecutionContext;
  readonly core: Core;
  readonly #entities = new Set<Entity>();
  #nextId = 1;

  /** Worlds come from `codec.world()`, which plans the arena. */
  constructor(core: Core, context: ExecutionContext) {
    this.core = core;
    this.context = context;
  }

  get arena(): Arena {
    return this.core.arena;
  }

  /** An entity with no components. */
  newEntity(): Entity<never> {
    const entity = new Entity<never>(this.#nextId++);
    this.#entities.add(entity);
    return entity;
  }

  /**
   * Copies a picture, or a band of one, into the arena.
   * @param margin rows of `pixels` that belong to the bands beside it
   * @throws UsageError when the record does not hold together, UnsupportedError for alpha and 16 bits, LimitError when the arena is full
   */
  spawnImage(pixels: Pixels, margin?: RowMargin): Entity<'Rgb'> {
    checkPlainPixels('world', pixels);
    const tensor = this.arena.allocate('u8', [pixels.heightPx, pixels.widthPx, 3]);
    this.#write(pixels, tensor);
    return this.newEntity().add('Rgb', { pixels: tensor, margin });
  }

  /**
   * Copies pictures of equal size into one contiguous tensor; each entity's picture is a part of it.
   * @throws UsageError when sizes differ or there are none
   */
  spawnBatch(batch: readonly Pixels[]): Entity<'Rgb'>[] {
    const [first] = batch;
    if (first === undefined) throw new UsageError('world: expected at least one picture, got none');
    const plain = batch.map((pixels) => {
      checkPlainPixels('world', pixels);
      if (pixels.widthPx !== first.widthPx || pixels.heightPx !== first.heightPx) {
        throw new UsageError(
          `world: expected pictures of ${first.widthPx}x${first.heightPx}, got one of ${pixels.widthPx}x${pixels.heightPx}`,
        );
      }
      return pixels;
    });
    const all = this.arena.allocate('u8', [batch.length, first.heightPx, first.widthPx, 3]);
    return plain.map((pixels, index) => {
      const tensor = this.arena.item(all, index);
      this.#write(pixels, tensor);
      return this.newEntity().add('Rgb', { pixels: tensor });
    });
  }

  /** Entities that have all of these components, in the order they were made. */
  query<Name extends ComponentName>(...names: readonly Name[]): Entity<Name>[] {
    return [...this.#entities].filter((entity) =>
      entity.has(...names),
    ) as unknown as Entity<Name>[];
  }

  /**
   * Starts a pipe over one entity or over many; it knows the components that all of them carry now.
   * @throws UsageError when there is no entity
   */
  pipe<Has extends ComponentName>(entity: Entity<Has>): Pipe<Has, Has, 'one'>;
  pipe<Has extends ComponentName>(entities: readonly Entity<Has>[]): Pipe<Has, Has, 'many'>;
  pipe<Has extends ComponentName>(
    entities: Entity<Has> | readonly Entity<Has>[],
  ): Pipe<Has, Has, 'one' | 'many'> {
    const many = Array.isArray(entities);
    const list = (many ? entities : [entities]) as readonly Entity[];
    const [first, ...others] = list;
    if (!list.every((entity) => entity instanceof Entity) || first === undefined) {
      throw new UsageError('pipe: expected at least one entity, got none');
    }
    const known = first.names.filter((name) => others.every((other) => other.has(name)));
    const count = many ? 'many' : 'one';
    return new Pipe({ world: this, entities: list, count, steps: [], known, visible: known });
  }

  /** A picture out of the arena, copied; as one channel where `grey` asks for it. */
  readPixels({ pixels }: RgbData, grey = false): Pixels {
    const [heightPx = 0, widthPx = 0] = pixels.shape;
    const rgb = this.arena.view(pixels);
    if (!grey) return { widthPx, heightPx, channels: 3, data: rgb.slice() };
    const data = new Uint8Array(widthPx * heightPx);
    for (let i = 0; i < data.length; i++) {
      // BT.601 luma in 1/256: the network may have tinted what was grey.
      data[i] =
        (77 * (rgb[3 * i] ?? 0) + 150 * (rgb[3 * i + 1] ?? 0) + 29 * (rgb[3 * i + 2] ?? 0) + 128) >>
        8;
    }
    return { widthPx, heightPx, channels: 1, data };
  }

  /** Drops all entities and makes every tensor reference stale. */
  clear(): void {
    this.#entities.clear();
    this.arena.clear();
  }

  /** @throws AbortedError when the context's signal has fired */
  checkAborted(): void {
    if (this.context.signal?.aborted) throw new AbortedError();
  }

  #write({ channels, data }: PlainPixels, tensor: TensorRef<'u8'>): void {
    const rgb = this.arena.view(tensor);
    if (channels === 3) {
      rgb.set(data);
      return;
    }
    for (let i = 0; i < data.length; i++) rgb.fill(data[i] ?? 0, 3 * i, 3 * i + 3);
  }
}
