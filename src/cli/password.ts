import { option } from './arguments.ts'
import { type CommandContext, UsageError } from './context.ts'

/** The option of commands that need a password. A password is never an argument, because other users can see those. */
export const passwordArgs = {
  'password-env': option('NAME', 'Read the password from this environment variable, without a prompt'),
}

/**
 * Reads a new password: from the named environment variable, from a prompt, or from standard input.
 * @throws UsageError when the variable is not set
 */
export async function readPassword(
  { env, readSecret }: CommandContext,
  prompt: string,
  { 'password-env': name }: { 'password-env'?: string | undefined },
): Promise<string> {
  if (name === undefined) return readSecret(prompt)
  const password = env[name]
  if (password === undefined) throw new UsageError('--password-env names a variable that is not set')
  return password
}
