import { toManagedUserView } from '../../features/administration/schemas.ts'
import { roleNames, type User } from '../../features/users/users.ts'
import { printable } from '../../lib/printable.ts'
import type { CommandContext } from '../context.ts'
import { printJson } from '../table.ts'

export const stateOf = ({ isActive, invitedAt }: User): string =>
  !isActive ? 'inactive' : invitedAt === null ? 'active' : 'invited'

export const colourOf = (user: User) => (stateOf(user) === 'active' ? 'green' : 'yellow')

/** Prints what was done to a user: one sentence, or the user as JSON. */
export function printDone(context: CommandContext, done: string, user: User, json: boolean | undefined): void {
  const { id, username, email } = user
  if (json) printJson(context, toManagedUserView(user))
  else
    context.print(
      `${done} ${printable(username)} (id ${id}, ${printable(email)}, ${stateOf(user)}, ${roleNames(user).join(', ')})\n`,
    )
}
