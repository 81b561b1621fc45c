/**
 * `vaerans models ...`: the sub-commands and their flags.
 * @module
 */
import {
  MODEL_BENCH_DEFAULTS,
  PROFILE_DEFAULTS,
  SHRINK_DEFAULTS,
  TUNE_DEFAULTS,
  UsageError,
} from '../index.js';
import { parseNumber } from './flags.js';
import type { CheckFlags, ExportFlags, ImportFlags, PullFlags, TuneFlags } from './models.js';
import type { ModelBenchFlags, ProfileFlags, ShrinkFlags } from './models-cost.js';
import type { makeProgram } from './program.js';

/** Of commander, which one file alone imports. */
type Command = ReturnType<typeof makeProgram>;
type Option = Parameters<Command['addOption']>[0];
type MakeOption = (flags: string, description: string) => Option;

/** @param finish takes the exit code of the command that ran */
export function addModelCommands(
  program: Command,
  makeOption: MakeOption,
  finish: (exitCode: number) => void,
): void {
  const models = program
    .command('models')
    .description('import, tune, check and keep models of your own');

  json(models.command('import').description('make a model of safetensors, ONNX or a package'))
    .argument('<files...>', 'one or two files, or a folder as diffusers writes it')
    .requiredOption('--name <name>', 'what to call the model')
    .option('--licence <text>', 'terms of the weights')
    .option('-f, --force', 'replace a model of that name; it is kept as a version')
    .addOption(
      makeOption(
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
    .option('--tables-only', 'keep transform, steps and quality scale, as a trained model has them')
    .option('--as <name>', "install the result under this name (the model's own, the old one kept)")
    .addOption(
      makeOption('--crop <px>', 'side of the crops')
        .argParser((text) => parseNumber('--crop', text, 64, 4096, true))
        .default(TUNE_DEFAULTS.cropPx),
    )
    .addOption(
      makeOption('--steps <count>', "gradient steps in each of the fitter's three passes")
        .argParser((text) => parseNumber('--steps', text, 0, 100_000, true))
        .default(TUNE_DEFAULTS.steps),
    )
    .addOption(threads(makeOption))
    .action(async (model: string, flags: TuneFlags) => {
      const { tuneCommand } = await import('./models.js');
      finish(await tuneCommand(model, flags));
    });

  json(models.command('check').description('find out whether a model does what it says'))
    .argument('<model>', 'name or folder')
    .option('--images <folder>', 'pictures to send there and back')
    .option('--against <model>', 'another model or precision to compare with')
    .addOption(threads(makeOption))
    .action(async (model: string, flags: CheckFlags) => {
      const { checkCommand } = await import('./models.js');
      finish(await checkCommand(model, flags));
    });

  json(
    models.command('shrink').description('store the weights in fewer bits, if that costs little'),
  )
    .argument('<model>', 'name or folder')
    .requiredOption('--as <name>', 'what to call the smaller copy')
    .addOption(format(makeOption, 'fp16', ['int8', 'int4']))
    .addOption(format(makeOption, 'int8', ['fp16', 'int4']))
    .addOption(format(makeOption, 'int4', ['fp16', 'int8']))
    .option('--images <folder>', 'pictures to measure the loss on')
    .addOption(
      makeOption('--max-loss <dB>', 'most that PSNR there and back may fall')
        .argParser((text) => parseNumber('--max-loss', text, 0, 100))
        .default(SHRINK_DEFAULTS.maxLossDb),
    )
    .addOption(threads(makeOption))
    .option('-f, --force', 'replace a model of that name; it is kept as a version')
    .action(async (model: string, flags: ShrinkFlags) => {
      const { shrinkCommand } = await import('./models-cost.js');
      finish(await shrinkCommand(model, flags));
    });

  json(models.command('profile').description('tell what a model costs, layer by layer'))
    .argument('<model>', 'name or folder')
    .addOption(
      makeOption('--side <px>', 'side of the square that is run')
        .argParser((text) => parseNumber('--side', text, 64, 8192, true))
        .default(PROFILE_DEFAULTS.sidePx),
    )
    .addOption(threads(makeOption))
    .action(async (model: string, flags: ProfileFlags) => {
      const { profileCommand } = await import('./models-cost.js');
      finish(await profileCommand(model, flags));
    });

  json(models.command('bench').description('time a model by size, threads and batch'))
    .argument('<model>', 'name or folder')
    .addOption(
      list(makeOption, '--sides <px>', 'sides of squares, with commas between', 64, 8192).default(
        MODEL_BENCH_DEFAULTS.sidesPx,
        MODEL_BENCH_DEFAULTS.sidesPx.join(','),
      ),
    )
    .addOption(list(makeOption, '--threads <counts>', 'cores to keep busy (all)', 1, 1024))
    .addOption(
      list(makeOption, '--batches <counts>', 'squares in one run', 1, 64).default(
        MODEL_BENCH_DEFAULTS.batches,
        MODEL_BENCH_DEFAULTS.batches.join(','),
      ),
    )
    .addOption(
      makeOption('--runs <count>', 'timed runs of each')
        .argParser((text) => parseNumber('--runs', text, 1, 100_000, true))
        .default(MODEL_BENCH_DEFAULTS.runs),
    )
    .action(async (model: string, flags: ModelBenchFlags) => {
      const { modelBenchCommand } = await import('./models-cost.js');
      finish(await modelBenchCommand(model, flags));
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

function format(makeOption: MakeOption, name: string, others: readonly string[]): Option {
  return makeOption(`--${name}`, `weights in ${name}`).conflicts([...others]);
}

function list(
  makeOption: MakeOption,
  flags: string,
  description: string,
  min: number,
  max: number,
): Option {
  const [name = ''] = flags.split(' ');
  return makeOption(flags, description).argParser((value) =>
    value.split(',').map((part) => parseNumber(name, part, min, max, true)),
  );
}

function threads(makeOption: MakeOption): Option {
  return makeOption('--threads <count>', 'cores to keep busy (all)').argParser((text) =>
    parseNumber('--threads', text, 1, 1024, true),
  );
}

function json(command: Command): Command {
  return command.option('--json', 'one JSON object on standard output');
}
