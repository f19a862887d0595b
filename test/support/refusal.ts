import { expect } from 'bun:test'
import { catalogue, type ErrorCode } from '../../src/errors.ts'

/** The members of every refusal: a problem document of RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  errors?: { field: string; message: string }[]
  error?: string
  error_description?: string
}

const members = ['type', 'title', 'status', 'detail', 'code', 'errors', 'error', 'error_description']

/** Checks that a response is a correct refusal with `code`, and returns its problem document. */
export async function expectRefusal(
  response: Response,
  code: ErrorCode,
  status: number = catalogue[code][0],
): Promise<Problem> {
  const problem = (await response.clone().json()) as Problem
  expect([response.status, problem.code]).toEqual([status, code])
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(problem.status).toBe(status)
  expect(problem.type).toBe('about:blank')
  expect(problem.title).toMatch(/^[A-Z][A-Za-z ]+$/)
  expect(problem.detail).toBeString()
  for (const name of Object.keys(problem)) expect(members).toContain(name)
  if (status === 401) expect(response.headers.get('www-authenticate')).toStartWith('Bearer')
  if (status === 503) expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  expectCommonHeaders(response)
  return problem
}

/** The headers that every answer carries. */
export function expectCommonHeaders({ headers }: Response): void {
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
}
