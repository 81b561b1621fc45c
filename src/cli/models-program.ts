/**
 * `vaerans models ...`: the sub-commands and their flags.
 * @module
 */
import type { Command } from 'commander';
import type { ImportFlags } from './models.js';

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

function json(command: Command): Command {
  return command.option('--json', 'one JSON object on standard output');
}
