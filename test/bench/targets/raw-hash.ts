import { countRaw, readPlan } from './raw.ts'

/* Bun.password alone, at bcrypt cost 10: what a login or a registration cannot be quicker than. */

const plan = await readPlan<{ act: 'verify' | 'hash' }>()
const password = 'correct horse battery'
const options = { algorithm: 'bcrypt', cost: 10 } as const
const hash = await Bun.password.hash(password, options)

await countRaw(
  plan,
  plan.act === 'verify' ? () => Bun.password.verify(password, hash) : () => Bun.password.hash(password, options),
)
