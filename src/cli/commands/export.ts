import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { defineCommand } from 'citty'
import type { Export } from '../../features/export/export.ts'
import { systemReason } from '../../lib/error-reasons.ts'
import { flag, option } from '../arguments.ts'
import { type CommandContext, CommandError, ExitCode, UsageError } from '../context.ts'
import { exitsOfLongWork } from '../exit-codes.ts'
import { interruptible } from '../interruptible.ts'
import { openExport } from '../move-users.ts'
import { startProgress } from '../progress.ts'
import { readSettings, settingsArgs } from '../settings.ts'

const exportArgs = {
  ...settingsArgs,
  to: option('FILE', 'The new file, which only its owner can read; without it, the lines are printed'),
  'with-password-hashes': flag('Write the password hashes too, so that an import keeps the passwords'),
}

export const exportCommand = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'export',
      description: 'Write all users as JSON lines, as they are at this moment, also while a server runs',
      examples: ['export --to users.jsonl', 'export --to users.jsonl --with-password-hashes'],
      exits: exitsOfLongWork,
    },
    args: exportArgs,
    async run({ args }) {
      const withPasswordHashes = args['with-password-hashes'] === true
      if (args.to === '') throw new UsageError('--to needs the name of a file')
      if (withPasswordHashes && args.to === undefined && context.printsToTerminal())
        throw new UsageError('Password hashes are not shown on a terminal: name a file with --to')
      const service = await openExport(readSettings(context, args), { clock: context.clock })
      try {
        if (args.to === undefined) await printUsers(context, service, withPasswordHashes)
        else await writeUsers(context, service, { path: args.to, withPasswordHashes })
      } finally {
        await service.close()
      }
    },
  })

async function printUsers(context: CommandContext, service: Export, withPasswordHashes: boolean): Promise<void> {
  const write = async (lines: string) => {
    context.print(lines)
    // A slow reader would otherwise let all users wait in memory. After a failed write, the process says why it ends.
    if ((await context.delivered()) !== undefined) throw new ExitCode(1)
  }
  await service.perform({ withPasswordHashes, write, onProgress: () => {} })
}

async function writeUsers(
  context: CommandContext,
  service: Export,
  { path, withPasswordHashes }: { path: string; withPasswordHashes: boolean },
): Promise<void> {
  const file = openNew(path)
  let progress: ReturnType<typeof startProgress> | undefined
  try {
    const users = await interruptible(
      context,
      (pause) =>
        service.perform({
          withPasswordHashes,
          write: (lines) => writeAll(file, path, lines),
          onProgress(done, total) {
            progress ??= startProgress(context, { verb: 'Exported', units: 'users', total })
            progress.report(done)
            return pause()
          },
        }),
      () => `${path} was incomplete and is deleted.`,
    )
    fsyncSync(file)
    progress?.end()
    context.print(`Exported ${users.toLocaleString('en')} users to ${path}.\n`)
    if (!withPasswordHashes) context.print('Without password hashes: --with-password-hashes writes them too.\n')
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    progress?.end()
    closeSync(file)
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    throw new CommandError(`${path} exists already, and is not overwritten`)
  }
}

function writeAll(file: number, path: string, lines: string): void {
  const bytes = Buffer.from(lines)
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
  } catch (error) {
    const { code } = error as { code?: string }
    throw new CommandError(`Cannot write ${path}: ${systemReason(code)} (${code})`, { cause: error })
  }
}
