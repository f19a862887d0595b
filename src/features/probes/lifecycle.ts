/** Whether this process still wants new work. */
export interface Lifecycle {
  /** True from the signal to stop on; requests are still served. */
  readonly draining: boolean
  drain(): void
}

export function createLifecycle(): Lifecycle {
  let draining = false
  return {
    get draining() {
      return draining
    },
    drain() {
      draining = true
    },
  }
}
