import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { RsaJob } from './rsa-signing.ts'

// The entry point of a thread of `rsa-signing.ts`. A thread loads all modules again, so this file imports only this one.

declare const self: Worker

const keys = new Map<string, KeyObject>()

/** Answers each job with its signature, in the order of the jobs. An error ends the thread, and `RsaSigner` notices. */
self.onmessage = ({ data: jobs }: MessageEvent<readonly RsaJob[]>) => {
  const signatures = jobs.map(({ kid, data, newKey, forgetsKeys }) => {
    if (forgetsKeys) keys.clear()
    if (newKey) keys.set(kid, createPrivateKey({ key: Buffer.from(newKey), format: 'der', type: 'pkcs8' }))
    return sign('sha256', data, keys.get(kid)!)
  })
  postMessage(signatures)
}
