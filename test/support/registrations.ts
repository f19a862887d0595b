import type { RunningBinary } from './binary.ts'
import { accountOf, statusOf } from './outage.ts'

/** Registers users in several loops, until `stop`. `answered` has the names of those that the server accepted. */
export function registerWithoutPause(keyward: RunningBinary) {
  const answered: string[] = []
  const others: number[] = []
  let going = true
  const loops = ['a', 'b', 'c', 'd'].map(async (loop) => {
    for (let count = 0; going; count++) {
      const { register } = accountOf(`user-${loop}${count}`, 'secret of somebody')
      // 0 when the server is gone.
      const status = await statusOf(keyward, register).catch(() => 0)
      if (status === 201) answered.push(`user-${loop}${count}`)
      else others.push(status)
    }
  })
  const stop = async () => {
    going = false
    await Promise.all(loops)
  }
  return { answered, others, stop }
}
