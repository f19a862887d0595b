import type { DatabaseTarget } from '../lib/database-url.ts'

/**
 * Returns the path of the file in which `--dev` keeps its SECRET_KEY. The file is beside an SQLite database, so that
 * both are moved and deleted together. Otherwise the file is in the working directory.
 */
export const devSecretPath = (database: DatabaseTarget): string =>
  database.dialect === 'sqlite' && database.path !== ':memory:' ? `${database.path}.secret` : './.keyward.secret'
