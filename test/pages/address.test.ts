import { expect, test } from 'bun:test'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail, askForAddress, changeAddress, mailTo, register, tokenIn } from '../verification/support.ts'
import { heading, submit } from './support.ts'

describeEachDialect('the pages to change an address and to undo the change', (dialect) => {
  const open = appsWithMail()

  test('13.5 H9: show both masked addresses, change nothing by themselves, and do it by the button', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const next = 'lovelace@new.example'
    const emailOf = async () => (await app.rows.users.one({ id: ada.id })).email
    const token = await askForAddress(app, sink, ada.grant.access_token, next)
    const look = async (path: string) => {
      for (let i = 0; i < 20; i++)
        for (const method of ['GET', 'HEAD']) expect((await app.request(method, path)).status).toBe(200)
      const html = await (await app.request('GET', path)).text()
      for (const masked of ['a•••@e•••.com', 'l•••@n•••.example']) expect(html).toContain(masked)
      for (const address of [ada.email, next]) expect(html).not.toContain(address)
    }
    await look(`/confirm?token=${token}`)
    expect(await emailOf()).toBe(ada.email)
    const done = await submit(app, '/confirm', { token })
    expect([done.status, done.headers.get('location')]).toEqual([303, 'confirm?done'])
    expect(await emailOf()).toBe(next)
    expect(await heading(await app.request('GET', '/confirm?done'))).toEqual([200, 'Your address was changed'])

    await app.process.deliverMail()
    const undo = new URL(/https:\S+\/undo\?\S+/.exec(mailTo(sink, ada.email).message.text ?? '')![0])
    await look(`/undo${undo.search}`)
    expect(await emailOf()).toBe(next)
    const undone = await submit(app, '/undo', { token: undo.searchParams.get('token')! })
    expect([undone.status, undone.headers.get('location')]).toEqual([303, 'undo?done'])
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ email: ada.email, passwordHash: null })
    expect(await heading(await app.request('GET', '/undo?done'))).toEqual([200, 'The change was undone'])
  })

  test('13.5 two similar addresses can be told apart, on both pages', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada.smith')
    const next = 'ada.smyth@example.com'
    const shownAt = async (path: string) => {
      const html = await (await app.request('GET', path)).text()
      return [...html.matchAll(/<span class="account">(.*?)<\/span>/g)].map(([, shown]) => shown)
    }
    const token = await askForAddress(app, sink, ada.grant.access_token, next)
    expect(await shownAt(`/confirm?token=${token}`)).toEqual(['a•••i•••@e•••.com', 'a•••y•••@e•••.com'])
    expect((await submit(app, '/confirm', { token })).status).toBe(303)
    await app.process.deliverMail()
    const undo = tokenIn(mailTo(sink, ada.email))
    expect(await shownAt(`/undo?token=${undo}`)).toEqual(['a•••y•••@e•••.com', 'a•••i•••@e•••.com'])
  })

  test('13.5 a wrong, a used and a missing token, and that of another page, get a page that says so', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const undo = await changeAddress(app, sink, ada, ada.email, 'lovelace@example.com')
    const forms: Record<string, string>[] = [{}, { token: 'kwm_x' }, { token: undo }]
    for (const form of forms) expect((await heading(await submit(app, '/confirm', form)))[0]).toBe(400)
    expect((await submit(app, '/undo', { token: undo })).status).toBe(303)
    for (const form of forms)
      expect(await heading(await submit(app, '/undo', form))).toEqual([400, 'This link does not work any more'])
    for (const path of ['/confirm', `/confirm?token=${undo}`, '/undo?token=', `/undo?token=${undo}`])
      expect(await heading(await app.request('GET', path))).toEqual([400, 'This link does not work any more'])
  })

  test('13.5 an address that another account got meanwhile is said above the form', async () => {
    const { sink, app } = await open(dialect)
    const ada = await app.signUp('ada')
    const token = await askForAddress(app, sink, ada.grant.access_token, 'new@example.com')
    expect((await register(app, 'new@example.com', 'bob')).status).toBe(201)
    const taken = await submit(app, '/confirm', { token }, { 'accept-language': 'es' })
    const html = await taken.text()
    expect([taken.status, html.includes('<strong>Esta dirección pertenece a otra cuenta</strong>')]).toEqual([
      409,
      true,
    ])
  })
})
