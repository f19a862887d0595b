import type { Clock, EpochMs } from './clock.ts'
import { rfc3339 } from './clock.ts'
import { withoutValues } from './database-message.ts'
import { reasonOf } from './error-reasons.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * The fields of one log line, by name. A caller names each field, and never passes a whole request, row or error
 * message, which could contain secrets. A field that is undefined is left out.
 */
export type LogFields = Record<string, string | number | boolean | undefined>

export type Log = Record<Exclude<LogLevel, 'silent'>, (event: string, fields?: LogFields) => void>

export interface LogOptions {
  level: LogLevel
  format: 'json' | 'text'
  clock: Clock
  write: (line: string) => void
}

/**
 * Makes a structured log: JSON lines, or `text` for a person at a terminal. Each event is one line in both formats.
 * JSON escapes control characters, and `text` quotes every value that has control characters, so user input cannot
 * forge a line.
 */
export function createLog({ level, format, clock, write }: LogOptions): Log {
  const threshold = logLevels.indexOf(level)
  const render = format === 'json' ? jsonLine : textLine
  // The formatted time of the previous line is reused. Many lines have the same millisecond, and formatting a time
  // takes as long as the rest of a line.
  let now = Number.NaN
  let time = ''
  const timeText = (at: EpochMs) => {
    if (at !== now) {
      now = at
      time = rfc3339(at)
    }
    return time
  }
  const at = (name: LogLevel) =>
    logLevels.indexOf(name) < threshold
      ? () => {}
      : (event: string, fields: LogFields = {}) => write(render(timeText(clock.now()), name, event, fields))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** `time`, `level` and `event` are joined as text. Spreading the fields into a new object would take twice as long. */
function jsonLine(time: string, level: string, event: string, fields: LogFields): string {
  const members = JSON.stringify(fields).slice(1)
  return `{"time":"${time}","level":"${level}","event":"${event}"${members === '}' ? members : `,${members}`}\n`
}

function textLine(time: string, level: string, event: string, fields: LogFields): string {
  let line = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${event}`
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) line += ` ${name}=${plain(value)}`
  return `${line}\n`
}

const plain = (value: string | number | boolean): string =>
  typeof value === 'string' && !/^[\x21\x23-\x7e]+$/.test(value) ? JSON.stringify(value) : String(value)

/**
 * Returns the facts of an error that may be logged: the class, the codes and the stack frames of its root cause. For a
 * known code, `reason` says what is wrong and what to do. The message of a database error is included without its
 * values. Any other message is left out, because it may contain personal data or secrets.
 */
export function errorFields(error: unknown): LogFields {
  let root = error
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause !== undefined; depth++) root = root.cause
  if (!(root instanceof Error)) return { error: typeof root }
  const { code, errno } = root as { code?: unknown; errno?: unknown }
  return {
    error: root.name,
    error_code: code === undefined ? undefined : String(code),
    errno: errno === undefined ? undefined : String(errno),
    reason: reasonOf([code, errno]),
    error_message: isDatabaseError(root) ? withoutValues(root.message) : undefined,
    // The stack begins with the message, whose lines may look like frames. So the message is removed first.
    stack: root.stack
      ?.replace(root.message, () => '')
      .split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 8)
      .map((line) => line.trim())
      .join(' | '),
  }
}

const isDatabaseError = ({ name }: Error): boolean => name === 'PostgresError' || name === 'SQLiteError'
