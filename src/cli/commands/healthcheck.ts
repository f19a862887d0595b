import { defineCommand } from 'citty'
import { getStatus } from '../../lib/http-get.ts'
import { printable } from '../../lib/printable.ts'
import { jsonFlag, option } from '../arguments.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { readSettings, type SettingsFlags, settingsArgs } from '../settings.ts'
import { printJson } from '../table.ts'

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 10_000

export const healthcheck = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'healthcheck',
      description: 'Check that the server on this machine is ready; exits with 0 or 1',
      examples: ['healthcheck', 'healthcheck --url http://127.0.0.1:8000/readyz'],
    },
    args: {
      json: jsonFlag,
      ...settingsArgs,
      url: option('URL', 'Check this address instead of /readyz on HOST and PORT'),
    },
    async run({ args }) {
      const url = args.url ?? ownUrl(context, args)
      if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new CommandError(`${url} is not an http address`)
      const answer = await getStatus(url, TIMEOUT)
      if (answer === undefined) throw new CommandError(`${url} does not answer`)
      const { status, body } = answer
      if (status !== 200) throw new CommandError(`${url} answers ${status}${sentenceOf(body)}`)
      if (args.json === true) return printJson(context, { url, status })
      context.print(`${url} answers 200\n`)
    },
  })

/**
 * Returns the URL of this machine's `/readyz`, from the settings. `dev` is true, because a health check needs no
 * SECRET_KEY.
 */
function ownUrl(context: CommandContext, flags: SettingsFlags): string {
  const { HOST, PORT } = readSettings(context, { ...flags, dev: true })
  if (PORT === 0) throw new CommandError('PORT=0 does not say where the server listens: set the address with --url')
  return `http://${loopback[HOST] ?? (HOST.includes(':') ? `[${HOST}]` : HOST)}:${PORT}/readyz`
}

/** The address of this machine for each `HOST` that means "all addresses". */
const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

/** Returns the `detail` of a problem document (RFC 9457), after a colon; empty when `body` has no `detail`. */
function sentenceOf(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    return typeof detail === 'string' ? `: ${printable(detail)}` : ''
  } catch {
    return ''
  }
}
