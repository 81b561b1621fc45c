/**
 * `vaerans models ...`: the sub-commands and their flags.
 * @module
 */
import { type Command, Option } from 'commander';
import { TUNE_DEFAULTS } from '../index.js';
import { parseNumber } from './flags.js';
import type { ImportFlags, TuneFlags } from './models.js';

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

function threads(): Option {
  return new Option('--threads <count>', 'cores to keep busy (all)').argParser((text) =>
    parseNumber('--threads', text, 1, 1024, true),
  );
}

function json(command: Command): Command {
  return command.option('--json', 'one JSON object on standard output');
}
