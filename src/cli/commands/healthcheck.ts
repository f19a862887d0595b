import { defineCommand } from 'citty'
import { getStatus } from '../../lib/http-get.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

/** Milliseconds that a probe may take. */
const PATIENCE = 10_000

export const healthcheck = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'healthcheck', description: 'Check that the server on this machine is ready; exits with 0 or 1' },
    args: {
      ...settingsArgs,
      url: { type: 'string', description: 'Check this address instead of /readyz on HOST and PORT', valueHint: 'URL' },
    },
    async run({ args }) {
      const url = args.url ?? ownUrl(context, args)
      if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new CommandError(`${url} is not an http address`)
      const answer = await getStatus(url, PATIENCE)
      if (answer === undefined) throw new CommandError(`${url} does not answer`)
      const { status, body } = answer
      if (status !== 200) throw new CommandError(`${url} answers ${status}${sentenceOf(body)}`)
      context.print(`${url} answers 200\n`)
    },
  })

/** From the settings of the server on this machine, without its secrets: `--dev` needs none. */
function ownUrl(context: CommandContext, flags: { 'env-file'?: string }): string {
  const { HOST, PORT } = readSettings(context, { ...flags, dev: true })
  if (PORT === 0) throw new CommandError('with PORT=0 the port is unknown; name the address with --url')
  return `http://${loopback[HOST] ?? (HOST.includes(':') ? `[${HOST}]` : HOST)}:${PORT}/readyz`
}

/** A server on all addresses is asked on the loopback one. */
const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

/** The `detail` of a problem document (RFC 9457). */
function sentenceOf(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    return typeof detail === 'string' ? `: ${detail}` : ''
  } catch {
    return ''
  }
}
