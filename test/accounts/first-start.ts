import { createTestApp } from '../support/app.ts'

/** A process of its own that starts on a database and logs a new account in: `bun first-start.ts URL NAME`. */
const [databaseUrl = '', name = ''] = process.argv.slice(2)
const app = await createTestApp({ databaseUrl, seed: name })
const { grant } = await app.signUp(name)
process.stdout.write(grant.access_token)
await app.close()
