/**
 * Hostile text for messages and notes.
 * @module
 */

/** What a terminal could take for an order is replaced, and what is long is cut. */
export function printable(text: string): string {
  return text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
}
