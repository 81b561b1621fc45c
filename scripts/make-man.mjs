/**
 * Writes build/man/vaerans.1 from the commands themselves; `npm pack` does it before it packs.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProgram } from '#src/cli/program.js';
import { ROOT } from './setup/shell.mjs';

const EXIT_CODES = [
  [0, 'all done'],
  [1, 'a defect of vaerans'],
  [2, 'wrong usage'],
  [3, 'some inputs were passed over'],
  [4, 'some inputs failed'],
  [5, 'damaged input'],
  [6, 'a limit was passed; the message names the flag that raises it'],
  [7, 'a model is missing, or not the one of the file'],
  [8, 'the execution provider asked for cannot run'],
  [9, 'a file could not be read or written'],
  [130, 'ended by SIGINT'],
  [141, 'the reader of standard output went away'],
  [143, 'ended by SIGTERM'],
];

/** @param {string} text */
function escaped(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/**
 * @param {import('commander').Command} command
 * @param {string} path
 * @returns {string[]}
 */
function describe(command, path) {
  const values = command.registeredArguments.map((value) => `<${value.name()}>`).join(' ');
  return [
    `.SS ${escaped(`${path} ${values}`.trim())}`,
    escaped(command.description()),
    ...command.registeredArguments
      .filter(({ description }) => description !== '')
      .flatMap((value) => ['.TP', escaped(`<${value.name()}>`), escaped(value.description)]),
    ...command.options.flatMap((option) => [
      '.TP',
      `.B ${escaped(option.flags)}`,
      escaped(option.description + defaultOf(option)),
    ]),
    ...command.commands.flatMap((child) => describe(child, `${path} ${child.name()}`)),
  ];
}

/** @param {import('commander').Option} option */
function defaultOf({ defaultValue, defaultValueDescription }) {
  const text = defaultValueDescription ?? defaultValue;
  return text === undefined || text === '' ? '' : ` (default ${text})`;
}

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const program = makeProgram(() => {});
const page = [
  `.TH VAERANS 1 "" "vaerans ${version}" "User Commands"`,
  '.SH NAME',
  'vaerans \\- a neural image codec: pictures to small .vae files and back',
  '.SH SYNOPSIS',
  '.B vaerans',
  '.I command',
  '[\\fIoptions\\fR] \\fIfile\\fR...',
  '.SH COMMANDS',
  ...program.commands.flatMap((command) => describe(command, `vaerans ${command.name()}`)),
  '.SH EXIT STATUS',
  ...EXIT_CODES.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, escaped(String(meaning))]),
  '.SH ENVIRONMENT',
  '.TP',
  '.B VAERANS_CONFIG',
  'the configuration file; vaerans.toml in the current folder where not set',
  '.TP',
  '.B VAERANS_HOME',
  'where models are installed; ~/.vaerans where not set',
];
mkdirSync(join(ROOT, 'build', 'man'), { recursive: true });
writeFileSync(join(ROOT, 'build', 'man', 'vaerans.1'), `${page.join('\n')}\n`);
