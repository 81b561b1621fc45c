/**
 * `vaerans models ...`: the sub-commands and their flags.
 * @module
 */
import { type Command, Option } from 'commander';
import { TUNE_DEFAULTS, UsageError } from '../index.js';
import { parseNumber } from './flags.js';
import type { CheckFlags, ExportFlags, ImportFlags, PullFlags, TuneFlags } from './models.js';

/** @param finish takes the exit code of the command that ran */
export function addModelCommands(program: Command, finish: (exitCode: number) => void): void {
  const models = program
    .command('models')
    .description('import, tune, check and keep models of your own');

  json(models.command('import').description('make a model of safetensors, ONNX or a package'))
    .argument('<files...>', 'one or two files, or a folder as diffusers writes it')
    .requiredOption('--name <name>', 'what to call the model')
    .option('--licence <text>', 'terms of the weights')
    .option('-f, --force', 'replace a model of that name; it is kept as a version')
    .addOption(
      new Option(
        '--input-range <low,high>',
        'what black and white become, for ONNX (0,1)',
      ).argParser(parseRange),
    )
    .action(async (files: string[], flags: ImportFlags) => {
      const { importCommand } = await import('./models.js');
      finish(await importCommand(files, flags));
    });

  json(
    models.command('tune').description('fit transform, steps, tables and quality scale of a model'),
  )
    .argument('<model>', 'name or folder')
    .requiredOption('--images <folder>', 'pictures like those that will be coded')
    .option('--as <name>', "install the result under this name (the model's own, the old one kept)")
    .addOption(
      new Option('--crop <px>', 'side of the crops')
        .argParser((text) => parseNumber('--crop', text, 64, 4096, true))
        .default(TUNE_DEFAULTS.cropPx),
    )
    .addOption(
      new Option('--steps <count>', "gradient steps in each of the fitter's three passes")
        .argParser((text) => parseNumber('--steps', text, 0, 100_000, true))
        .default(TUNE_DEFAULTS.steps),
    )
    .addOption(threads())
    .action(async (model: string, flags: TuneFlags) => {
      const { tuneCommand } = await import('./models.js');
      finish(await tuneCommand(model, flags));
    });

  json(models.command('check').description('find out whether a model does what it says'))
    .argument('<model>', 'name or folder')
    .option('--images <folder>', 'pictures to send there and back')
    .option('--against <model>', 'another model or precision to compare with')
    .addOption(threads())
    .action(async (model: string, flags: CheckFlags) => {
      const { checkCommand } = await import('./models.js');
      finish(await checkCommand(model, flags));
    });

  json(models.command('export').description('put a model into one file, to be passed on'))
    .argument('<model>', 'name or folder')
    .requiredOption('-o, --output <file>', 'where to write the .tar')
    .option('-f, --force', 'overwrite it')
    .action(async (model: string, flags: ExportFlags) => {
      const { exportCommand } = await import('./models.js');
      finish(await exportCommand(model, flags));
    });

  json(models.command('pull').description('fetch an exported model and install it'))
    .argument('<url>', 'http or https')
    .requiredOption('--sha256 <hash>', 'of the file; nothing is used unless it is right')
    .option('--as <name>', 'install it under another name')
    .option('-f, --force', 'replace a model of that name; it is kept as a version')
    .option('--quiet', 'no progress')
    .action(async (url: string, flags: PullFlags) => {
      const { pullCommand } = await import('./models.js');
      finish(await pullCommand(url, flags));
    });

  json(models.command('list').description('name the models that are installed')).action(
    async (flags: JsonFlags) => {
      const { listCommand } = await import('./models.js');
      finish(await listCommand(flags));
    },
  );

  json(models.command('info').description('tell what a model says of itself'))
    .argument('<model>', 'name or folder')
    .action(async (model: string, flags: JsonFlags) => {
      const { modelInfoCommand } = await import('./models.js');
      finish(await modelInfoCommand(model, flags));
    });

  json(models.command('remove').description('remove a model and its kept versions'))
    .argument('<name>')
    .option('--version <id>', 'only the kept version with this id')
    .action(async (name: string, flags: JsonFlags & { readonly version?: string }) => {
      const { removeCommand } = await import('./models.js');
      finish(await removeCommand(name, flags));
    });
}

export interface JsonFlags {
  readonly json?: boolean;
}

function parseRange(value: string): readonly [number, number] {
  const [low = Number.NaN, high = Number.NaN, ...others] = value.split(',').map(Number);
  if (others.length > 0 || !Number.isFinite(low) || !Number.isFinite(high) || low === high) {
    throw new UsageError(`--input-range: expected two numbers such as -1,1, got '${value}'`);
  }
  return [low, high];
}

function threads(): Option {
  return new Option('--threads <count>', 'cores to keep busy (all)').argParser((text) =>
    parseNumber('--threads', text, 1, 1024, true),
  );
}

function json(command: Command): Command {
  return command.option('--json', 'one JSON object on standard output');
}
