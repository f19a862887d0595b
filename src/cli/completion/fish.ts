import type { Completion, Entry, ValueKind } from './entries.ts'

/** Returns the completion script for fish. */
export const fishCompletion = (entries: readonly Entry[]): string =>
  [
    '# Completion of keyward for fish: save it as ~/.config/fish/completions/keyward.fish',
    '',
    `set -g __keyward_commands ${entries.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join(' ')}`,
    '',
    FUNCTION,
    'complete -c keyward -f',
    ...entries.flatMap(linesOf),
    '',
  ].join('\n')

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function linesOf({ path, commands, options, arguments: positionals }: Entry): string[] {
  const start = `complete -c keyward -n ${quote(`__keyward_at ${quote(path)}`)}`
  return [
    ...commands.map(({ name, description }) => `${start} -a ${name} -d ${quote(description)}`),
    ...options.map((option) => `${start} ${optionWords(option)}`),
    ...positionals.flatMap((value) => {
      const words = valueWords(value)
      return words === '' ? [] : [`${start} ${words}`]
    }),
  ]
}

const optionWords = ({ name, description, value }: Completion): string =>
  ['-l', name.slice(2), '-d', quote(description), ...(value ? ['-r', valueWords(value) || '-f'] : [])].join(' ')

const valueWords = ({ isFile, values }: ValueKind): string =>
  isFile ? '-F' : values.length === 0 ? '' : `-f -a ${quote(values.join(' '))}`

/* No group has options and no command has commands, so the value of an option is never taken for a command. */
const FUNCTION = `# True when the words before the cursor name this command.
function __keyward_at
    set -l node
    for word in (commandline -opc)[2..-1]
        if contains -- (string join -- ' ' $node $word) $__keyward_commands
            set node (string join -- ' ' $node $word)
        end
    end
    test "$node" = "$argv[1]"
end
`
