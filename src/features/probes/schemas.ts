import { t } from 'elysia'

export const Alive = t.Object({ status: t.Literal('alive') }, { examples: [{ status: 'alive' }] })

export const Ready = t.Object({ status: t.Literal('ready') }, { examples: [{ status: 'ready' }] })
