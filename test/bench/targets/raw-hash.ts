import { countRaw, readPlan } from './raw.ts'

/* Only Bun.password, at bcrypt cost 10: no login or registration can be faster. */

const plan = await readPlan<{ act: 'verify' | 'hash' }>()
const password = 'correct horse battery'
const options = { algorithm: 'bcrypt', cost: 10 } as const
const hash = await Bun.password.hash(password, options)

await countRaw(
  plan,
  plan.act === 'verify' ? () => Bun.password.verify(password, hash) : () => Bun.password.hash(password, options),
)
