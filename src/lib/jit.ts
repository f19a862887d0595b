/**
 * Turns JIT compilation back on. The executable starts with it nearly off (`--compile-jit-policy=1000`): what a start runs is
 * not run again, and compiling it would take longer than interpreting it and 5 MiB that stay. Call this before sustained
 * work; calls of a function until then count towards its compilation.
 */
export const enableJit = (): void => Bun.unsafe.setJITPolicy(1)
