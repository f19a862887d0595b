import { expect, test } from 'bun:test'
import { databaseReason, reasonOf, systemReason } from '../../src/lib/error-reasons.ts'
import { errorFields } from '../../src/lib/log.ts'

test('12.C3 the errors of the system have a cause and what to do', () => {
  for (const code of ['EROFS', 'EACCES', 'ENOSPC', 'EMFILE', 'EPERM', 'ENFILE', 'EDQUOT', 'EIO'])
    expect(systemReason(code)).toMatch(/^[a-z].+; .+/)
  expect(systemReason('EODD')).toBe('the system refuses it')
  expect(systemReason(undefined)).toBe('the system refuses it')
})

test('12.C3 a database error is explained by the driver code first, then by the SQLSTATE', () => {
  expect(databaseReason(['ERR_POSTGRES_SERVER_ERROR', '53100'])).toBe(
    'PostgreSQL at DATABASE_URL has no space on its disk; free space there (53100)',
  )
  expect(databaseReason(['EROFS'])).toBeUndefined()
  expect(reasonOf(['EROFS', -30])).toBe(systemReason('EROFS'))
  expect(reasonOf(['toString', 'constructor'])).toBeUndefined()
})

test('12.C3 a log line of an error has its reason, and not its message', () => {
  const cause = Object.assign(new Error('open /etc/of-a-user'), { code: 'EMFILE', errno: -24 })
  const fields = errorFields(new Error('wrapped', { cause }))
  expect(fields.reason).toBe(systemReason('EMFILE'))
  expect(JSON.stringify(fields)).not.toContain('of-a-user')
})
