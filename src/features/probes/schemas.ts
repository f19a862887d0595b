import { t } from 'elysia'

export const Alive = t.Object({ status: t.Literal('alive') }, { title: 'Liveness', examples: [{ status: 'alive' }] })

export const Ready = t.Object({ status: t.Literal('ready') }, { title: 'Readiness', examples: [{ status: 'ready' }] })
