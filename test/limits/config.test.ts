import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { limitNames, readLimitSetting } from '../../src/config/limits.ts'
import { rulesWith } from '../../src/features/limits/overrides.ts'
import { type RuleName, rules } from '../../src/features/limits/rules.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { testSecret } from '../support/app.ts'
import { runBinary } from '../support/binary.ts'
import { keyward } from '../support/cli.ts'
import { readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

describe('LIMITS', () => {
  const check = (LIMITS: string) => keyward(['config'], { databaseUrl: 'sqlite:///./x.db', env: { LIMITS } })

  test.each([
    ['login.acount=5/1m', 'there is no limit "login.acount"; there are login.device, '],
    ['login.account=5/1m,login.account=6/1m', 'the limit login.account is given twice'],
    ['login.account=5', 'got "login.account=5"'],
    ['login.account=0/1m', 'got "login.account=0/1m"'],
    ['login.account=5/0m', 'got "login.account=5/0m"'],
    ['login.account=5/1w', 'got "login.account=5/1w"'],
    ['login.account=', 'got "login.account="'],
    ['login.account=5/1m+', 'got "login.account=5/1m+"'],
    ['login.account=on', 'got "login.account=on"'],
    ['off', 'got "off"'],
    ['toString.x=off', 'toString'],
  ])('%s is refused', async (setting, message) => {
    const { code, err } = await check(setting)
    expect(code).toBe(1)
    expect(err).toContain('LIMITS')
    expect(err).toContain(message)
  })

  test('a wrong value stops the executable before it creates a database', async () => {
    const cwd = scratchFolder('limits')
    const env = {
      SECRET_KEY: testSecret,
      LIMITS: 'login.acount=5/1m, register.prefix=many',
      PORT: '0',
      HOST: '127.0.0.1',
    }
    const { exitCode, stderr } = await runBinary(['serve'], { cwd, env })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('register.prefix=many')
    const named = await runBinary(['serve'], { cwd, env: { ...env, LIMITS: 'login.acount=5/1m' } })
    expect(named.exitCode).toBe(1)
    expect(named.stderr).toContain('there is no limit "login.acount"')
    expect([...new Bun.Glob('**').scanSync({ cwd, dot: true })]).toEqual([])
  })

  test('replaces rules, accepts tiers in any order, and turns rules off', () => {
    expect(
      rulesWith(['login.account=100/1d+7/30s+20/2h', 'register.prefix=off'].map((text) => readLimitSetting(text)!)),
    ).toEqual({
      ...rules,
      'login.account': [
        { budget: 7, window: 30 * SECOND },
        { budget: 20, window: 2 * HOUR },
        { budget: 100, window: DAY },
      ],
      'register.prefix': [],
    })
  })
})

test('the guide lists every limit with its default', async () => {
  const guide = await readChapter('security')
  const unit = (window: number) =>
    window % DAY === 0 ? `${window / DAY}d` : window % HOUR === 0 ? `${window / HOUR}h` : `${window / MINUTE}m`
  for (const name of limitNames) {
    const tiers = rules[name].map(({ budget, window }) => `${budget}/${unit(window)}`).join('+')
    expect(guide).toContain(`| \`${name}\` | \`${tiers}\` |`)
  }
})

test('the limits of a name and of one network are at most half of those above them, see rules.ts', () => {
  const isHalf = (narrow: RuleName, wide: RuleName) => {
    for (const { budget, window } of rules[wide]) {
      const half = rules[narrow].find((tier) => tier.window === window)!
      expect(2 * half.budget).toBeLessThanOrEqual(budget)
    }
  }
  isHalf('login.name_prefix', 'login.account_prefix')
  isHalf('login.name', 'login.account')
  isHalf('login.account_prefix', 'login.account')
  isHalf('login.name_prefix', 'login.name')
})
