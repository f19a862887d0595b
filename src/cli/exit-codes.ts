/** Every exit code of a command, and when a command exits with it. The guide has this table. */
export const exitCodes: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'Failure; standard error has the reason',
  2: 'The command line is wrong, or `apply --check` found a difference; nothing was done',
  3: 'Nothing was done: PostgreSQL has its own program for it, and its command line was printed',
  4: 'Nothing was copied: the new database has rows already',
  130: 'Interrupted, with Ctrl-C or by a signal to stop; standard error says what was done',
}

/** The codes of every command. A command with others names all its codes in `meta.exits`. */
export const usualExits: readonly number[] = [0, 1, 2]

/** The codes of a command that asks for a password: Ctrl-C at the prompt. */
export const exitsOfPrompt: readonly number[] = [...usualExits, 130]

/** The codes of a command that a signal ends between two parts of its work. */
export const exitsOfLongWork: readonly number[] = [...usualExits, 130]

/** The codes of `keyward copy`. */
export const exitsOfCopy: readonly number[] = [...usualExits, 4, 130]

/** The codes of a command that PostgreSQL's own programs replace. */
export const exitsWithProgram: readonly number[] = [...usualExits, 3]
