import type { DatabaseTarget } from '../lib/database-url.ts'

/**
 * Returns the path of the file with the `SECRET_KEY` of `--dev`. The file is beside the SQLite file, so that a person
 * moves or deletes both together. Without an SQLite file, it is in the working directory.
 */
export const devSecretPath = (database: DatabaseTarget): string =>
  database.dialect === 'sqlite' && database.path !== ':memory:' ? `${database.path}.secret` : './.keyward.secret'
