/** The database and this executable do not fit together. `message` says why and what to do about it. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}
