/**
 * Wheel, drag and pinch on the stage, as what they ask of the viewer.
 * @module
 */

/** A place on the stage, in CSS pixels. */
export interface StagePoint {
  readonly x: number;
  readonly y: number;
}

/** What pointers may ask for. */
export interface PointerActions {
  /** Whether a press there takes hold of the split instead of the picture. */
  holdsSplit(at: StagePoint): boolean;
  /** @param x where on the stage the split is to stand, in CSS pixels */
  splitTo(x: number): void;
  moveBy(xPx: number, yPx: number): void;
  /** @param at stays where it is */
  zoomBy(factor: number, at: StagePoint): void;
  /** Told wherever the pointer goes, and when it is gone. */
  pointAt(at: StagePoint | undefined): void;
}

/** One pointer moves the picture or the split, two zoom, as does the wheel of a viewer that was turned to. */
export function listenToPointers(stage: HTMLElement, actions: PointerActions): void {
  const pointOf = (event: MouseEvent): StagePoint => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  stage.addEventListener(
    'wheel',
    (event) => {
      // The page scrolls past the viewer unless it was turned to.
      if (!event.ctrlKey && document.activeElement !== stage) return;
      event.preventDefault();
      actions.zoomBy(2 ** (-event.deltaY / 240), pointOf(event));
    },
    { passive: false },
  );
  const held = new Map<number, StagePoint>();
  let movesSplit = false;
  stage.addEventListener('pointerdown', (event) => {
    const point = pointOf(event);
    movesSplit = actions.holdsSplit(point);
    held.set(event.pointerId, point);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const point = pointOf(event);
    actions.pointAt(point);
    const before = held.get(event.pointerId);
    if (before === undefined) return;
    held.set(event.pointerId, point);
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      const apart = (from: StagePoint) =>
        Math.max(1, Math.hypot(from.x - other.x, from.y - other.y));
      const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 };
      actions.zoomBy(apart(point) / apart(before), middle);
    } else if (movesSplit) {
      actions.splitTo(point.x);
    } else {
      actions.moveBy(before.x - point.x, before.y - point.y);
    }
  });
  const release = (event: PointerEvent) => held.delete(event.pointerId);
  stage.addEventListener('pointerup', release);
  stage.addEventListener('pointercancel', release);
  stage.addEventListener('pointerleave', () => actions.pointAt(undefined));
}
