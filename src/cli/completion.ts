/**
 * `vaerans completion <shell>`: a script that completes commands, flags and the values of flags, made of the commands
 * themselves.
 * @module
 */
import { EXIT } from './exit.js';
import type { makeProgram } from './program.js';
import { printLines } from './streams.js';

/** Of commander, which one file alone imports. */
type Command = ReturnType<typeof makeProgram>;
type Option = Command['options'][number];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** @returns the exit code */
export async function completionCommand(program: Command, shell: Shell): Promise<number> {
  const make = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  await printLines(make(program));
  return EXIT.ok;
}

/** A path such as `models import`, and what may follow it. */
interface Place {
  readonly path: string;
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
}

function placesOf(command: Command, path = ''): Place[] {
  const here = { path, commands: command.commands, options: command.options };
  const below = command.commands.flatMap((child) =>
    placesOf(child, `${path} ${child.name()}`.trim()),
  );
  return [here, ...below];
}

function flagsOf({ options }: Place): string[] {
  return options.flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined));
}

function bashScript(program: Command): string {
  const places = placesOf(program);
  const words = places.map(
    (place) =>
      `    '${place.path}') words='${[...place.commands.map((command) => command.name()), ...flagsOf(place)].join(' ')}' ;;`,
  );
  const values = places.flatMap((place) =>
    place.options.flatMap((option) =>
      option.argChoices === undefined
        ? []
        : [option.short, option.long]
            .filter((flag) => flag !== undefined)
            .map(
              (flag) => `    '${place.path} ${flag}') values='${option.argChoices?.join(' ')}' ;;`,
            ),
    ),
  );
  const names = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# bash completion of vaerans: source <(vaerans completion bash)
_vaerans() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' values='' next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case $next in
      ${names.join('|')}) path=$next ;;
    esac
  done
  case "$path $before" in
${values.join('\n')}
  esac
  case $path in
${words.join('\n')}
  esac
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$word"))
  elif [[ $word == -* || -z $path ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _vaerans vaerans`;
}

/** zsh runs bash's completions itself. */
function zshScript(program: Command): string {
  const note = '# zsh completion of vaerans: source <(vaerans completion zsh)';
  const [, ...lines] = bashScript(program).split('\n');
  return [note, 'autoload -U +X bashcompinit && bashcompinit', ...lines].join('\n');
}

function fishScript(program: Command): string {
  const lines = placesOf(program).flatMap(({ path, commands, options }) => {
    const names = path.split(' ').filter((name) => name !== '');
    const condition =
      names.length === 0
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    return [
      ...commands.map((command) =>
        line(condition, [`-a ${command.name()}`, `-d ${quoted(command.description())}`]),
      ),
      ...options.map((option) =>
        line(condition, [
          ...(option.short ? [`-s ${option.short.slice(1)}`] : []),
          ...(option.long ? [`-l ${option.long.slice(2)}`] : []),
          ...(option.argChoices ? [`-x -a ${quoted(option.argChoices.join(' '))}`] : []),
          ...(option.required && !option.argChoices ? ['-r'] : []),
          `-d ${quoted(option.description)}`,
        ]),
      ),
    ];
  });
  return ['# fish completion of vaerans: vaerans completion fish | source', ...lines].join('\n');
}

function line(condition: string, parts: readonly string[]): string {
  return `complete -c vaerans -n ${quoted(condition)} ${parts.join(' ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
