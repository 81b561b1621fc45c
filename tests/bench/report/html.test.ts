import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Html, html, jsonScript } from '#src/bench/report/html.js';

it('a text never makes markup, in an element or in an attribute, and reads as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const { text: made } = html`<p title="${text}">${text}</p>`;
      const match = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/s.exec(made);
      const read = (escaped = '') =>
        escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
      expect([read(match?.[1]), read(match?.[2])]).toEqual([text, text]);
    }),
  );
});

it('lists, markup and numbers are put in, nothing for what is not there', () => {
  const items = [html`<li>${1}</li>`, html`<li>${'<'}</li>`, undefined, null, false as const];
  expect(html`<ul>${items}</ul>`).toEqual(new Html('<ul><li>1</li><li>&#60;</li></ul>'));
});

it('data in a script element ends neither it nor anything else, and reads as it was', () => {
  const value = { name: '</script><!--<script>', more: ['\u2028', '&amp;'] };
  const { text } = jsonScript('data', value);
  const content = text.slice(text.indexOf('>') + 1, text.lastIndexOf('<'));
  expect(content).not.toContain('<');
  expect(JSON.parse(content)).toEqual(value);
});
