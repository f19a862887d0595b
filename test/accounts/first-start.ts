import { createTestApp } from '../support/app.ts'

/** A separate process that starts on a database, registers and logs in: `bun first-start.ts URL NAME`. */
const [databaseUrl = '', name = ''] = process.argv.slice(2)
const app = await createTestApp({ databaseUrl, seed: name })
const { grant } = await app.signUp(name)
process.stdout.write(grant.access_token)
await app.close()
