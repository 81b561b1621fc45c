/**
 * The commands and their flags. Every command's work is loaded when it is called, so that help and version are quick.
 * @module
 */
import { Argument, Command, Option } from 'commander';
import {
  BENCH_DEFAULTS,
  BENCH_PAGE_DEFAULTS,
  CODEC_DEFAULTS,
  CODEC_NAMES,
  COMPRESS_DEFAULTS,
  DEFAULT_MAX_PIXELS,
  DEFAULT_MAX_SIDE_PX,
  DEFAULT_TUNE,
  IMAGE_FORMATS,
  METRIC_NAMES,
  PROVIDERS,
  TUNES,
  UsageError,
} from '../index.js';
import { BATCH_DEFAULTS } from './batch.js';
import type { BenchFlags } from './bench.js';
import type { BenchPageFlags } from './bench-page.js';
import { SHELLS, type Shell } from './completion.js';
import type { CompressFlags } from './compress.js';
import type { DecompressFlags } from './decompress.js';
import {
  type CodecFlags,
  parseColour,
  parseFileSize,
  parseFraction,
  parseMemory,
  parseNumber,
  parseRegion,
  parseSettings,
  parseSpan,
  type ReportFlags,
} from './flags.js';
import type { MetricsFlags } from './metrics.js';
import { addModelCommands } from './models-program.js';
import type { TestFlags } from './test.js';

/** @param finish takes the exit code of the command that ran */
export function makeProgram(finish: (exitCode: number) => void): Command {
  const program = new Command('vaerans')
    .description('A neural image codec: pictures to small .vae files and back')
    .usage('[options] <command>')
    .argument('[command]')
    .option('-V, --version', 'name the versions of the program, format, core and model runtime')
    .option('--json', 'with --version: one JSON object on standard output')
    .allowExcessArguments()
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .hook('preSubcommand', (_, command) => {
      const [flag] = Object.keys(program.opts());
      if (flag !== undefined) {
        throw new UsageError(
          `usage: expected no flag before '${command.name()}', got --${flag}; see --help`,
        );
      }
    })
    .action(async (command: string | undefined, flags: RootFlags) => {
      if (command !== undefined) commandOf(program, command);
      if (!flags.version) program.help({ error: true });
      const { versionCommand } = await import('./version.js');
      finish(await versionCommand(flags.json ?? false));
    });

  reporting(codec(writing(subcommand(program, 'compress', 'make .vae files of pictures'))))
    .argument('[files...]', "IN, or IN OUT with OUT ending in .vae; '-' is a pipe")
    .addOption(
      aim('-q, --quality <1-100>', `how good (default: ${COMPRESS_DEFAULTS.quality})`).argParser(
        (text) => parseNumber('--quality', text, 1, 100),
      ),
    )
    .addOption(
      aim(
        '--target-size <bytes>',
        'largest file, such as 20k or 1.5M: the best below it',
      ).argParser((text) => parseFileSize('--target-size', text)),
    )
    .addOption(
      aim('--target-bpp <bits>', 'the same in bits per pixel').argParser((text) =>
        parseNumber('--target-bpp', text, 0.0001, 256),
      ),
    )
    .addOption(
      aim('--target-psnr <dB>', 'smallest file at least so good').argParser((text) =>
        parseNumber('--target-psnr', text, 1, 100),
      ),
    )
    .addOption(
      aim('--target-ssim <0-1>', 'the same by structural similarity').argParser((text) =>
        parseNumber('--target-ssim', text, 0, 1),
      ),
    )
    .addOption(aim('--lossless', 'every sample comes back as it is'))
    .addOption(
      // No default of commander's: it would go before what vaerans.toml says.
      new Option(
        '--tune <tune>',
        `what bits are spent on: least squared error, or what is seen (default: ${DEFAULT_TUNE})`,
      ).choices(TUNES),
    )
    .option('--alpha-quality <1-100>', 'levels of alpha (default: 100, every one)', (text) =>
      parseNumber('--alpha-quality', text, 1, 100),
    )
    .option('--rm', 'remove each input once its output is verified and was read back')
    .option('--effort <1-9>', `time for bytes (default: ${COMPRESS_DEFAULTS.effort})`, (text) =>
      parseNumber('--effort', text, 1, 9, true),
    )
    .option('--verify', 'decode what was made and compare it, before it is kept')
    .option('--strip', 'leave out colour profile, EXIF, XMP and texts')
    .option('--background <colour>', "colour to put under transparency, such as 'fff'", (text) =>
      parseColour('--background', text),
    )
    .action(async (files: string[], flags: CompressFlags) => {
      const { compressCommand } = await import('./compress.js');
      finish(await compressCommand(files, flags));
    });

  reporting(codec(writing(subcommand(program, 'decompress', 'make pictures of .vae files'))))
    .argument(
      '[files...]',
      "IN, or IN OUT with OUT ending in .png, .jpg or another kind of picture; '-' is a pipe",
    )
    .addOption(
      new Option('--format <format>', "image format, where OUT's name does not say it").choices(
        IMAGE_FORMATS,
      ),
    )
    .option('--allow-drift', 'take a provider that is a little off for files with a residual')
    .option('--allow-partial', 'take what is whole of a damaged file, hatch the rest, exit with 4')
    .option('--region <x,y,w,h>', 'only this part of the picture, in pixels', (text) =>
      parseRegion('--region', text),
    )
    .addOption(
      new Option('--scale <1/8>', 'a small preview that no network is run for')
        .argParser((text) => parseFraction('--scale', text))
        .conflicts(['region', 'allowPartial']),
    )
    .action(async (files: string[], flags: DecompressFlags) => {
      const { decompressCommand } = await import('./decompress.js');
      finish(await decompressCommand(files, flags));
    });

  const test = subcommand(program, 'test', 'decode .vae files to see whether they are whole');
  reporting(codec(listing(inFlight(test))))
    .argument('[files...]', "'-' is a pipe; of folders the .vae files in them")
    .option('-r, --recursive', 'take the files in folders of folders')
    .action(async (files: string[], flags: TestFlags) => {
      const { testCommand } = await import('./test.js');
      finish(await testCommand(files, flags));
    });

  subcommand(program, 'info', 'tell what .vae files say of themselves')
    .argument('<files...>', "'-' is a pipe")
    .option('--json', 'one JSON object a file on standard output')
    .action(async (files: string[], flags: Pick<ReportFlags, 'json'>) => {
      const { infoCommand } = await import('./info.js');
      finish(await infoCommand(files, { verbose: 0, ...flags }));
    });

  limiting(subcommand(program, 'metrics', 'measure how far a picture is from its original'))
    .argument('<original>', "a picture; '-' is a pipe")
    .argument('<other>', 'a picture of the same size')
    .addOption(metricOption())
    .option('--background <colour>', "colour to put under transparency, such as 'fff'", (text) =>
      parseColour('--background', text),
    )
    .option('--json', 'one JSON object on standard output')
    .action(async (original: string, other: string, flags: MetricsFlags) => {
      const { metricsCommand } = await import('./metrics.js');
      finish(await metricsCommand(original, other, flags));
    });

  codec(subcommand(program, 'bench', 'measure codecs over pictures: bytes, metrics, time'))
    .argument('<folders...>', 'folders of pictures, or pictures')
    .addOption(
      new Option('--codecs <list>', `codecs, with commas between: ${CODEC_NAMES.join(', ')}`)
        .argParser((text) => text.split(','))
        .default(BENCH_DEFAULTS.codecs, BENCH_DEFAULTS.codecs.join()),
    )
    .addOption(
      new Option(
        '-q, --qualities <list>',
        'qualities of ours, or CODEC=LIST of the dial of another; again for each codec',
      )
        .argParser(parseSettings)
        .default({}, "each codec's usual ones"),
    )
    .option('--targets <list>', 'bits per pixel that every codec is turned to instead', (text) =>
      text.split(',').map((target) => parseNumber('--targets', target, 0.001, 96)),
    )
    .addOption(metricOption())
    .option('--anchor <codec>', 'what BD-rates compare with (the first that is not ours)')
    .option('--bd-span <list>', 'least and most bits per pixel that BD-rates look at', parseSpan)
    .option('--effort <1-9>', 'of our codecs, as compress has it', (text) =>
      parseNumber('--effort', text, 1, 9, true),
    )
    .addOption(
      new Option('-j, --jobs <count>', 'pictures in flight at once; their times disturb each other')
        .argParser((text) => parseNumber('--jobs', text, 1, 64, true))
        .default(BENCH_DEFAULTS.jobs),
    )
    .option('-r, --recursive', 'look into the folders of folders')
    .option('--json [file]', 'write every row as JSON, to standard output without a file')
    .option('--csv <file>', 'write every row as comma-separated values')
    .option('--report <file>', 'write one HTML file with plots and a viewer')
    .addOption(
      new Option('--pictures <count>', 'pictures in the viewer of --report, worst first')
        .argParser((text) => parseNumber('--pictures', text, 0, 100, true))
        .default(BENCH_PAGE_DEFAULTS.pictures),
    )
    .option('--keep <folder>', 'keep coded files and decoded pictures')
    .option('--against <baseline>', 'fail where ours is worse than a baseline; see docs/bench.md')
    .option('--resume', 'take the rows that a run with this --json FILE has left')
    .option('-f, --force', 'overwrite files that exist')
    .option('--quiet', 'print nothing but errors')
    .addOption(verbosity('list every row, also when there are many'))
    .action(async (folders: string[], flags: BenchFlags) => {
      const { benchCommand } = await import('./bench.js');
      finish(await benchCommand(folders, flags));
    });

  subcommand(program, 'report', 'make one HTML file of what bench --json wrote')
    .argument('<results>', "JSON of a benchmark; '-' is a pipe")
    .requiredOption('-o, --output <file>', "where to write; '-' is a pipe")
    .addOption(
      new Option('--pictures <count>', 'pictures to look at in it, worst first')
        .argParser((text) => parseNumber('--pictures', text, 0, 100, true))
        .default(BENCH_PAGE_DEFAULTS.pictures),
    )
    .option('-f, --force', 'overwrite the file')
    .action(async (results: string, flags: BenchPageFlags) => {
      const { benchPageCommand } = await import('./bench-page.js');
      finish(await benchPageCommand(results, flags));
    });

  subcommand(program, 'doctor', 'say what really loads on this machine')
    .option('--model <model>', 'name or folder of the model to look at')
    .option('--json', 'one JSON object on standard output')
    .action(async (flags: CodecFlags & Pick<ReportFlags, 'json'>) => {
      const { doctorCommand } = await import('./doctor.js');
      finish(await doctorCommand({ verbose: 0, ...flags }));
    });

  subcommand(program, 'help', 'say how a command is called')
    .argument('[command...]')
    .action((names: string[]) => names.reduce(commandOf, program).outputHelp());

  subcommand(program, 'completion', 'print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { completionCommand } = await import('./completion.js');
      finish(await completionCommand(program, shell));
    });

  const makeOption = (flags: string, description: string) => new Option(flags, description);
  addModelCommands(program, makeOption, finish);

  return program;
}

/** Ways to say how good a file should be, of which a call takes one. */
const AIMS = ['quality', 'targetSize', 'targetBpp', 'targetPsnr', 'targetSsim', 'lossless'];

function aim(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.conflicts(AIMS.filter((name) => name !== option.attributeName()));
}

interface RootFlags {
  readonly version?: boolean;
  readonly json?: boolean;
}

/** @throws UsageError naming the commands that there are */
function commandOf(program: Command, name: string): Command {
  const found = program.commands.find((known) => known.name() === name);
  if (found !== undefined) return found;
  const names = program.commands.map((known) => known.name()).join(', ');
  throw new UsageError(`usage: expected a command (${names}), got '${name}'`);
}

/** Sub-commands take over how the program fails. */
function subcommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}

function listing(command: Command): Command {
  return command
    .option('--files-from <list>', "take inputs from a file or '-' too, one path a line")
    .addOption(new Option('-0, --null', 'end paths of --files-from with a zero byte'));
}

function inFlight(command: Command): Command {
  return command.addOption(
    new Option('-j, --jobs <count>', 'inputs in flight at once; each takes memory of its own')
      .argParser((text) => parseNumber('--jobs', text, 1, 64, true))
      .default(BATCH_DEFAULTS.jobs),
  );
}

function writing(command: Command): Command {
  return inFlight(listing(command))
    .option('-o, --output <file>', "where to write; '-' is a pipe")
    .option('--output-dir <folder>', 'where to write for several inputs, keeping their tree')
    .option('-r, --recursive', 'take the files in folders; with --output-dir')
    .option('-f, --force', 'overwrite outputs that exist')
    .addOption(
      new Option('--skip-existing', 'pass over inputs whose output exists').conflicts('force'),
    );
}

function codec(command: Command): Command {
  const running = command
    .option('--model <model>', 'name or folder of the model')
    .addOption(
      // No default of commander's: it would go before what vaerans.toml says.
      new Option(
        '--provider <provider>',
        `what runs the model (default: ${CODEC_DEFAULTS.provider})`,
      ).choices(['auto', ...PROVIDERS]),
    )
    .option('--threads <count>', 'cores to keep busy (all)', whole('--threads', 1024))
    .option('--deterministic', 'never let auto choose a GPU');
  return limiting(running);
}

const whole = (flag: string, max: number) => (text: string) =>
  parseNumber(flag, text, 1, max, true);

function limiting(command: Command): Command {
  return command
    .option(
      '--max-pixels <count>',
      `largest picture, in pixels (${DEFAULT_MAX_PIXELS})`,
      whole('--max-pixels', Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--max-side <px>',
      `largest width or height (${DEFAULT_MAX_SIDE_PX})`,
      whole('--max-side', 2 ** 32 - 1),
    )
    .option('--max-memory <bytes>', 'most memory of a call, such as 512M or 2G', (text) =>
      parseMemory('--max-memory', text),
    );
}

function reporting(command: Command): Command {
  return command
    .option('--json', 'one JSON object an input on standard output')
    .option('--quiet', 'print nothing but errors')
    .addOption(verbosity('tell what every stage took; twice: estimate entropies too'))
    .option('--trace <file>', "write the stages in Chrome's trace format");
}

function metricOption(): Option {
  return new Option(
    '--metric <list>',
    `metrics, with commas between: ${METRIC_NAMES.join(', ')}, or NAME=FILE.onnx`,
  )
    .argParser((text, before: readonly string[]) => [...before, ...text.split(',')])
    .default([], 'all of ours');
}

function verbosity(description: string): Option {
  return new Option('-v, --verbose', description)
    .argParser((_text, count: number) => count + 1)
    .default(0, '');
}
