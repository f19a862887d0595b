import { describe, expect, test } from 'bun:test'
import { appPerSuite } from '../support/hooks.ts'
import { goesOn, grants, pages, ways, withoutSession } from './ways.ts'

describe('the ways in', () => {
  const app = appPerSuite({ env: { PUBLIC_URL: 'http://localhost:8000' } })

  test('F36 every route and every grant that gives out tokens is in the matrix, or says why not', async () => {
    const document = (await (await app.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { responses: Record<string, object>; security?: unknown[] }>>
      components: { schemas: Record<string, object> }
    }
    const isToken = (schema: object, seen: readonly string[] = []): boolean => {
      const text = JSON.stringify(schema)
      if (text.includes('"access_token"')) return true
      const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]!)
      return names.some((one) => !seen.includes(one) && isToken(document.components.schemas[one]!, [...seen, one]))
    }
    const open = app.table.routes
      .filter(({ access }) => access === 'open')
      .map(({ method, pattern }) => `${method} ${pattern}`)
    const giving = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) => {
        const name = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
        const success = Object.entries(responses).filter(([status]) => status.startsWith('2'))
        return open.includes(name) && success.some(([, one]) => isToken(one)) ? [name] : []
      }),
    )
    expect(giving).toContain('POST /token')
    expect(giving.filter((name) => !(name in ways) && !(name in goesOn))).toEqual([])

    const metadata = (await (await app.request('GET', '/.well-known/oauth-authorization-server')).json()) as {
      grant_types_supported: string[]
    }
    expect(metadata.grant_types_supported.toSorted()).toEqual(Object.keys(grants).toSorted())

    const forms = app.table.routes.filter(({ method, page }) => page && method === 'POST')
    const known = [...Object.keys(pages), ...withoutSession]
    const names = forms
      .map(({ method, pattern }) => `${method} ${pattern}`)
      .filter((name) => !name.startsWith('POST /account'))
    expect(names.length).toBeGreaterThan(15)
    expect(names.filter((name) => !known.includes(name))).toEqual([])
  })
})
