import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testSecret } from '../support/app.ts'
import { type RunningBinary, startServer } from '../support/binary.ts'
import { type BuiltImage, buildImage } from '../support/dockerfile.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(120_000)

const file = join(import.meta.dir, '..', '..', 'Dockerfile')

// The test installs and compiles the project again, and needs root or user namespaces. Without a container engine the
// last stage is built in a folder; a container is a chroot with the image's user, working directory, environment and
// commands, and with /proc, which every container has.
describe('the image', () => {
  let image: BuiltImage
  let bases: string[]
  let keyward: RunningBinary

  beforeAll(async () => {
    ;({ image, bases } = await buildImage(file, scratchFolder('image'), {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: process.env.HOME ?? '/',
      ...registrySettings(),
    }))
    mkdirSync(join(image.root, 'proc'))
    keyward = await startServer(inContainer(image, [...image.entrypoint, ...image.cmd]), {
      env: {
        ...image.env,
        HOST: '127.0.0.1',
        PORT: '0',
        SECRET_KEY: testSecret,
        BCRYPT_COST: '10',
        SHUTDOWN_DELAY_SECONDS: '0',
      },
    })
  }, 120_000)

  afterAll(async () => {
    await keyward?.stop()
  })

  test('is built with the project’s version of Bun, and from scratch', () => {
    expect(bases).toEqual([`oven/bun:${Bun.version}`, 'scratch'])
  })

  test('contains one program, its libraries, and no shell', () => {
    const files = filesOf(image.root)
    const programs = files.filter((path) => (statSync(join(image.root, path)).mode & 0o111) !== 0 && !isLibrary(path))
    expect(programs).toEqual(['usr/local/bin/keyward'])
    expect(files.filter((path) => !isLibrary(path) && !programs.includes(path) && !path.startsWith('data/'))).toEqual([
      'etc/group',
      'etc/nsswitch.conf',
      'etc/passwd',
      'usr/local/share/doc/keyward/LICENSE',
    ])
    expect(files.filter(isLibrary).length).toBeGreaterThanOrEqual(2)
  })

  test('runs as an unprivileged user who owns nothing but the volume', () => {
    expect(image.user).toBe('65532:65532')
    expect(image.volumes).toEqual(['/data'])
    if (process.getuid?.() !== 0) return
    expect(statSync(`/proc/${keyward.pid}`).uid).toBe(65_532)
    for (const path of filesOf(image.root).filter((path) => !path.startsWith('data/')))
      expect(statSync(join(image.root, path)).uid).toBe(0)
    expect(statSync(join(image.root, 'data')).uid).toBe(65_532)
  })

  test('registers and logs in, with the database in the volume', async () => {
    const account = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }
    expect((await keyward.request('POST', '/register', { json: account })).status).toBe(201)
    const token = await keyward.request('POST', '/token', { form: { username: 'ada', password: account.password } })
    expect(token.status).toBe(200)
    const { access_token } = (await token.json()) as { access_token: string }
    expect((await keyward.request('GET', '/users/me', { token: access_token })).status).toBe(200)
    expect(readdirSync(join(image.root, 'data'))).toContain('keyward.db')
  })

  test('runs commands while its server runs', async () => {
    const account = ['--email', 'grace@example.com', '--username', 'grace', '--admin']
    const child = Bun.spawn(inContainer(image, ['keyward', 'users', 'create', ...account]), {
      // An engine sets PATH if the image does not.
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...image.env,
        SECRET_KEY: testSecret,
      },
      stdin: new Blob(['correct horse battery']),
      stdout: 'pipe',
      stderr: 'inherit',
    })
    expect([await child.stdout.text(), await child.exited]).toEqual([expect.stringMatching(/^Created .*\badmin/), 0])
    const token = await keyward.request('POST', '/token', {
      form: { username: 'grace', password: 'correct horse battery' },
    })
    expect(token.status).toBe(200)
  })

  test('reports its health by HEALTHCHECK', async () => {
    const { port } = new URL(keyward.url)
    const check = async (env: Record<string, string>) => {
      const child = Bun.spawn(inContainer(image, image.healthcheck), {
        env: { ...image.env, HOST: '127.0.0.1', SECRET_KEY: testSecret, ...env },
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'ignore',
      })
      return child.exited
    }
    expect(await check({ PORT: port })).toBe(0)
    expect(await check({ PORT: '1' })).toBe(1)
  })

  test('exits with 0 on SIGTERM as process 1', async () => {
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
  })
})

/** A command line that enters the image, in its working directory, by exec, so that signals reach the process. */
function inContainer({ root, user, workdir }: BuiltImage, command: string[]): string[] {
  const [uid, gid] = user.split(':')
  // Other users become root only in a user namespace of their own.
  const isRoot = process.getuid?.() === 0
  const enter = `mount --${isRoot ? 'bind' : 'rbind'} /proc "$1/proc" && exec unshare --root="$@"`
  return [
    'unshare',
    ...(isRoot ? [] : ['--map-root-user']),
    ...['--mount', 'sh', '-c', enter, 'sh', root, `--wd=${workdir}`],
    ...(isRoot ? [`--setuid=${uid}`, `--setgid=${gid}`] : []),
    ...command,
  ]
}

const isLibrary = (path: string): boolean => /\.so\.\d+$/.test(path)

const filesOf = (root: string): string[] =>
  [...new Bun.Glob('**/*').scanSync({ cwd: root, dot: true, onlyFiles: true })]
    .filter((path) => !path.startsWith('proc/'))
    .sort()

/** The mirror of packages that the environment names, if any. */
const registrySettings = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^(npm_config_|bun_config_|(https?|no)_proxy$)/i.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  )
